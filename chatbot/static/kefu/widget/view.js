/**
 * State → DOM. Builds the launcher and the panel once, then paints what changed. Text enters as text nodes only.
 * Decides nothing: what the customer does is told to `actions` (toggle, close, say, stop, person, retry, banner).
 */

import { parse, show } from "./text.js";

const SVG = "http://www.w3.org/2000/svg";
const ICONS = {
  chat: ["M12 3.5c-5 0-9 3.4-9 7.7 0 2.4 1.3 4.6 3.3 6l-.7 3.3 3.7-1.9c.9.2 1.8.3 2.7.3 5 0 9-3.4 9-7.7s-4-7.7-9-7.7Z", "M8 10h8M8 13.2h5"],
  down: ["m6 9.5 6 6 6-6"],
  send: ["M12 19V5.5", "m6 11 6-6 6 6"],
  stop: ["M7.5 7.5h9v9h-9z"],
  person: ["M5 14v-2.5a7 7 0 0 1 14 0V14", "M5 13h2.2v5H6a1.6 1.6 0 0 1-1.6-1.6v-1.8c0-.9.3-1.6.6-1.6Zm14 0h-2.2v5H18a1.6 1.6 0 0 0 1.6-1.6v-1.8c0-.9-.3-1.6-.6-1.6Z", "M18 18.2c0 1.6-1.9 2.8-4.5 2.8"],
  spark: ["M12 4c.7 4.6 2.6 6.6 7.5 7.5-4.9.9-6.8 2.9-7.5 7.5-.7-4.6-2.6-6.6-7.5-7.5C9.4 10.6 11.3 8.6 12 4Z"],
  arrow: ["M12 5v13.5", "m6 13 6 6 6-6"],
  retry: ["M19 12a7 7 0 1 1-2.2-5.1", "M19 4v4h-4"],
};
const GROUP_MS = 5 * 60_000;
const COUNTER_FROM = 200;
const NEAR_END = 48;

/** make("p", {class: "x", text: "y", onclick: f}, …children): properties but for class, text and aria-/data-/role names. */
function make(tag, { class: className, text, ...rest } = {}, ...children) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  for (const [name, value] of Object.entries(rest)) {
    if (name.includes("-") || name === "role" || name === "for") node.setAttribute(name, value);
    else node[name] = value;
  }
  node.append(...children.filter(Boolean));
  return node;
}

function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  for (const d of ICONS[name]) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", d);
    svg.append(path);
  }
  return svg;
}

const dots = () => make("span", { class: "dots", "aria-hidden": "true" }, make("i"), make("i"), make("i"));

/** Sets what differs only: a live region that is told the same text again may read it again. */
function set(node, name, value) {
  if (node[name] !== value) node[name] = value;
}

export class View {
  #wording;
  #actions;
  #messages = new Map();
  #entries = null;
  #limit = 4000;
  #clock;
  #calendar;

  constructor(wording, { language, questions, actions }) {
    this.#wording = wording;
    this.#actions = actions;
    this.#clock = new Intl.DateTimeFormat(wording.locale, { hour: "2-digit", minute: "2-digit", hour12: false });
    this.#calendar = new Intl.DateTimeFormat(wording.locale, { month: "long", day: "numeric" });
    this.#build(language === "zh" ? "zh-Hans" : "en", questions);
  }

  #build(lang, questions) {
    const { close, person, stop, say, toggle, banner } = this.#actions;
    const w = this.#wording;

    this.title = make("h2", { id: "title", text: w.title });
    this.presence = make("p", { class: "presence" });
    this.closeButton = make("button", { type: "button", class: "round", "aria-label": w.close, title: w.close, onclick: close }, icon("down"));
    const header = make(
      "header",
      {},
      make("span", { class: "avatar" }, icon("spark")),
      make("div", { class: "heading" }, this.title, this.presence),
      make("button", { type: "button", class: "person", onclick: person }, icon("person"), make("span", { text: w.person })),
      this.closeButton,
    );

    this.bannerText = make("span");
    this.bannerButton = make("button", { type: "button", onclick: banner });
    this.banner = make("div", { class: "banner", role: "status" }, this.bannerText, this.bannerButton);

    this.queue = make("div", { class: "banner queue", role: "status" });

    this.about = make("p");
    this.empty = make(
      "div",
      { class: "empty" },
      make("span", { class: "avatar large" }, icon("spark")),
      make("h3", { text: w.greeting }),
      this.about,
      questions.length > 0 &&
        make("div", { class: "questions" }, ...questions.map((text) => make("button", { type: "button", text, onclick: () => say(text) }))),
    );
    this.log = make("div", { class: "log", role: "log", "aria-live": "polite", "aria-label": w.log });
    this.statusText = make("span");
    this.status = make("div", { class: "status", role: "status", hidden: true }, dots(), this.statusText);
    this.scroller = make("div", { class: "scroller", tabIndex: 0, role: "region", "aria-label": w.log }, this.empty, this.log, this.status);
    this.jump = make("button", { type: "button", class: "jump", hidden: true, "aria-label": w.jump, title: w.jump }, icon("arrow"));
    this.jump.onclick = () => {
      this.#toEnd();
      this.input.focus();
    };
    this.scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });

    this.input = make("textarea", { id: "message", rows: 1, placeholder: w.placeholder, autocomplete: "off", enterKeyHint: "send" });
    this.input.setAttribute("aria-describedby", "counter");
    this.input.addEventListener("input", () => this.#typed());
    this.stopButton = make("button", { type: "button", class: "round stop", "aria-label": w.stop, title: w.stop, hidden: true, onclick: stop }, icon("stop"));
    this.sendButton = make("button", { type: "submit", class: "round send", "aria-label": w.send, title: w.send, disabled: true }, icon("send"));
    this.counter = make("span", { id: "counter", class: "counter", "aria-live": "polite" });
    this.form = make(
      "form",
      { class: "composer", noValidate: true },
      make("label", { class: "unseen", for: "message", text: w.message }),
      make("div", { class: "field" }, this.input, this.stopButton, this.sendButton),
      make("p", { class: "foot" }, make("span", { text: w.note }), this.counter),
    );
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });

    this.panel = make(
      "section",
      { class: "panel", id: "panel", role: "dialog", "aria-labelledby": "title", hidden: true },
      header,
      this.banner,
      this.queue,
      make("div", { class: "middle" }, this.scroller, this.jump),
      this.form,
    );
    this.badge = make("span", { class: "badge", hidden: true, "aria-hidden": "true" });
    this.launcher = make(
      "button",
      { type: "button", class: "launcher", "aria-haspopup": "dialog", "aria-expanded": "false", "aria-controls": "panel", onclick: toggle },
      icon("chat"),
      icon("down"),
      this.badge,
    );
    this.root = make("div", { class: "kefu", lang }, this.panel, this.launcher);
  }

  /**
   * Paints the state: {open, unread, entries, status, answering, line, agent, site, bot, title, banner: {kind, text, button} or null,
   * waiting, typist, limit}. `line` is the connection's state, `button` the banner button's label or "", `waiting` where the
   * customer stands in the queue or "", `typist` who is writing or "".
   */
  paint(state) {
    const w = this.#wording;
    this.#limit = state.limit;
    const follow = this.#atEnd();

    set(this.panel, "hidden", !state.open);
    this.launcher.setAttribute("aria-expanded", String(state.open));
    const label = state.open ? w.close : state.unread ? `${w.open} · ${w.unread(state.unread)}` : w.open;
    this.launcher.setAttribute("aria-label", label);
    set(this.badge, "hidden", state.open || !state.unread);
    set(this.badge, "textContent", state.unread > 99 ? "99+" : String(state.unread));

    set(this.title, "textContent", state.title || state.site || w.title);
    set(this.presence, "textContent", state.line === "open" ? (state.agent ? w.withAgent : w.online) : state.line === "closed" ? w.away : w.connecting);
    this.presence.dataset.line = state.line;
    this.bot = state.bot || w.assistant;
    set(this.about, "textContent", w.about(state.site, state.bot));

    set(this.bannerText, "textContent", state.banner?.text ?? "");
    set(this.bannerButton, "textContent", state.banner?.button ?? "");
    set(this.bannerButton, "hidden", !state.banner?.button);
    this.banner.dataset.kind = state.banner?.kind ?? "";
    set(this.queue, "textContent", state.line === "open" ? state.waiting : "");
    this.queue.dataset.kind = this.queue.textContent && "info";

    set(this.empty, "hidden", state.entries.length > 0);
    if (this.#entries !== state.entries) this.#paintEntries(state.entries);
    this.#entries = state.entries;

    const doing = state.typist ? w.typing(state.typist) : state.status && (w.stages[state.status.stage] ?? w.stages.writing);
    const stage = state.line === "open" && doing ? doing : "";
    set(this.status, "hidden", !stage);
    set(this.statusText, "textContent", stage);
    const answering = state.answering && state.line === "open";
    const stopFocused = this.stopButton.matches(":focus");
    set(this.stopButton, "hidden", !answering);
    if (stopFocused && !answering) this.input.focus();

    this.#typed();
    if (follow) this.#toEnd();
    this.#scrolled();
  }

  /** Puts `text` into the composer, ready to be sent or changed. */
  fill(text) {
    this.input.value = text;
    this.#typed();
  }

  /** Sends what the composer holds, if it may be sent. */
  submit() {
    const text = this.input.value.trim();
    if (!text || this.#left() < 0) return;
    this.fill("");
    this.#actions.say(text);
    this.#toEnd();
  }

  #left() {
    return this.#limit - [...this.input.value].length;
  }

  #typed() {
    const left = this.#left();
    set(this.counter, "textContent", left <= Math.min(COUNTER_FROM, this.#limit / 5) ? this.#wording.left(left) : "");
    this.counter.classList.toggle("over", left < 0);
    set(this.sendButton, "disabled", left < 0 || !this.input.value.trim());
    if (this.panel.hidden) return;
    this.input.style.height = "auto";
    this.input.style.height = `${this.input.scrollHeight}px`;
  }

  #atEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.scroller;
    return scrollHeight - scrollTop - clientHeight < NEAR_END;
  }

  #toEnd() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
  }

  #scrolled() {
    set(this.jump, "hidden", this.#atEnd());
  }

  #paintEntries(entries) {
    let next = this.log.firstElementChild;
    let previous = null;
    const keys = new Set();
    for (const entry of entries) {
      keys.add(entry.key);
      let message = this.#messages.get(entry.key);
      if (!message) this.#messages.set(entry.key, (message = this.#buildMessage(entry)));
      if (message.entry !== entry) this.#paintMessage(message, entry);
      this.#paintPlace(message, entry, previous);
      if (message.element === next) next = next.nextElementSibling;
      else this.log.insertBefore(message.element, next);
      previous = entry;
    }
    for (const [key, message] of this.#messages) {
      if (keys.has(key)) continue;
      message.element.remove();
      this.#messages.delete(key);
    }
  }

  #buildMessage(entry) {
    const message = {
      day: make("p", { class: "day" }),
      author: make("p", { class: "author" }),
      bubble: make("div", { class: "bubble", dir: "auto" }),
      sources: make("div", { class: "sources", role: "group", "aria-label": this.#wording.sources, "aria-live": "off", hidden: true }),
      meta: make("p", { class: "meta" }),
      passages: new Map(),
    };
    message.element = make("div", { class: "message" }, message.day, message.author, message.bubble, message.sources, message.meta);
    message.element.dataset.key = entry.key;
    return message;
  }

  #paintMessage(message, entry) {
    const w = this.#wording;
    const before = message.entry;
    message.entry = entry;
    message.element.dataset.role = entry.role;
    message.element.dataset.state = entry.state;
    message.element.dataset.outcome = entry.outcome ?? "";
    set(message.author, "textContent", { customer: w.you, agent: entry.author || w.agent, system: "" }[entry.role] ?? this.bot);

    const numbers = new Set(entry.sources.map((source) => source.number));
    const streaming = entry.state === "streaming";
    if (before?.text !== entry.text || before?.state !== entry.state || before?.sources !== entry.sources) {
      const blocks = parse(entry.deleted ? w.withdrawn : entry.text, { plain: entry.role === "customer", isSource: (number) => streaming || numbers.has(number) });
      show(message.bubble, blocks, (number) => this.#makeMark(message, number));
    }
    if (JSON.stringify(before?.sources ?? []) !== JSON.stringify(entry.sources)) this.#paintSources(message, entry.sources);
    this.#paintMeta(message, entry);
  }

  #paintMeta({ meta }, entry) {
    const w = this.#wording;
    const waiting = { queued: w.queued, sending: w.sending }[entry.state];
    const parts = [];
    if (entry.state === "failed") {
      const retry = make("button", { type: "button", class: "retry", onclick: () => this.#actions.retry(entry.key) }, icon("retry"), make("span", { text: w.tryAgain }));
      if (entry.retryAfter > 0) {
        retry.disabled = true;
        setTimeout(() => (retry.disabled = false), entry.retryAfter * 1000);
      }
      parts.push(make("span", { class: "error", text: entry.error || w.unconfirmed }), retry);
    } else if (waiting) {
      parts.push(make("span", { text: waiting }));
    } else if (entry.at && entry.role !== "system") {
      parts.push(make("time", { dateTime: entry.at, text: this.#clock.format(new Date(entry.at)) }));
    }
    meta.setAttribute("aria-live", entry.state === "failed" ? "polite" : "off");
    meta.replaceChildren(...parts);
  }

  /** The day above the first message of a day; author and time once for a run of messages. */
  #paintPlace({ element, day, author, meta }, entry, previous) {
    const at = entry.at ? new Date(entry.at) : null;
    const earlier = previous?.at ? new Date(previous.at) : null;
    const newDay = at && at.toDateString() !== earlier?.toDateString();
    const label = newDay ? this.#dayOf(at, earlier) : "";
    set(day, "textContent", label);
    set(day, "hidden", !label);
    const follows = !newDay && previous?.role === entry.role && (!at || !earlier || at - earlier < GROUP_MS);
    element.classList.toggle("follows", follows);
    author.classList.toggle("unseen", follows || entry.role === "customer");
    set(author, "hidden", entry.role === "system");
    set(meta, "hidden", !meta.firstChild);
  }

  /** A conversation that begins today needs no word for it. */
  #dayOf(date, earlier) {
    const today = new Date();
    const days = Math.round((new Date(today).setHours(0, 0, 0, 0) - new Date(date).setHours(0, 0, 0, 0)) / 86_400_000);
    return days === 0 ? (earlier ? this.#wording.today : "") : days === 1 ? this.#wording.yesterday : this.#calendar.format(date);
  }

  /** Not a <button>: a line may break before any button, and a mark belongs to the word before it. */
  #makeMark(message, number) {
    const label = this.#wording.source(number);
    const open = (event) => {
      if (event.type === "keydown" && event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      this.#openSource(message, number);
    };
    const mark = make("span", { class: "mark", text: String(number), role: "button", "aria-label": label, title: label, tabIndex: 0 });
    mark.addEventListener("click", open);
    mark.addEventListener("keydown", open);
    return mark;
  }

  #paintSources(message, sources) {
    message.passages.clear();
    const chips = make("div", { class: "chips" });
    const passages = sources.map((source) => {
      const id = `source-${message.entry.key}-${source.number}`;
      const chip = make(
        "button",
        { type: "button", class: "chip", "aria-expanded": "false", "aria-controls": id, onclick: () => this.#openSource(message, source.number, passage.hidden) },
        make("b", { text: String(source.number) }),
        make("span", { text: source.heading || source.document }),
      );
      const passage = make(
        "figure",
        { class: "passage", id, hidden: true },
        make("figcaption", {}, make("strong", { text: source.heading || source.document }), make("span", { text: [source.heading && source.document, source.ref].filter(Boolean).join(" · ") })),
        make("blockquote", { text: source.excerpt, dir: "auto" }),
      );
      chips.append(chip);
      message.passages.set(source.number, { chip, passage });
      return passage;
    });
    message.sources.replaceChildren(chips, ...passages);
    message.sources.hidden = sources.length === 0;
  }

  /** Shows one passage of a message at a time, or none. */
  #openSource(message, number, open = true) {
    for (const [other, { chip, passage }] of message.passages) {
      const opened = open && other === number;
      passage.hidden = !opened;
      chip.setAttribute("aria-expanded", String(opened));
      if (opened) passage.scrollIntoView({ block: "nearest" });
    }
    this.#scrolled();
  }
}
