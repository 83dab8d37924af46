/** The form before the chat: built from the site's fields, sent once. Knows nothing of where the values go. */

import { make } from "./dom.js";

const TYPES = { text: "text", email: "email", phone: "tel" };

export class Form {
  /** The first field. */
  first;
  #send;
  #words;
  #fields;
  #error;
  #button;

  /** Builds the form in `place`; `send(values)` returns a promise that rejects with the reason why it was not taken. */
  constructor(place, fields, words, send) {
    this.#send = send;
    this.#words = words;
    this.#fields = fields.map((field, number) => this.#build(field, number));
    this.first = this.#fields[0].input;
    this.#error = make("p", { class: "error", role: "alert" });
    this.#button = make("button", { type: "submit", class: "primary", text: words.begin });
    const form = make(
      "form",
      { noValidate: true, "aria-labelledby": "before" },
      make("h3", { id: "before", text: words.form }),
      make("p", { class: "note", text: words.formNote }),
      ...this.#fields.map(({ row }) => row),
      this.#error,
      this.#button,
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    place.replaceChildren(form);
  }

  #build({ name, label, kind, required = false, choices = [] }, number) {
    const id = `field-${number}`;
    const rest = { id, name, required, "aria-describedby": `${id}-wrong`, "aria-invalid": "false" };
    const input =
      kind === "choice"
        ? make("select", rest, make("option", { value: "", text: this.#words.choose }), ...choices.map((text) => make("option", { value: text, text })))
        : make("input", { ...rest, type: TYPES[kind], maxLength: 200, autocomplete: { name: "name", email: "email", phone: "tel" }[name] ?? (kind === "phone" ? "tel" : kind === "email" ? "email" : "off") });
    const wrong = make("span", { id: `${id}-wrong`, class: "error" });
    const hint = required ? null : make("small", { text: this.#words.optional });
    const row = make("div", { class: "row" }, make("label", { for: id }, make("span", { text: label, dir: "auto" }), hint), input, wrong);
    return { name, input, wrong, row };
  }

  async #submit() {
    let first = null;
    for (const { input, wrong } of this.#fields) {
      input.value = input.value.trim?.() ?? input.value;
      const { valueMissing, valid } = input.validity;
      const isPhone = input.type !== "tel" || !input.value || /^\+?[\d ()./-]{5,25}$/.test(input.value);
      wrong.textContent = valueMissing ? this.#words.missing : valid && isPhone ? "" : this.#words.wrong;
      input.setAttribute("aria-invalid", String(wrong.textContent !== ""));
      if (wrong.textContent) first ??= input;
    }
    this.#error.textContent = "";
    if (first) {
      first.focus();
      return;
    }
    this.#button.disabled = true;
    try {
      await this.#send(Object.fromEntries(this.#fields.map(({ name, input }) => [name, input.value])));
    } catch (error) {
      this.#error.textContent = error.message || this.#words.failed;
    } finally {
      this.#button.disabled = false;
    }
  }
}
