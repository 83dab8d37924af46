/**
 * State → DOM. Builds the launcher and the panel once, then paints what changed. Text enters as text nodes only.
 * Decides nothing: what the customer does is told to `actions` (toggle, close, say, stop, person, retry, banner, more, attach,
 * drop, thumb, own, copy, hush, earlier, style: what is rarely needed is styled by a sheet of its own; passage and link, which
 * return promises).
 */

import { icon, iconButton, make, set, sizeOf } from "./dom.js";
import { parse, show } from "./text.js";

const GROUP_MS = 5 * 60_000;
const COUNTER_FROM = 200;
const NEAR_END = 48;
const NEAR_START = 80;
const PREVIEW = 140;
const WITHDRAW_MS = 15 * 60_000;

const dots = () => make("span", { class: "dots", "aria-hidden": "true" }, make("i"), make("i"), make("i"));

export class View {
  #wording;
  #actions;
  #messages = new Map();
  #entries = null;
  #limit = 4000;
  #files = 0;
  #clock;
  #calendar;

  constructor(wording, actions) {
    this.#wording = wording;
    this.#actions = actions;
    this.#clock = new Intl.DateTimeFormat(wording.locale, { hour: "2-digit", minute: "2-digit", hour12: false });
    this.#calendar = new Intl.DateTimeFormat(wording.locale, { month: "long", day: "numeric" });
    this.#build();
  }

  #build() {
    const { close, person, stop, toggle, banner, more, attach, drop, hush } = this.#actions;
    const w = this.#wording;

    this.title = make("h2", { id: "title", text: w.title });
    this.presence = make("p", { class: "presence" });
    this.moreButton = iconButton("more", w.more, more, { class: "round more", "aria-expanded": "false" });
    const header = make(
      "header",
      {},
      make("span", { class: "avatar" }, icon("spark")),
      make("div", { class: "heading" }, this.title, this.presence),
      make("button", { type: "button", class: "person", "aria-label": w.person, title: w.person, onclick: person }, icon("person"), make("span", { text: w.personShort })),
      this.moreButton,
      iconButton("down", w.close, close, { class: "round" }),
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
      (this.greeting = make("h3", { text: w.greeting, dir: "auto" })),
      this.about,
      (this.away = make("p", { class: "away" })),
      (this.questions = make("div", { class: "questions" })),
    );
    this.related = make("div", { class: "questions related", role: "group", "aria-label": w.related, hidden: true });
    /** Where what is loaded later stands: a card at the end of the conversation. */
    this.card = make("div", { class: "card", hidden: true });
    this.log = make("div", { class: "log", role: "log", "aria-live": "polite", "aria-label": w.log });
    this.statusText = make("span");
    this.status = make("div", { class: "status", role: "status", hidden: true }, dots(), this.statusText);
    this.scroller = make("div", { class: "scroller", tabIndex: 0, role: "region", "aria-label": w.log }, this.empty, this.log, this.status, this.related, this.card);
    const jump = () => {
      this.#toEnd();
      this.input.focus();
    };
    this.jump = iconButton("arrow", w.jump, jump, { class: "jump", hidden: true });
    this.scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });

    this.input = make("textarea", { id: "message", rows: 1, placeholder: w.placeholder, autocomplete: "off", enterKeyHint: "send" });
    this.input.setAttribute("aria-describedby", "counter");
    this.input.addEventListener("input", () => this.#typed());
    this.attachButton = iconButton("clip", w.attach, attach, { class: "round attach" });
    this.stopButton = iconButton("stop", w.stop, stop, { class: "round stop", hidden: true });
    this.sendButton = iconButton("send", w.send, null, { type: "submit", class: "round send", disabled: true });
    /** Files that wait to be sent. */
    this.tray = make("div", { class: "tray", hidden: true });
    this.counter = make("span", { id: "counter", class: "counter", "aria-live": "polite" });
    this.form = make(
      "form",
      { class: "composer", noValidate: true },
      make("label", { class: "unseen", for: "message", text: w.message }),
      this.tray,
      make("div", { class: "field" }, this.attachButton, this.input, this.stopButton, this.sendButton),
      make("p", { class: "foot" }, make("span", { text: w.note }), this.counter),
    );
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });

    /** The form before the chat, in place of the composer. */
    this.before = make("div", { class: "before", hidden: true });
    this.menu = make("div", { class: "menu", hidden: true });
    this.panel = make(
      "section",
      { class: "panel", id: "panel", role: "dialog", "aria-labelledby": "title", hidden: true },
      header,
      this.banner,
      this.queue,
      make("div", { class: "middle" }, this.scroller, this.jump),
      this.before,
      this.form,
      this.menu,
    );
    const hasFiles = (event) => event.dataTransfer?.types.includes("Files") && !this.attachButton.hidden && !this.form.hidden;
    this.panel.addEventListener("dragover", (event) => hasFiles(event) && event.preventDefault());
    this.panel.addEventListener("drop", (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      drop([...event.dataTransfer.files]);
    });
    this.input.addEventListener("paste", (event) => {
      const files = [...(event.clipboardData?.files ?? [])];
      if (files.length === 0 || this.attachButton.hidden) return;
      event.preventDefault();
      drop(files);
    });
    this.badge = make("span", { class: "badge", hidden: true, "aria-hidden": "true" });
    this.launcher = make(
      "button",
      { type: "button", class: "launcher", "aria-haspopup": "dialog", "aria-expanded": "false", "aria-controls": "panel", onclick: toggle },
      icon("chat"),
      icon("down"),
      (this.label = make("span", { class: "label", hidden: true })),
      this.badge,
    );
    this.previewAuthor = make("b");
    this.previewText = make("span", { dir: "auto" });
    this.preview = make(
      "div",
      { class: "preview", role: "status", hidden: true },
      make("button", { type: "button", class: "open", onclick: toggle }, this.previewAuthor, this.previewText),
      iconButton("close", w.dismiss, hush, { class: "round" }),
    );
    this.root = make("div", { class: "kefu", lang: w.lang, dir: "ltr" }, this.panel, this.preview, this.launcher);
  }

  /**
   * Paints the state: {open, unread, preview, entries, status, answering, line, agent, site, bot, title, look, offer, away,
   * banner: {kind, text, button} or null, waiting, typist, limit, related, files, pre}. `line` is the connection's state,
   * `button` the banner button's label or "", `waiting` where the customer stands in the queue or "", `typist` who is writing
   * or "", `preview` the unread entry to show beside the button or null, `related` questions to go on with, `files` how many
   * wait to be sent (-1: some are still on their way), `pre` whether the form before the chat is to be filled in first.
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
    set(this.label, "textContent", state.look.launcher ?? "");
    set(this.label, "hidden", state.open || !state.look.launcher);
    set(this.preview, "hidden", !state.preview);
    if (state.preview) {
      this.#actions.style();
      set(this.previewAuthor, "textContent", this.#authorOf(state.preview));
      set(this.previewText, "textContent", [...state.preview.text].slice(0, PREVIEW).join("") || w.unread(state.unread));
    }

    set(this.title, "textContent", state.title || state.site || w.title);
    set(this.presence, "textContent", state.line === "open" ? (state.agent ? w.withAgent : state.away ? w.alone : w.online) : state.line === "closed" ? w.off : w.connecting);
    this.presence.dataset.line = state.line === "open" && state.away && !state.agent ? "away" : state.line;
    this.bot = state.bot || w.assistant;
    this.offer = state.offer;
    set(this.greeting, "textContent", state.offer.greeting || w.greeting);
    set(this.away, "textContent", state.away);
    this.#paintQuestions(this.questions, state.pre ? [] : state.questions);
    this.#paintQuestions(this.related, state.related);
    set(this.form, "hidden", state.pre);
    set(this.before, "hidden", !state.pre);
    set(this.attachButton, "hidden", !!this.#isOff("uploads"));
    this.#files = state.files;
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

  #isOff(name) {
    return this.offer.off?.includes(name);
  }

  #paintQuestions(element, questions) {
    if (element.dataset.shown === JSON.stringify(questions)) return;
    element.dataset.shown = JSON.stringify(questions);
    element.hidden = questions.length === 0;
    element.replaceChildren(...questions.map((text) => make("button", { type: "button", text, dir: "auto", onclick: () => this.#actions.say(text) })));
  }

  #authorOf({ role, author }) {
    return { customer: this.#wording.you, agent: author || this.#wording.agent, system: "" }[role] ?? this.bot;
  }

  /** Puts `text` into the composer, ready to be sent or changed. */
  fill(text) {
    this.input.value = text;
    this.#typed();
  }

  /** Sends what the composer holds, if it may be sent. */
  submit() {
    const text = this.input.value.trim();
    if (this.#files < 0 || this.#left() < 0 || !(text || this.#files)) return;
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
    set(this.sendButton, "disabled", left < 0 || this.#files < 0 || !(this.input.value.trim() || this.#files));
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
    set(this.jump, "hidden", this.#atEnd() || !this.#entries?.length);
    if (this.scroller.scrollTop < NEAR_START && this.#entries?.length) this.#actions.earlier();
  }

  #paintEntries(entries) {
    // What is put in above must not push down what is being read.
    const above = this.#entries?.length && entries[0]?.key !== this.#entries[0].key;
    const fromEnd = this.scroller.scrollHeight - this.scroller.scrollTop;
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
    if (above) this.scroller.scrollTop = this.scroller.scrollHeight - fromEnd;
  }

  #buildMessage(entry) {
    const message = {
      day: make("p", { class: "day" }),
      author: make("p", { class: "author" }),
      bubble: make("div", { class: "bubble", dir: "auto" }),
      files: make("div", { class: "files", hidden: true }),
      sources: make("div", { class: "sources", role: "group", "aria-label": this.#wording.sources, "aria-live": "off", hidden: true }),
      meta: make("p", { class: "meta" }),
      passages: new Map(),
    };
    message.element = make("div", { class: "message" }, message.day, message.author, message.bubble, message.files, message.sources, message.meta);
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
    set(message.author, "textContent", this.#authorOf(entry));

    const sources = this.#isOff("show_sources") ? [] : entry.sources;
    const numbers = new Set(sources.map((source) => source.number));
    set(message.bubble, "hidden", !entry.text && !entry.deleted);
    const streaming = entry.state === "streaming";
    if (before?.text !== entry.text || before?.state !== entry.state || before?.sources !== entry.sources) {
      const text = this.#isOff("show_sources") && entry.role === "bot" ? entry.text.replace(/ ?\[\d{1,2}\]/g, "") : entry.text;
      const blocks = parse(entry.deleted ? w.withdrawn : text, { plain: entry.role === "customer", isSource: (number) => streaming || numbers.has(number) });
      show(message.bubble, blocks, (number) => this.#makeMark(message, number));
      if (blocks.some(({ tag }) => tag === "pre" || tag === "table") || text.includes("`")) this.#actions.style();
    }
    if (JSON.stringify(before?.files ?? []) !== JSON.stringify(entry.files)) this.#paintFiles(message.files, entry.files);
    if (JSON.stringify(before?.sources ?? []) !== JSON.stringify(entry.sources)) this.#paintSources(message, sources);
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
    if (entry.role === "bot" && entry.state === "sent" && entry.id) parts.push(...this.#tools(entry));
    if (entry.role === "customer" && entry.state === "sent" && !entry.deleted && Date.now() - new Date(entry.at) < WITHDRAW_MS) {
      parts.push(iconButton("more", w.change, () => this.#actions.own(entry), { class: "tool own" }));
    }
    meta.setAttribute("aria-live", entry.state === "failed" ? "polite" : "off");
    meta.replaceChildren(...parts);
  }

  /** Copy, and thumbs under what answers a question. */
  #tools(entry) {
    const w = this.#wording;
    const { thumb, copy } = this.#actions;
    const tools = [];
    if (navigator.clipboard) {
      const button = iconButton("copy", w.copy, async () => {
        await copy(entry);
        button.classList.add("done");
        button.ariaLabel = button.title = w.copied;
      }, { class: "tool" });
      tools.push(button);
    }
    if (/^(faq|answered)$/.test(entry.outcome) && !this.#isOff("feedback")) {
      const thumbs = [[true, "up", w.helpful], [false, "up down", w.unhelpful]].map(([helpful, name, label]) =>
        iconButton("up", label, () => thumb(entry, helpful), { class: `tool ${name}`, "aria-pressed": String(entry.thumb === helpful) }),
      );
      tools.push(...thumbs);
    }
    return tools;
  }

  #paintFiles(element, files) {
    if (files.length > 0) this.#actions.style();
    element.hidden = files.length === 0;
    element.replaceChildren(
      ...files.map((file) => {
        const open = async (event) => {
          if (!file.url) return event.preventDefault();
          if (link.dataset.fresh) return delete link.dataset.fresh;
          // An address lasts five minutes: a fresh one each time.
          event.preventDefault();
          link.href = await this.#actions.link(file);
          link.dataset.fresh = "1";
          link.click();
        };
        const link = make("a", { href: file.url ?? "#", target: "_blank", rel: "noopener", onclick: open }, icon("file"), make("span", { text: file.name }), make("small", { text: sizeOf(file.size) }));
        return link;
      }),
    );
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
        make("blockquote", { text: source.excerpt, dir: "auto", tabIndex: 0 }),
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
      if (!opened) continue;
      passage.scrollIntoView({ block: "nearest" });
      if (passage.dataset.whole) continue;
      passage.dataset.whole = "asked";
      this.#actions.passage(message.entry.id, number).then(
        ({ text }) => {
          if (text) set(passage.querySelector("blockquote"), "textContent", text);
          passage.scrollIntoView({ block: "nearest" });
        },
        () => delete passage.dataset.whole, // The excerpt stays; it is asked for again when it is opened again.
      );
    }
    this.#scrolled();
  }
}
