/**
 * <kefu-chat>: a customer-service chat for any page. kefu.js makes one; a page may also write the tag itself.
 *
 * Attributes
 *   data-key        the site's key (required)
 *   data-language   "zh" or "en"; default: the page's <html lang>, then the browser's language
 *   data-position   "right" (default) or "left"
 *   data-colour     brand colour, any CSS colour; texts on it and in it are made readable. Also: CSS variable --kefu-colour
 *   data-theme      "auto" (default: as the customer's system), "light" or "dark"
 *   data-open       open when the page has loaded (not on a phone, not after the customer has closed it)
 *   data-title      title of the panel; default: the site's name as the server gives it
 *   data-questions  suggested first questions, separated by |
 *   data-user-token what the site's server signed about its user (README, Known users)
 *   data-server     origin of the Kefu server; default: the origin of this file
 * Language, title, questions, server and key are read once, the others when they change.
 *
 * Methods     open() · close() · toggle() · fill(text): opens with `text` in the composer · say(text): opens and sends · setUser(token)
 * Properties  isOpen, unread (both read-only)
 * Events      kefu:open · kefu:close · kefu:message (detail: {id, role, restored}; no text) · kefu:user-refused (detail: {code}) – they bubble
 *
 * Connects when first opened, or at once when the customer has said something within the last day.
 * Errors in here are logged to the console and never reach the page.
 */

import { palette } from "./colour.js";
import { Connection } from "./connection.js";
import { Store } from "./store.js";
import { Transcript } from "./transcript.js";
import { View } from "./view.js";
import { pickLanguage, wordingOf } from "./wording.js";

const DAY_MS = 86_400_000;
const CONFIRM_MS = 20_000;
const STATUS_MS = 60_000;
const CALM_MS = 800;
const TYPING_MS = 6000;
const LIMIT = 4000;
const PHONE = "(max-width: 480px), (max-height: 420px)";

/** The same function, but what goes wrong in it is logged and goes no further. */
function guarded(action) {
  return (...values) => {
    try {
      return action(...values);
    } catch (error) {
      console.warn("Kefu:", error);
    }
  };
}

export class KefuChat extends HTMLElement {
  static observedAttributes = ["data-position", "data-colour", "data-theme"];

  #view = null;
  #wording;
  #language;
  #connection;
  #transcript = new Transcript();
  #store;
  #session;
  #listening = null;
  #isOpen = false;
  #read = 0;
  #restored = 0;
  #limit = LIMIT;
  #degraded = false;
  #notice = "";
  #restless = false;
  #statusTimer = 0;
  #waiting = "";
  #typist = "";
  #typingTimer = 0;
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
    guarded(() => this.#open())();
  }

  close() {
    guarded(() => this.#close())();
  }

  toggle() {
    if (this.#isOpen) this.close();
    else this.open();
  }

  fill(text) {
    guarded(() => {
      this.#open();
      this.#view.fill(String(text));
      this.#view.input.setSelectionRange(this.#view.input.value.length, this.#view.input.value.length);
    })();
  }

  say(text) {
    guarded(() => {
      this.#open();
      this.#say(String(text));
    })();
  }

  /** The site's user from now on, "" for nobody. */
  setUser(token) {
    guarded(() => {
      this.dataset.userToken = token ?? "";
      if (!this.#connection || this.#connection.state === "idle") return;
      this.#connection.stop();
      this.#connection.start();
    })();
  }

  connectedCallback() {
    guarded(() => {
      if (!this.#view) this.#build();
      this.#listen();
      this.#dress();
      const wanted = this.#session.get("open") ?? this.hasAttribute("data-open");
      if (wanted && !this.#phone.matches) this.#open({ focus: false });
      if (this.#isOpen || Date.now() - (this.#store.get("said") ?? 0) < DAY_MS) this.#connection.start();
      this.#paint();
    })();
  }

  disconnectedCallback() {
    guarded(() => {
      this.#listening.abort();
      this.#connection.stop();
    })();
  }

  attributeChangedCallback() {
    if (this.#view) guarded(() => this.#dress())();
  }

  #build() {
    const server = new URL(this.dataset.server ?? import.meta.url, import.meta.url);
    const socket = new URL("/ws/chat/", server);
    socket.protocol = socket.protocol === "https:" ? "wss:" : "ws:";
    const place = `kefu:${server.host}:${this.dataset.key ?? ""}`;
    this.#store = new Store("localStorage", place);
    this.#session = new Store("sessionStorage", place);
    this.#read = this.#store.get("read") ?? 0;

    this.#language = pickLanguage(this.dataset.language, document.documentElement.lang, navigator.language);
    this.#wording = wordingOf(this.#language);
    this.#connection = new Connection(socket.href, {
      hello: () => ({
        type: "hello",
        protocol: 1,
        key: this.dataset.key ?? "",
        token: this.#store.get("token") ?? "",
        after: this.#transcript.seq,
        language: this.#language,
        ...this.#user(),
      }),
      onEvent: guarded((event) => this.#receive(event)),
      onState: guarded(() => this.#lineChanged()),
    });
    this.#view = new View(this.#wording, {
      language: this.#language,
      questions: (this.dataset.questions ?? "").split("|").map((text) => text.trim()).filter(Boolean),
      actions: {
        toggle: () => this.toggle(),
        close: () => this.close(),
        say: guarded((text) => this.#say(text)),
        person: guarded(() => {
          this.#say(this.#wording.personText);
          this.#view.input.focus();
        }),
        stop: guarded(() => this.#connection.send({ type: "stop" })),
        retry: guarded((key) => {
          this.#transcript.retry(key);
          this.#flush();
          this.#view.input.focus();
        }),
        banner: guarded(() => {
          if (this.#connection.state === "closed") this.#connection.start();
          else if (this.#connection.state === "reconnecting") this.#connection.wake();
          this.#notice = "";
          this.#paint();
        }),
      },
    });

    const style = document.createElement("link");
    style.rel = "stylesheet";
    style.href = new URL("style.css", import.meta.url).href;
    this.#view.root.hidden = true;
    style.addEventListener("load", guarded(() => {
      this.#view.root.hidden = false;
      this.#dress();
      this.#paint();
      if (this.#isOpen) this.#view.scroller.scrollTop = this.#view.scroller.scrollHeight;
    }));
    style.addEventListener("error", () => console.warn("Kefu: the style sheet could not be loaded."));
    this.attachShadow({ mode: "open" }).append(style, this.#view.root);
  }

  #listen() {
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
    on(document, ["visibilitychange"], () => {
      if (!document.hidden) this.#connection.wake();
      this.#paint();
    });
    on(this.#dark, ["change"], () => this.#dress());
    on(this.#phone, ["change"], () => this.#dress());
    // A phone's keyboard covers the page without resizing it.
    on(globalThis.visualViewport, ["resize", "scroll"], () => {
      this.#view.root.style.setProperty("--height", `${visualViewport.height}px`);
      this.#view.root.style.setProperty("--top", `${visualViewport.offsetTop}px`);
    });
  }

  /** Position, theme and colours. */
  #dress() {
    const { root } = this.#view;
    const wanted = this.dataset.theme;
    const theme = wanted === "light" || wanted === "dark" ? wanted : this.#dark.matches ? "dark" : "light";
    root.dataset.theme = theme;
    root.dataset.position = this.dataset.position === "left" ? "left" : "right";
    this.#view.panel.setAttribute("aria-modal", String(this.#phone.matches));
    const colour = this.dataset.colour;
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
      this.close();
    } else if (event.key === "Enter" && !event.shiftKey && event.target === this.#view.input) {
      event.preventDefault();
      this.#view.submit();
    } else if (event.key === "Tab" && this.#isOpen && this.#phone.matches) {
      this.#keepInside(event);
    }
  }

  /** The panel covers the whole screen of a phone: Tab must not wander off behind it. */
  #keepInside(event) {
    const reachable = [...this.#view.panel.querySelectorAll("button, textarea, a[href], [tabindex]")].filter(
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
    if (focus) this.#view.input.focus();
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
    if (!clean) return;
    this.#transcript.say(makeId(), clean, new Date().toISOString());
    this.#notice = "";
    this.#store.set({ said: Date.now() });
    this.#flush();
  }

  /** Sends, in order, what has not been sent on this line. */
  #flush() {
    for (const { key, text, state } of this.#transcript.unsent()) {
      if (state !== "queued" || !this.#connection.send({ type: "say", id: key, text })) continue;
      const entry = this.#transcript.sending(key);
      setTimeout(guarded(() => {
        if (this.#transcript.find(key) !== entry || this.#connection.state !== "open") return;
        this.#transcript.fail(key, this.#wording.unconfirmed);
        this.#paint();
      }), CONFIRM_MS);
    }
    this.#paint();
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

  #welcome(event) {
    if (event.fresh) {
      this.#transcript.forget();
      this.#read = 0;
    }
    this.#restored = event.seq ?? 0;
    if (event.limit > 0) this.#limit = event.limit;
    this.#notice = "";
    this.#waiting = "";
    this.#store.set({ token: event.token, read: this.#read, site: event.site, bot: event.bot });
    this.#transcript.requeue();
    this.#flush();
  }

  #error(event) {
    if (event.id) this.#transcript.fail(event.id, event.message, event.retry_after ?? 0);
    else this.#notice = event.message || this.#wording.closed;
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
    if (event.type === "message") {
      const { id, role } = event.message;
      if (role !== "customer") this.#typist = "";
      this.#tell("kefu:message", { id, role, restored: event.seq <= this.#restored });
    }
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
    const w = this.#wording;
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
    const transcript = this.#transcript;
    if (this.#isOpen && !document.hidden && transcript.seq > this.#read) {
      this.#read = transcript.seq;
      this.#store.set({ read: this.#read });
    }
    this.#view.paint({
      open: this.#isOpen,
      unread: this.unread,
      entries: transcript.entries,
      status: transcript.status,
      answering: transcript.answering,
      line: this.#connection.state,
      agent: transcript.entries.findLast((entry) => entry.role === "bot" || entry.role === "agent")?.role === "agent",
      title: this.dataset.title,
      site: this.#store.get("site"),
      bot: this.#store.get("bot") || "",
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

/** A UUID; `crypto.randomUUID` is missing on pages without https. */
function makeId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

if (!customElements.get("kefu-chat")) customElements.define("kefu-chat", KefuChat);
