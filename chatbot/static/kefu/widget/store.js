/** Remembers small things between pages and for other tabs. Falls back to memory where the browser forbids storage; knows
 * nothing of their meaning. */

export class Store {
  #area;
  #key;
  #values = {};

  /** `area` is "localStorage" (kept) or "sessionStorage" (kept while the tab lives). */
  constructor(area, key) {
    this.#key = key;
    try {
      this.#area = globalThis[area];
    } catch {
      // Storage is forbidden: go on with memory only.
    }
    this.refresh();
  }

  /** Takes in what another tab has written. */
  refresh() {
    try {
      const saved = JSON.parse(this.#area.getItem(this.#key) ?? "{}");
      if (saved && typeof saved === "object") this.#values = saved;
    } catch {
      // As above, or what lies there is not ours.
    }
  }

  get(name) {
    return this.#values[name];
  }

  /** Merges `values` into what is remembered. Never throws: a full or forbidden storage only forgets sooner. */
  set(values) {
    this.refresh();
    Object.assign(this.#values, values);
    try {
      this.#area.setItem(this.#key, JSON.stringify(this.#values));
    } catch {
      // As above.
    }
  }

  /** Merges `entries` into the object remembered under `name`; those that are undefined go. */
  put(name, entries) {
    this.refresh();
    this.set({ [name]: { ...this.get(name), ...entries } });
  }

  clear() {
    this.#values = {};
    try {
      this.#area.removeItem(this.#key);
    } catch {
      // As above.
    }
  }

  /** Whether a storage event is about this. */
  isMeant(event) {
    return event.key === this.#key;
  }
}
