/**
 * <kefu-chat>: a customer-service chat for any page. kefu.js makes one; a page may also write the tag itself.
 *
 * Attributes
 *   data-key        the site's key (required)
 *   data-language   "zh", "zh-hant" or "en"; default: the page's <html lang>, then the browser's language
 *   data-position   "right" or "left"; default: as the site says, else right
 *   data-colour     brand colour, any CSS colour; texts on it and in it are made readable. Also: CSS variable --kefu-colour
 *   data-theme      "auto" (as the customer's system), "light" or "dark"; default: as the site says, else auto
 *   data-launcher   text beside the button's icon; default: as the site says, else none
 *   data-open       open when the page has loaded (not on a phone, not after the customer has closed it)
 *   data-title      title of the panel; default: the site's name
 *   data-questions  suggested first questions, separated by |; default: the site's
 *   data-user-token what the site's server signed about its user (README, Known users)
 *   data-server     origin of the Kefu server; default: the origin of this file
 * Language, title, questions, server and key are read once (but see setLocale), the others when they change.
 *
 * Methods     open() · close() · toggle() · fill(text): opens with `text` in the composer · say(text): opens and sends
 *             setUser(token), "" on logging out: what a former user has not sent yet is dropped · setLocale(language)
 *             reset(): forgets this browser's conversation and begins a new one
 * Properties  isOpen, unread (both read-only)
 * Events      kefu:ready · kefu:open · kefu:close · kefu:message (detail: {id, role, restored}; no text)
 *             kefu:unread (detail: {count}) · kefu:rated (detail: {score}) · kefu:user-refused (detail: {code}) – they bubble
 *
 * Connects when first opened, or at once when the customer has said something within the last day or has yet to be heard.
 * A page with a content security policy allows Kefu's origin in script-src, style-src and connect-src (https and wss), no more.
 * Errors in here are logged to the console and never reach the page.
 */

import { palette } from "./colour.js";
import { Connection, makeId } from "./connection.js";
import { Store } from "./store.js";
import { Transcript } from "./transcript.js";
import { View } from "./view.js";

const DAY_MS = 86_400_000;
const CONFIRM_MS = 20_000;
const STATUS_MS = 60_000;
const CALM_MS = 800;
const TYPING_MS = 6000;
const LOOK_MS = 3000;
const LIMIT = 4000;
const SHOWN = 200;
const PHONE = "(max-width: 480px), (max-height: 420px)";
const ENDS = /^(ended|left|expired)$/;

/** The same function, but what goes wrong in it is logged and goes no further. */
function guarded(action) {
  return (...values) => {
    try {
      const result = action(...values);
      result?.catch?.(warn);
      return result;
    } catch (error) {
      warn(error);
    }
  };
}

const warn = (error) => console.warn("Kefu:", error);

/** "zh-hans", "zh-hant" or "en": the first of the language tags that is given decides; all but Chinese reads English. */
export function pickLanguage(...tags) {
  const tag = tags.find(Boolean)?.toLowerCase() ?? "";
  return /^zh.*-(hant|tw|hk|mo)/.test(tag) ? "zh-hant" : tag.startsWith("zh") ? "zh-hans" : "en";
}

export class KefuChat extends HTMLElement {
  static observedAttributes = ["data-position", "data-colour", "data-theme", "data-launcher"];

  #view = null;
  #words;
  #language;
  #connection;
  #transcript = new Transcript();
  #store;
  #session;
  #server;
  #beginning = null;
  #isReady;
  #ready = new Promise((resolve) => (this.#isReady = resolve));
  #listening = null;
  #isOpen = false;
  #isFocused = false;
  #read = 0;
  #restored = 0;
  #limit = LIMIT;
  #look = {};
  #offer = {};
  #mail = false;
  #away = "";
  #conversation = "";
  #form = null;
  #related = null;
  #tray = null;
  #trayNow = null;
  #styled = null;
  #isStyled = false;
  #counted = 0;
  #extras = null;
  #more = null;
  #degraded = false;
  #notice = "";
  #restless = false;
  #statusTimer = 0;
  #waiting = "";
  #typist = "";
  #typingTimer = 0;
  #title = null;
  #told = 0;
  #painting = false;
  #phone = matchMedia(PHONE);
  #dark = matchMedia("(prefers-color-scheme: dark)");

  get isOpen() {
    return this.#isOpen;
  }

  get unread() {
    return this.#transcript.unread(this.#read);
  }

  open() {
    this.#then(() => this.#open());
  }

  close() {
    this.#then(() => this.#close());
  }

  toggle() {
    this.#then(() => (this.#isOpen ? this.#close() : this.#open()));
  }

  fill(text) {
    this.#then(() => {
      this.#open();
      this.#view.fill(String(text));
      this.#view.input.setSelectionRange(this.#view.input.value.length, this.#view.input.value.length);
    });
  }

  say(text) {
    this.#then(() => {
      this.#open();
      this.#say(String(text));
    });
  }

  /** The site's user from now on, "" for nobody. */
  setUser(token) {
    this.#then(() => {
      this.dataset.userToken = token ?? "";
      this.#meetUser();
      if (this.#connection.state === "idle") return;
      this.#connection.stop();
      this.#connection.start();
      this.#paint();
    });
  }

  setLocale(language) {
    this.#then(async () => {
      this.dataset.language = language;
      const draft = this.#view.input.value;
      await this.#speak();
      this.#listen();
      this.#view.fill(draft);
      this.#dress();
      this.#paintNow();
      if (this.#connection.state === "idle") return;
      this.#connection.stop();
      this.#connection.start();
    });
  }

  reset() {
    this.#then(() => {
      this.#connection.stop();
      this.#forget(true);
      const look = this.#store.get("look");
      this.#store.clear();
      this.#store.set({ look, user: subjectOf(this.dataset.userToken) });
      this.#view.fill("");
      if (this.#isOpen) this.#connection.start();
      this.#paint();
    });
  }

  connectedCallback() {
    guarded(async () => {
      await (this.#beginning ??= this.#begin());
      if (!this.isConnected) return;
      this.#listen();
      this.#dress();
      this.#isReady();
      this.#styled.then(guarded(() => this.#reveal()));
      const wanted = this.#session.get("open") ?? this.hasAttribute("data-open");
      if (wanted && !this.#phone.matches) this.#open({ focus: false });
      const lately = Date.now() - (this.#store.get("said") ?? 0) < DAY_MS;
      if (this.#isOpen || lately || this.#transcript.unsent().length > 0) this.#connection.start();
      this.#paint();
    })();
  }

  disconnectedCallback() {
    guarded(() => {
      this.#listening?.abort();
      this.#connection?.stop();
      this.#callBack();
    })();
  }

  attributeChangedCallback() {
    if (this.#view) guarded(() => this.#dress())();
  }

  #then(action) {
    this.#ready.then(guarded(action));
  }

  async #begin() {
    this.#server = new URL(this.dataset.server ?? import.meta.url, import.meta.url);
    const socket = new URL("/ws/chat/", this.#server);
    socket.protocol = socket.protocol === "https:" ? "wss:" : "ws:";
    const place = `kefu:${this.#server.host}:${this.dataset.key ?? ""}`;
    this.#store = new Store("localStorage", place);
    this.#session = new Store("sessionStorage", place);
    this.#read = this.#store.get("read") ?? 0;
    this.#remember();
    this.#meetUser();
    this.#connection = new Connection(socket.href, {
      hello: () => ({
        type: "hello",
        protocol: 1,
        key: this.dataset.key ?? "",
        token: this.#store.get("token") ?? "",
        after: this.#transcript.seq,
        language: this.#language === "zh-hans" ? "zh" : this.#language,
        ...this.#user(),
      }),
      onEvent: guarded((event) => this.#receive(event)),
      onState: guarded(() => this.#lineChanged()),
    });
    const style = this.#sheet("style.css");
    this.#styled = new Promise((styled) => style.addEventListener("load", styled));
    this.attachShadow({ mode: "open" }).append(style);
    await this.#speak();
    const known = this.#store.get("look");
    const fresh = this.#fetchLook();
    this.#look = known ?? (await fresh);
    fresh.then(guarded((look) => {
      this.#look = look;
      this.#dress();
      this.#paint();
    }));
    this.#tell("kefu:ready");
  }

  /** How the site wants the closed chat to look; {} when that cannot be learnt. */
  async #fetchLook() {
    try {
      const address = new URL(`/look/${encodeURIComponent(this.dataset.key ?? "")}/?language=${this.#language}`, this.#server);
      const response = await fetch(address, { credentials: "omit", signal: AbortSignal.timeout?.(LOOK_MS) });
      const look = response.ok ? await response.json() : {};
      this.#store.set({ look });
      return look;
    } catch {
      return this.#store.get("look") ?? {};
    }
  }

  /** Loads the words of the language that is wanted, and builds the view with them. */
  async #speak() {
    this.#language = pickLanguage(this.dataset.language, document.documentElement.lang, navigator.language);
    this.#words = (await import(`./words/${this.#language}.js`)).default;
    const old = this.#view?.root;
    this.#view = new View(this.#words, {
      toggle: guarded(() => (this.#isOpen ? this.#close() : this.#open())),
      close: guarded(() => this.#close()),
      say: guarded((text) => this.#say(text)),
      person: guarded(() => {
        this.#say(this.#words.personText);
        this.#view.input.focus();
      }),
      stop: guarded(() => this.#connection.send({ type: "stop" })),
      retry: guarded((key) => {
        this.#transcript.retry(key);
        this.#keep(key);
        this.#flush();
        this.#view.input.focus();
      }),
      banner: guarded(() => {
        if (this.#connection.state === "closed") this.#connection.start();
        else if (this.#connection.state === "reconnecting") this.#connection.wake();
        this.#notice = "";
        this.#paint();
      }),
      hush: guarded(() => {
        this.#session.set({ hushed: this.#transcript.seq });
        this.#paint();
      }),
      style: guarded(() => this.#styleExtras()),
      earlier: guarded(() => this.#loadEarlier()),
      copy: ({ text }) => navigator.clipboard.writeText(text.replace(/ ?\[\d{1,2}\]/g, "")),
      passage: (message, number) => this.#connection.ask({ type: "passage", message, number }),
      link: async ({ id, url }) => {
        const fresh = await this.#connection.ask({ type: "link", file: id }).catch(() => ({ url }));
        return new URL(fresh.url, this.#server).href;
      },
      thumb: guarded(async (entry, helpful) => (await this.#load()).thumb(entry, helpful)),
      own: guarded(async (entry) => (await this.#load()).own(entry)),
      more: guarded(async () => (await this.#load()).menu()),
      attach: guarded(async () => (await this.#loadTray()).choose()),
      drop: guarded(async (files) => (await this.#loadTray()).add(files)),
    });
    this.#extras = this.#tray = this.#trayNow = this.#form = null;
    this.#view.root.hidden = !this.#isStyled;
    if (old) old.replaceWith(this.#view.root);
    else this.shadowRoot.append(this.#view.root);
  }

  #sheet(name) {
    const style = document.createElement("link");
    style.rel = "stylesheet";
    style.href = new URL(name, import.meta.url).href;
    style.addEventListener("error", () => console.warn("Kefu: a style sheet could not be loaded."));
    return style;
  }

  /** Nothing is seen of the chat before its style sheet is there. */
  #reveal() {
    this.#isStyled = true;
    this.#view.root.hidden = false;
    this.#dress();
    this.#paintNow();
    if (this.#isOpen) this.#view.scroller.scrollTop = this.#view.scroller.scrollHeight;
  }

  /** Loads a part that is rarely needed, with its words and styles. */
  #later(part) {
    this.#styleExtras();
    return Promise.all([import(`./${part}.js`), import(`./words/${this.#language}-later.js`).then((words) => words.default)]);
  }

  /** What is rarely needed: menu, thumbs' reasons, ratings, transcripts, sound. */
  #load() {
    return (this.#extras ??= this.#later("extras").then(([{ Extras }, words]) => {
      return new Extras(this.#view, words, {
        ask: (frame) => this.#connection.ask(frame),
        send: (frame) => this.#connection.send(frame),
        isAnswered: ({ seq }) => this.#transcript.entries.some((entry) => /bot|agent/.test(entry.role) && entry.seq > seq),
        paint: () => this.#paint(),
        get: (name) => this.#store.get(name),
        set: (values) => this.#store.set(values),
        mark: (key, changes) => this.#transcript.note(key, changes),
        rated: guarded((score) => {
          this.#store.put("rated", { [this.#conversation]: this.#transcript.seq });
          this.#tell("kefu:rated", { score });
        }),
        canMail: () => this.#mail,
        isOff: (name) => !!this.#offer.off?.includes(name),
        isQuiet: () => this.#isQuiet(),
        canRate: () => this.#transcript.entries.some(({ role }) => role === "bot" || role === "agent"),
      });
    }));
  }

  #loadTray() {
    return (this.#tray ??= this.#later("files").then(([{ Tray }, words]) => {
      return (this.#trayNow = new Tray(this.#view.tray, words, {
        address: new URL("/files/", this.#server).href,
        headers: () => ({
          Authorization: `Bearer ${this.#store.get("token") ?? ""}`,
          "X-Kefu-Key": this.dataset.key ?? "",
          "Accept-Language": this.#words.locale,
        }),
        changed: guarded(() => this.#paint()),
      }));
    }));
  }

  #styleExtras() {
    if (!this.shadowRoot.querySelector("link + link")) this.shadowRoot.firstElementChild.after(this.#sheet("extras.css"));
  }

  #listen() {
    this.#listening?.abort();
    this.#listening = new AbortController();
    const { signal } = this.#listening;
    const on = (target, names, handle) => {
      for (const name of names) target?.addEventListener(name, guarded(handle), { signal });
    };
    on(this.#view.root, ["keydown", "keyup", "keypress"], (event) => this.#key(event));
    on(globalThis, ["online", "offline"], () => {
      this.#connection.wake();
      this.#paint();
    });
    on(globalThis, ["storage"], (event) => this.#store.isMeant(event) && this.#follow());
    on(document, ["visibilitychange"], () => {
      if (!document.hidden) {
        this.#connection.wake();
        this.#callBack();
      }
      this.#paint();
    });
    on(this.#dark, ["change"], () => this.#dress());
    on(this.#phone, ["change"], () => this.#dress());
    // A phone's keyboard covers the page without resizing it.
    on(globalThis.visualViewport, ["resize", "scroll"], () => {
      const { style } = this.#view.root;
      style.setProperty("--height", `${visualViewport.height}px`);
      style.setProperty("--top", `${visualViewport.offsetTop}px`);
    });
  }

  /** Another tab has read or said something, or begun the conversation that both should be in. */
  #follow() {
    this.#store.refresh();
    this.#read = Math.max(this.#read, this.#store.get("conversation") === this.#conversation ? (this.#store.get("read") ?? 0) : 0);
    const strange = this.#conversation && this.#store.get("conversation") && this.#store.get("conversation") !== this.#conversation;
    if (strange && this.#transcript.entries.length === 0 && this.#connection.state === "open") {
      this.#connection.stop();
      this.#connection.start();
    }
    this.#paint();
  }

  /** Position, theme and colours. */
  #dress() {
    const { root } = this.#view;
    const wanted = this.dataset.theme ?? this.#look.theme;
    const theme = wanted === "light" || wanted === "dark" ? wanted : this.#dark.matches ? "dark" : "light";
    root.dataset.theme = theme;
    root.dataset.position = (this.dataset.position ?? this.#look.side) === "left" ? "left" : "right";
    this.#view.panel.setAttribute("aria-modal", String(this.#phone.matches));
    const colour = this.dataset.colour ?? this.#look.colour;
    if (colour && CSS.supports("color", colour)) root.style.setProperty("--brand", colour);
    else root.style.removeProperty("--brand");
    const brand = getComputedStyle(this.#view.launcher).backgroundColor.match(/\d+(\.\d+)?/g)?.slice(0, 3).map(Number);
    if (brand?.length !== 3) return;
    const { on, ink } = palette(brand, theme);
    root.style.setProperty("--on-brand", on);
    root.style.setProperty("--ink", ink);
  }

  #key(event) {
    // The page's own shortcuts would take every letter typed here for theirs.
    event.stopPropagation();
    if (event.type !== "keydown") return;
    // Enter and Escape belong to the input method while it composes; Safari says so only by the key code.
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === "Escape" && this.#isOpen) {
      event.preventDefault();
      if (this.#view.menu.hidden) this.#close();
      else this.#load().then((extras) => extras.menu(false));
    } else if (event.key === "Enter" && !event.shiftKey && event.target === this.#view.input) {
      event.preventDefault();
      this.#view.submit();
    } else if (event.key === "Tab" && this.#isOpen && this.#phone.matches) {
      this.#keepInside(event);
    }
  }

  /** The panel covers the whole screen of a phone: Tab must not wander off behind it. */
  #keepInside(event) {
    const reachable = [...this.#view.panel.querySelectorAll("button, input, select, textarea, a[href], [tabindex]")].filter(
      (element) => !element.disabled && element.checkVisibility?.() !== false,
    );
    const edge = event.shiftKey ? reachable[0] : reachable.at(-1);
    if (this.shadowRoot.activeElement !== edge) return;
    event.preventDefault();
    (event.shiftKey ? reachable.at(-1) : reachable[0]).focus();
  }

  #open({ focus = true } = {}) {
    const opened = !this.#isOpen;
    this.#isOpen = true;
    if (opened) {
      this.#session.set({ open: true });
      this.#connection.start();
      this.#paintNow();
      this.#view.scroller.scrollTop = this.#view.scroller.scrollHeight;
      this.#tell("kefu:open");
    }
    this.#isFocused = focus;
    if (focus) (this.#form?.first ?? this.#view.input).focus();
  }

  #close() {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#session.set({ open: false });
    this.#paintNow();
    this.#view.launcher.focus();
    this.#tell("kefu:close");
  }

  #say(text) {
    const clean = text.replace(/\p{Surrogate}/gu, "\ufffd").trim(); // half a character is no JSON
    const files = this.#trayNow?.take() ?? [];
    if (!clean && files.length === 0) return;
    const id = makeId();
    this.#transcript.say(id, clean, new Date().toISOString(), files);
    this.#keep(id);
    this.#notice = "";
    this.#related = null;
    this.#store.set({ said: Date.now() });
    this.#flush();
  }

  /** Sends, in order, what has not been sent on this line. */
  #flush() {
    for (const { key, text, files, state } of this.#transcript.unsent()) {
      const frame = { type: "say", id: key, text, ...(files.length > 0 && { files: files.map(({ id }) => id) }) };
      if (state !== "queued" || !this.#connection.send(frame)) continue;
      const entry = this.#transcript.sending(key);
      setTimeout(guarded(() => {
        if (this.#transcript.find(key) !== entry || this.#connection.state !== "open") return;
        this.#transcript.fail(key, this.#words.unconfirmed);
        this.#paint();
      }), CONFIRM_MS);
    }
    this.#paint();
  }

  /** Keeps what the customer has said until the server has it, over pages and restarts of the browser. */
  #keep(key) {
    const { text, at, files, state } = this.#transcript.find(key) ?? { state: "sent" };
    this.#store.put("queue", { [key]: state === "sent" ? undefined : { text, at, files, failed: state === "failed" } });
  }

  #remember() {
    const queue = Object.entries(this.#store.get("queue") ?? {}).sort(([, one], [, other]) => (one.at < other.at ? -1 : 1));
    for (const [id, { text, at, files, failed }] of queue) {
      if (Date.now() - new Date(at) < DAY_MS) this.#transcript.say(id, text, at, files);
      else this.#keep(id);
      if (failed) this.#transcript.fail(id, "");
    }
  }

  #receive(event) {
    if (event.type === "welcome") this.#welcome(event);
    else if (event.type === "service") this.#degraded = event.state === "degraded";
    else if (event.type === "error") this.#error(event);
    else if (event.type === "waiting") this.#waiting = event.text;
    else if (event.type === "typing") this.#types(event.author);
    else if (this.#transcript.receive(event)) this.#news(event);
    this.#paint();
  }

  #user() {
    const user = this.dataset.userToken;
    if (!user) return {};
    const device = this.#store.get("device") ?? makeId();
    this.#store.set({ device });
    return { user, device };
  }

  /**
   * Whose words these are: what a user has not sent yet must not go into somebody else's conversation. What nobody in
   * particular has said is theirs to send again who now logs in; what a user has said is dropped.
   */
  #meetUser() {
    const user = subjectOf(this.dataset.userToken);
    const before = this.#store.get("user") ?? "";
    if (user === before) return;
    for (const { key } of this.#transcript.unsent()) {
      this.#transcript.fail(key, "");
      this.#keep(key);
    }
    this.#store.set({ user, ...(before && { queue: {} }) });
    this.#forget(before !== "");
    if (!before) return;
    this.#trayNow?.clear();
    this.#view?.fill("");
  }

  /** This is another conversation. */
  #forget(all) {
    this.#transcript.forget(all);
    this.#read = 0;
    this.#related = this.#more = null;
    this.#waiting = "";
    if (this.#view) this.#view.card.hidden = true;
  }

  #welcome(event) {
    if (event.fresh) this.#forget(false);
    this.#conversation = event.conversation;
    this.#restored = event.seq ?? 0;
    if (event.limit > 0) this.#limit = event.limit;
    this.#notice = "";
    this.#waiting = "";
    this.#offer = event.widget ?? {};
    this.#mail = !!event.mail;
    this.#away = event.away ?? "";
    const { conversation, token, site, bot } = event;
    this.#store.set({ conversation, token, read: this.#read, site, bot });
    this.#prepareForm();
    this.#transcript.requeue();
    this.#flush();
  }

  /** The form before the chat, unless this customer has filled it in or has begun to talk. */
  #prepareForm() {
    const fields = this.#offer.form;
    const begun = this.#transcript.entries.length > 0 || this.#restored > 0;
    if (!fields || begun || this.#store.get("asked") === this.#conversation) this.#form = null;
    else if (!this.#form) {
      this.#form = {};
      this.#later("form").then(guarded(([{ Form }, words]) => {
        if (!this.#form) return;
        this.#form = new Form(this.#view.before, fields, words, async (values) => {
          await this.#connection.ask({ type: "profile", values });
          this.#store.set({ asked: this.#conversation });
          this.#form = null;
          this.#paintNow();
          this.#view.input.focus();
        });
        this.#paintNow();
        if (this.#isOpen && this.#isFocused && !this.shadowRoot.activeElement) this.#form.first.focus();
      }), () => {
        this.#form = null;
        this.#paint();
      });
    }
  }

  #error(event) {
    const said = this.#transcript.find(event.id);
    if (said && said.state !== "sent") {
      this.#transcript.fail(event.id, event.message, event.retry_after ?? 0);
      this.#keep(event.id);
    } else this.#notice = event.message || this.#words.closed;
    if (/^user_/.test(event.code)) this.#tell("kefu:user-refused", { code: event.code });
  }

  /** Whoever stops writing says nothing. */
  #types(author) {
    this.#typist = author;
    clearTimeout(this.#typingTimer);
    this.#typingTimer = setTimeout(guarded(() => {
      this.#typist = "";
      this.#paint();
    }), TYPING_MS);
  }

  #news(event) {
    clearTimeout(this.#statusTimer);
    if (this.#transcript.answering) {
      // A status that nothing follows is stale: a typing indicator must not run for ever.
      this.#statusTimer = setTimeout(guarded(() => {
        this.#transcript.settle();
        this.#paint();
      }), STATUS_MS);
    }
    if (event.type !== "message") return;
    const { id, client_id: own, role, outcome } = event.message;
    const restored = event.seq <= this.#restored;
    this.#form = null;
    if (role === "customer") {
      if (own && this.#store.get("queue")?.[own]) this.#store.put("queue", { [own]: undefined });
      this.#related = null;
    } else {
      this.#typist = "";
      const thumb = this.#store.get("thumbs")?.[id];
      if (thumb !== undefined) this.#transcript.note(id, { thumb });
      if (!restored) this.#notify();
      if (!restored && this.#isOpen && role === "bot" && /^(faq|answered)$/.test(outcome)) this.#relate(id);
      this.#askToRate(event);
    }
    this.#tell("kefu:message", { id, role, restored });
  }

  /** Questions to go on with; where there are none, or they cannot be had, nothing is said of it. */
  #relate(id) {
    if (this.#offer.off?.includes("follow_ups")) return;
    this.#connection.ask({ type: "related", message: id }).then(
      guarded(({ questions }) => {
        if (this.#transcript.entries.at(-1)?.id !== id) return;
        this.#related = { id, questions };
        this.#paint();
      }),
      () => {},
    );
  }

  /** When an agent has ended the conversation, unless the customer has rated it or gone on since. */
  #askToRate({ seq, message }) {
    if (message.role !== "system" || !ENDS.test(message.reason) || this.#offer.off?.includes("csat")) return;
    if ((this.#store.get("rated")?.[this.#conversation] ?? 0) >= seq) return;
    this.#load().then(guarded((extras) => {
      if (this.#transcript.entries.at(-1)?.id === message.id) extras.askToRate();
    }), warn);
  }

  #isQuiet() {
    const wanted = this.#store.get("sound");
    return wanted === undefined ? !this.#offer.sound : !wanted;
  }

  /** Whoever looks elsewhere is told in the tab's title, and by a sound if they like. */
  #notify() {
    if (this.#isOpen && !document.hidden) return;
    if (!this.#isQuiet()) this.#load().then((extras) => extras.ring(), warn);
    if (!document.hidden) return;
    this.#told += 1;
    if (document.title !== this.#title?.shown) this.#title = { own: document.title };
    this.#title.shown = document.title = `(${this.#told}) ${this.#title.own}`;
  }

  #callBack() {
    if (this.#title && document.title === this.#title.shown) document.title = this.#title.own;
    this.#title = null;
    this.#told = 0;
  }

  async #loadEarlier() {
    const { entries } = this.#transcript;
    const isMore = this.#more ?? entries.filter(({ seq }) => seq > 0).length >= SHOWN;
    if (!isMore || this.#connection.state !== "open") return;
    this.#more = false; // until it is answered
    const answer = await this.#connection.ask({ type: "earlier", before: entries[0].id }).catch(() => null);
    if (answer && this.#transcript.find(entries[0].key)) {
      this.#transcript.prepend(answer.messages);
      this.#more = answer.more;
      this.#paint();
    } else this.#more = null;
  }

  #lineChanged() {
    const { state } = this.#connection;
    this.#restless = false;
    if (state === "connecting" || state === "reconnecting") {
      setTimeout(guarded(() => {
        this.#restless = this.#connection.state !== "open";
        this.#paint();
      }), CALM_MS);
    }
    this.#paint();
  }

  #banner() {
    const w = this.#words;
    const { state } = this.#connection;
    if (state === "closed") return { kind: "error", text: this.#notice || w.closed, button: w.tryAgain };
    if (!navigator.onLine && state !== "open") return { kind: "warning", text: w.offline, button: "" };
    if (this.#restless && state === "reconnecting") return { kind: "warning", text: this.#notice || w.reconnecting, button: w.tryAgain };
    if (this.#restless && state === "connecting") return { kind: "info", text: w.connecting, button: "" };
    if (this.#notice) return { kind: "error", text: this.#notice, button: w.dismiss };
    if (this.#degraded && state === "open") return { kind: "warning", text: w.degraded, button: "" };
    return null;
  }

  /** Repaints once for all that happens in one go. */
  #paint() {
    if (this.#painting) return;
    this.#painting = true;
    queueMicrotask(guarded(() => {
      this.#painting = false;
      this.#paintNow();
    }));
  }

  #paintNow() {
    if (!this.#view) return;
    const transcript = this.#transcript;
    if (this.#isOpen && !document.hidden && transcript.seq > this.#read) {
      this.#read = transcript.seq;
      this.#store.set({ read: this.#read });
    }
    const { unread } = this;
    if (unread !== this.#counted) this.#tell("kefu:unread", { count: unread });
    this.#counted = unread;
    const hushed = (this.#session.get("hushed") ?? 0) >= transcript.seq;
    this.#view.paint({
      open: this.#isOpen,
      unread,
      preview: !this.#isOpen && unread && !hushed ? transcript.entries.findLast(({ role, state }) => role !== "customer" && state === "sent") : null,
      entries: transcript.entries,
      status: transcript.status,
      answering: transcript.answering,
      line: this.#connection.state,
      agent: transcript.entries.findLast(({ role, reason }) => /bot|agent/.test(role) || ENDS.test(reason))?.role === "agent",
      title: this.dataset.title,
      site: this.#store.get("site"),
      bot: this.#store.get("bot") || "",
      look: { launcher: this.dataset.launcher ?? this.#look.launcher },
      offer: this.#offer,
      questions: this.dataset.questions?.split("|").map((text) => text.trim()).filter(Boolean) ?? this.#offer.questions ?? [],
      related: this.#related && transcript.entries.at(-1)?.id === this.#related.id ? this.#related.questions : [],
      files: this.#trayNow?.waiting ?? 0,
      pre: this.#form !== null && transcript.entries.length === 0,
      away: this.#away,
      waiting: this.#waiting,
      typist: this.#typist,
      banner: this.#banner(),
      limit: this.#limit,
    });
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }
}

/** Whom a signed token is about: its `sub`; a token that cannot be read is somebody of its own. */
function subjectOf(token) {
  if (!token) return "";
  try {
    const payload = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    return String(JSON.parse(atob(payload)).sub ?? token);
  } catch {
    return token;
  }
}

if (!customElements.get("kefu-chat")) customElements.define("kefu-chat", KefuChat);
