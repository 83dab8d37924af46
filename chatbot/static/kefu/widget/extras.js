/**
 * What is rarely needed, loaded when it is: the menu (sound, transcript, rating), why a thumb is down, the rating at the end,
 * changing one's own words, the sound. What it needs of the chat it is handed: ask, send, isAnswered, paint, get, set, mark, rated, canMail, canRate, isOff, isQuiet.
 */

import { icon, make } from "./dom.js";

export class Extras {
  #view;
  #words;
  #chat;
  #audio = null;

  constructor(view, words, chat) {
    this.#view = view;
    this.#words = words;
    this.#chat = chat;
  }

  // --- menu

  /** Opens the menu, or closes it. */
  menu(open = this.#view.menu.hidden) {
    const { menu, moreButton } = this.#view;
    menu.hidden = !open;
    moreButton.setAttribute("aria-expanded", String(open));
    if (!open) {
      moreButton.focus();
      return;
    }
    const w = this.#words;
    const item = (text, act) => make("button", { type: "button", text, onclick: act });
    const quiet = this.#chat.isQuiet();
    const items = [
      item(quiet ? w.soundOn : w.soundOff, () => {
        this.#chat.set({ sound: quiet });
        if (quiet) this.ring();
        this.menu(false);
      }),
    ];
    if (this.#chat.canRate() && !this.#chat.isOff("csat")) {
      items.push(item(w.rate, () => {
        this.menu(false);
        this.askToRate({ focus: true });
      }));
    }
    if (!this.#chat.isOff("transcript")) {
      items.push(item(w.download, () => this.#download()));
      if (this.#chat.canMail()) items.push(item(w.email, () => this.#address()));
    }
    menu.replaceChildren(...items);
    items[0].focus();
  }

  async #download() {
    const { text } = await this.#chat.ask({ type: "transcript", email: "" });
    const address = URL.createObjectURL(new Blob(["\ufeff", text], { type: "text/plain" }));
    make("a", { href: address, download: `${new Date().toISOString().slice(0, 10)}.txt` }).click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
    this.menu(false);
  }

  #address() {
    const w = this.#words;
    const input = make("input", { id: "address", type: "email", required: true, maxLength: 254, autocomplete: "email" });
    const said = make("p", { role: "status" });
    const button = make("button", { type: "submit", class: "primary", text: w.submit });
    const form = make("form", { noValidate: true }, make("label", { for: "address", text: w.address }), input, button, said);
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (!input.reportValidity()) return;
      button.disabled = true;
      try {
        await this.#chat.ask({ type: "transcript", email: input.value });
        said.textContent = w.emailed;
        input.value = "";
      } catch (error) {
        said.textContent = error.message || w.failed;
      }
      button.disabled = false;
    });
    this.#view.menu.replaceChildren(form);
    input.focus();
  }

  // --- what customers think

  /** A thumb up is told at once; one that is down, too, and then why. */
  async thumb(entry, helpful) {
    await this.#chat.ask({ type: "feedback", message: entry.id, helpful });
    this.#chat.set({ thumbs: { ...this.#chat.get("thumbs"), [entry.id]: helpful } });
    this.#chat.mark(entry.key, { thumb: helpful });
    this.#chat.paint();
    if (!helpful) this.#askWhy(entry);
    else if (this.#view.card.dataset.about === entry.id) this.#showCard(null);
  }

  #askWhy(entry) {
    const w = this.#words;
    let reason = "";
    const chips = Object.entries(w.reasons).map(([code, text]) =>
      make("button", { type: "button", class: "chip", text, "aria-pressed": "false", onclick: (event) => {
        reason = reason === code ? "" : code;
        for (const chip of chips) chip.setAttribute("aria-pressed", String(chip === event.currentTarget && reason !== ""));
      } }),
    );
    const form = this.#form(w.whyBad, make("div", { class: "chips" }, ...chips), (comment) =>
      this.#chat.ask({ type: "feedback", message: entry.id, helpful: false, reason, comment }),
    );
    this.#showCard(form, entry.id);
    chips[0].focus();
  }

  /** A message of the customer's own: to be changed until it is answered, and withdrawn. */
  own(entry) {
    const w = this.#words;
    const act = (frame) => {
      this.#chat.send({ id: entry.key, ...frame });
      this.#showCard(null);
    };
    const text = make("textarea", { rows: 3, value: entry.text, "aria-label": w.edit });
    const button = (label, onclick, rest) => make("button", { type: "button", text: label, onclick, ...rest });
    const canEdit = entry.text && !this.#chat.isAnswered(entry);
    const form = make(
      "form",
      {},
      make("h3", { text: w.own }),
      canEdit && text,
      make(
        "div",
        { class: "buttons" },
        button(w.cancel, () => this.#showCard(null)),
        button(w.withdraw, () => act({ type: "delete" }), { class: "danger" }),
        canEdit && make("button", { type: "submit", class: "primary", text: w.edit }),
      ),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (text.value.trim()) act({ type: "edit", text: text.value.trim() });
    });
    this.#showCard(form, entry.id);
    (canEdit ? text : form.querySelector(".danger")).focus();
  }

  /** Shows the rating at the end of the conversation. */
  askToRate({ focus = false } = {}) {
    const w = this.#words;
    let score = 0;
    const stars = w.scores.map((text, number) => {
      const input = make("input", { type: "radio", name: "score", value: String(number + 1), class: "unseen", "aria-label": text });
      input.addEventListener("change", () => {
        score = number + 1;
        said.textContent = text;
        stars.forEach((star, other) => star.classList.toggle("full", other <= number));
        form.querySelector(".primary").disabled = false;
      });
      return make("label", { class: "star", title: text }, input, icon("star"));
    });
    const said = make("p", { class: "note", text: "\u00a0", "aria-hidden": "true" });
    const form = this.#form(w.rateAsk, make("div", { class: "stars", role: "radiogroup", "aria-label": w.rateAsk }, ...stars), async (comment) => {
      await this.#chat.ask({ type: "rate", score, comment });
      this.#chat.rated(score);
    }, said);
    form.querySelector(".primary").disabled = true;
    this.#showCard(form, "rating");
    if (focus) stars[0].firstChild.focus();
  }

  /** A question, what to choose from, room for words, and two buttons. */
  #form(title, choices, send, after = null) {
    const w = this.#words;
    const comment = make("textarea", { rows: 2, maxLength: 1000, placeholder: w.comment, "aria-label": w.comment });
    const error = make("p", { class: "error", role: "alert" });
    const button = make("button", { type: "submit", class: "primary", text: w.submit });
    const form = make(
      "form",
      {},
      make("h3", { text: title }),
      choices,
      after,
      comment,
      error,
      make("div", { class: "buttons" }, make("button", { type: "button", text: w.cancel, onclick: () => this.#showCard(null) }), button),
    );
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      button.disabled = true;
      try {
        await send(comment.value);
        this.#showCard(make("p", { class: "thanks", role: "status", text: w.thanks }));
        this.#view.input.focus();
      } catch (failure) {
        error.textContent = failure.message || w.failed;
        button.disabled = false;
      }
    });
    return form;
  }

  #showCard(content, about = "") {
    const { card, scroller } = this.#view;
    card.hidden = !content;
    card.dataset.about = about;
    card.replaceChildren(...(content ? [content] : []));
    if (content) scroller.scrollTop = scroller.scrollHeight;
    else this.#view.input.focus();
  }

  // --- sound

  /** Two soft notes; a page that nobody has touched yet may not make a sound, and then there is none. */
  ring() {
    try {
      this.#audio ??= new AudioContext();
      const { currentTime: now, destination } = this.#audio;
      for (const [at, pitch] of [[0, 660], [0.14, 880]]) {
        const note = this.#audio.createOscillator();
        const volume = this.#audio.createGain();
        note.frequency.value = pitch;
        volume.gain.setValueAtTime(0.0001, now + at);
        volume.gain.exponentialRampToValueAtTime(0.12, now + at + 0.02);
        volume.gain.exponentialRampToValueAtTime(0.0001, now + at + 0.3);
        note.connect(volume).connect(destination);
        note.start(now + at);
        note.stop(now + at + 0.32);
      }
    } catch {
      // As said above.
    }
  }
}
