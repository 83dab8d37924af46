/** Files that wait to be sent: chosen, uploaded one by one, shown above the composer. Knows nothing of messages. */

import { icon, iconButton, make, sizeOf } from "./dom.js";

const MOST = 5;
const ACCEPTED = ".png,.jpg,.jpeg,.gif,.webp,.pdf,.txt,.docx,.xlsx";

export class Tray {
  #place;
  #words;
  #options;
  #files = [];
  #input = make("input", { type: "file", multiple: true, accept: ACCEPTED, hidden: true });

  /** Shows itself in `place`. `address` takes uploads with `headers()`; `changed()` is told of everything that happens. */
  constructor(place, words, { address, headers, changed }) {
    this.#place = place;
    this.#words = words;
    this.#options = { address, headers, changed };
    this.#input.addEventListener("change", () => {
      this.add([...this.#input.files]);
      this.#input.value = "";
    });
    place.after(this.#input);
  }

  /** How many there are to send; -1 while one of them is still on its way. */
  get waiting() {
    return this.#files.some(({ state }) => state === "sending") ? -1 : this.#files.filter(({ state }) => state === "ready").length;
  }

  choose() {
    this.#input.click();
  }

  add(files) {
    for (const file of files.slice(0, MOST - this.#files.length)) {
      const one = { name: file.name, size: file.size, state: "sending", error: "", stop: new AbortController() };
      this.#files.push(one);
      this.#upload(one, file);
    }
    this.#paint();
  }

  /** Hands over what is ready: [{id, name, type, size}]; what was refused goes, too. */
  take() {
    const ready = this.#files.filter(({ state }) => state === "ready").map(({ sent }) => sent);
    this.#files = this.#files.filter(({ state }) => state === "sending");
    this.#paint();
    return ready;
  }

  clear() {
    for (const one of this.#files) one.stop.abort();
    this.#files = [];
    this.#paint();
  }

  async #upload(one, file) {
    const body = new FormData();
    body.append("file", file, file.name);
    try {
      const { address, headers } = this.#options;
      const response = await fetch(address, { method: "POST", body, headers: headers(), credentials: "omit", signal: one.stop.signal });
      const answer = await response.json();
      if (response.ok) Object.assign(one, { state: "ready", sent: answer });
      else Object.assign(one, { state: "refused", error: answer.message });
    } catch {
      Object.assign(one, { state: "refused", error: this.#words.failed });
    }
    this.#paint();
  }

  #remove(one) {
    one.stop.abort();
    this.#files = this.#files.filter((other) => other !== one);
    this.#paint();
  }

  #paint() {
    this.#place.hidden = this.#files.length === 0;
    this.#place.replaceChildren(
      ...this.#files.map((one) =>
        make(
          "div",
          { class: "file", "data-state": one.state },
          icon("file"),
          make("span", { class: "name", text: one.name }),
          make("small", { role: "status", text: { sending: this.#words.uploading, ready: sizeOf(one.size), refused: one.error }[one.state] }),
          iconButton("close", this.#words.remove(one.name), () => this.#remove(one), { class: "tool" }),
        ),
      ),
    );
    this.#options.changed();
  }
}
