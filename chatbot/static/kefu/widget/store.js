/** Remembers small things between pages. Falls back to memory where the browser forbids storage; knows nothing of their meaning. */

export class Store {
  #area;
  #key;
  #values = {};

  /** `area` is "localStorage" (kept) or "sessionStorage" (kept while the tab lives). */
  constructor(area, key) {
    this.#key = key;
    try {
      this.#area = globalThis[area];
      const saved = JSON.parse(this.#area.getItem(key) ?? "{}");
      if (saved && typeof saved === "object") this.#values = saved;
    } catch {
      // Storage is forbidden, or what lies there is not ours: go on with memory only.
    }
  }

  get(name) {
    return this.#values[name];
  }

  /** Merges `values` into what is remembered. Never throws: a full or forbidden storage only forgets sooner. */
  set(values) {
    Object.assign(this.#values, values);
    try {
      this.#area.setItem(this.#key, JSON.stringify(this.#values));
    } catch {
      // As above.
    }
  }
}
