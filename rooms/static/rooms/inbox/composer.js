/** Where agents write: replies and notes, canned replies by "/", what is left unsent kept for each conversation. */

import { canned, filled } from "./rows.js";
import { element } from "./text.js";

const TYPING_MS = 3_000;
const KEPT = "kefu-inbox-unsent";

export class Composer {
  #parts;
  #look;
  #unsent = JSON.parse(sessionStorage.getItem(KEPT) ?? "{}");
  #typed = 0;
  #all = [];
  #shown = [];
  #at = 0;
  mode = "reply";
  conversation = "";

  /**
   * `parts`: {form, text, modes, popup, send}; `look`: {words, canned: address, row(), values(), onSend(mode, text),
   * onTyping(), onLeave()}.
   */
  constructor(parts, look) {
    [this.#parts, this.#look] = [parts, look];
    const { form, text, modes } = parts;
    form.addEventListener("submit", (event) => { event.preventDefault(); this.#send(); });
    text.addEventListener("input", () => this.#input());
    text.addEventListener("keydown", (event) => this.#key(event));
    text.addEventListener("blur", () => setTimeout(() => this.#hide(), 200));
    for (const button of modes) button.addEventListener("click", () => this.turn(button.value, true));
    this.load();
    addEventListener("focus", () => this.load());
  }

  /** Take the canned replies anew: somebody may have changed them. */
  async load() {
    try {
      const answer = await fetch(this.#look.canned);
      if (answer.ok && !answer.redirected) this.#all = (await answer.json()).canned;
    } catch { /* offline: those that are known stay */ }
  }

  /** Turn to another conversation; what was typed in the last one is kept there. */
  of(conversation) {
    this.#keep();
    this.conversation = conversation;
    const kept = this.#unsent[conversation] ?? {};
    this.mode = kept.mode ?? "reply";
    this.#parts.text.value = kept.text ?? "";
    this.turn(this.mode);
  }

  /** "reply" or "note". */
  turn(mode, focus = false) {
    this.mode = mode;
    this.#parts.form.dataset.mode = mode;
    for (const button of this.#parts.modes) button.ariaPressed = String(button.value === mode);
    const { words } = this.#look;
    this.#parts.text.placeholder = mode === "note" ? words.write_note : words.write_reply;
    this.#parts.send.textContent = mode === "note" ? words.send_note : words.send;
    this.allow();
    this.#grow();
    if (focus) this.#parts.text.focus();
  }

  /** Whether one may write: notes always, replies where the conversation is one's own. */
  allow() {
    const may = this.mode === "note" || this.#look.mayReply();
    this.#parts.text.disabled = !may;
    this.#parts.send.disabled = !may;
    this.#parts.form.classList.toggle("closed", !may);
  }

  /** Put a text into the box: instead of what is there, or after it. */
  put(text, { after = false } = {}) {
    this.turn("reply");
    const { text: box } = this.#parts;
    box.value = after && box.value ? `${box.value.trimEnd()}\n${text}` : text;
    this.#keep();
    this.#grow();
    box.focus();
    box.setSelectionRange(box.value.length, box.value.length);
  }

  /** What was refused comes back to be changed. */
  back(mode, text) {
    const { text: box } = this.#parts;
    this.turn(mode);
    box.value = box.value ? `${text}\n${box.value}` : text;
    this.#keep();
    this.#grow();
    box.focus();
  }

  get text() {
    return this.#parts.text.value;
  }

  /** Somebody else signs in here next. */
  static forget() {
    sessionStorage.removeItem(KEPT);
  }

  #send() {
    const text = this.#parts.text.value.trim();
    if (!text || this.#parts.text.disabled) return;
    this.#parts.text.value = "";
    this.#keep();
    this.#grow();
    this.#look.onSend(this.mode, text);
  }

  #keep() {
    if (!this.conversation) return;
    const { value } = this.#parts.text;
    if (value) this.#unsent[this.conversation] = { mode: this.mode, text: value };
    else delete this.#unsent[this.conversation];
    sessionStorage.setItem(KEPT, JSON.stringify(this.#unsent));
  }

  #grow() {
    const { text } = this.#parts;
    text.style.height = "auto";
    text.style.height = `${Math.min(text.scrollHeight + 2, innerHeight * 0.35)}px`;
  }

  #input() {
    this.#grow();
    this.#keep();
    if (this.mode === "reply" && this.#parts.text.value && Date.now() - this.#typed > TYPING_MS) {
      this.#typed = Date.now();
      this.#look.onTyping();
    }
    this.#offer();
  }

  #key(event) {
    if (event.isComposing) return;
    if (this.#shown.length) {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (step) {
        event.preventDefault();
        this.#at = (this.#at + step + this.#shown.length) % this.#shown.length;
        return this.#paint();
      }
      if (event.key === "Enter" || event.key === "Tab") {
        event.preventDefault();
        return this.#choose(this.#shown[this.#at]);
      }
      if (event.key === "Escape") {
        event.preventDefault();
        event.stopPropagation();
        return this.#hide();
      }
    }
    if (event.key === "Enter" && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      this.#send();
    } else if (event.key === "Escape") {
      event.preventDefault();
      this.#look.onLeave();
    } else if (event.altKey && event.code === "KeyS") {
      event.preventDefault();
      this.#look.onSuggest();
    } else if (event.altKey && event.code === "KeyN") {
      event.preventDefault();
      this.turn(this.mode === "note" ? "reply" : "note", true);
    }
  }

  /** The word after "/" before the caret, or null. */
  #slash() {
    const { text } = this.#parts;
    return /(?:^|\s)\/([^\s/]*)$/.exec(text.value.slice(0, text.selectionStart))?.[1] ?? null;
  }

  #offer() {
    const typed = this.mode === "reply" ? this.#slash() : null;
    const row = this.#look.row();
    this.#shown = typed === null || !row ? [] : canned(this.#all, typed, row).slice(0, 8);
    this.#at = 0;
    this.#paint();
  }

  #paint() {
    const { popup, text } = this.#parts;
    popup.hidden = !this.#shown.length;
    popup.replaceChildren(
      ...this.#shown.map((one, index) => {
        const item = element("div", "", "canned");
        item.role = "option";
        item.id = `canned-${index}`;
        item.ariaSelected = String(index === this.#at);
        item.append(element("b", `/${one.shortcut}`), element("span", one.text, "soft"));
        item.addEventListener("mousedown", (event) => { event.preventDefault(); this.#choose(one); });
        return item;
      }),
    );
    if (popup.hidden) text.removeAttribute("aria-activedescendant");
    else text.setAttribute("aria-activedescendant", `canned-${this.#at}`);
  }

  #hide() {
    this.#shown = [];
    this.#paint();
  }

  #choose(one) {
    const { text } = this.#parts;
    const caret = text.selectionStart;
    const start = caret - this.#slash().length - 1;
    const made = filled(one.text, this.#look.values());
    text.setRangeText(made, start, caret, "end");
    this.#hide();
    this.#grow();
    this.#keep();
    text.focus();
  }
}
