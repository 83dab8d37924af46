/**
 * The websocket: opens, says hello, keeps alive, reconnects with back-off. No DOM; knows frames but not what they mean,
 * except for the two that concern the line itself (welcome, error).
 *
 * States: "idle" → "connecting" → "open" ⇄ "reconnecting"; "closed" after a fatal error, until `start()` is called again.
 */

const PING_MS = 25_000;
const SILENCE_MS = 60_000;
const PROBE_MS = 5_000;
const HELLO_MS = 15_000;
const STABLE_MS = 5_000;
const BASE_MS = 500;
const LONGEST_MS = 30_000;
const REFUSED = [4400, 4403];

/** Milliseconds to wait before attempt `attempt` (0, 1, 2 …): doubles up to half a minute; `random` (0 to 1) spreads the crowd. */
export function backOff(attempt, random) {
  return Math.min(LONGEST_MS, BASE_MS * 2 ** attempt) * (0.5 + random / 2);
}

export class Connection {
  state = "idle";
  #url;
  #hello;
  #onEvent;
  #onState;
  #Socket;
  #random;
  #socket = null;
  #timers = new Set();
  #attempt = 0;
  #pause = 0;
  #openedAt = 0;
  #heardAt = 0;
  #pingedAt = 0;
  #unanswered = 0;
  #asked = new Map();

  /**
   * `hello()` returns the first frame of every socket, `onEvent(event)` gets each frame, `onState(state)` each change.
   * `Socket` and `random` are for tests.
   */
  constructor(url, { hello, onEvent, onState, Socket = globalThis.WebSocket, random = Math.random }) {
    this.#url = url;
    this.#hello = hello;
    this.#onEvent = onEvent;
    this.#onState = onState;
    this.#Socket = Socket;
    this.#random = random;
  }

  /** Opens the line unless it is open or being opened. */
  start() {
    if (this.state === "idle" || this.state === "closed") {
      this.#attempt = 0;
      this.#connect("connecting");
    }
  }

  /** Closes the line for good. */
  stop() {
    this.#drop();
    this.#change("idle");
  }

  /** Sends a frame; false when the line is not open, and then nothing was sent. */
  send(frame) {
    if (this.state !== "open" || this.#socket?.readyState !== 1) return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  /** Sends a frame with an id of its own; the promise of what `done` says. Rejects with the refusal's message, "" when the line goes. */
  ask(frame) {
    return new Promise((resolve, reject) => {
      const id = makeId();
      if (this.send({ ...frame, id })) this.#asked.set(id, { resolve, reject });
      else reject(new Error(""));
    });
  }

  /** The network or the tab came back: reconnects at once, or makes sure within 5 s that an open line still lives. */
  wake() {
    if (this.state === "reconnecting" && !this.#socket) {
      this.#connect("reconnecting");
    } else if (this.state === "open") {
      const asked = Date.now();
      this.#ping();
      this.#later(PROBE_MS, () => this.#heardAt < asked && this.#lost());
    }
  }

  #connect(state) {
    this.#drop();
    this.#change(state);
    let socket;
    try {
      socket = new this.#Socket(this.#url);
    } catch {
      this.#lost(); // The page's policy forbids the address; it may be a passing one.
      return;
    }
    this.#socket = socket;
    const current = (handle) => (event) => socket === this.#socket && handle(event);
    socket.onopen = current(() => socket.send(JSON.stringify(this.#hello())));
    socket.onmessage = current((event) => this.#receive(event.data));
    socket.onclose = current((event) => this.#lost(event.code));
    this.#later(HELLO_MS, () => this.state !== "open" && this.#lost());
  }

  #receive(data) {
    let event;
    try {
      event = JSON.parse(data);
    } catch {
      return;
    }
    if (typeof event?.type !== "string") return;
    this.#heardAt = Date.now();
    this.#unanswered = 0;
    if (event.type === "welcome") {
      this.#openedAt = Date.now();
      this.#keepAlive();
      this.#change("open");
    }
    if (event.type === "error" && event.retry_after && !event.id) this.#pause = event.retry_after * 1000;
    const socket = this.#socket;
    const asked = /^(done|error)$/.test(event.type) && this.#asked.get(event.id);
    if (asked) {
      this.#asked.delete(event.id);
      if (event.type === "done") asked.resolve(event);
      else asked.reject(new Error(event.message));
    } else this.#onEvent(event);
    if (event.type === "error" && event.fatal && socket === this.#socket) this.#refused();
  }

  #lost(code) {
    if (REFUSED.includes(code)) {
      this.#refused();
      return;
    }
    // A server that welcomes and hangs up at once must not be called twice a second.
    if (this.#openedAt && Date.now() - this.#openedAt > STABLE_MS) this.#attempt = 0;
    const wait = Math.max(this.#pause, backOff(this.#attempt, this.#random()));
    this.#attempt += 1;
    this.#drop();
    this.#change("reconnecting");
    this.#later(wait, () => this.#connect("reconnecting"));
  }

  #refused() {
    this.#drop();
    this.#change("closed");
  }

  #keepAlive() {
    this.#pingedAt = Date.now();
    const check = () => {
      const now = Date.now();
      // Hidden tabs run timers once a minute: only silence after two pings proves a dead line.
      if (now - this.#heardAt >= SILENCE_MS && this.#unanswered >= 2) {
        this.#lost();
        return;
      }
      if (now - this.#pingedAt >= PING_MS) this.#ping();
      this.#later(SILENCE_MS / 12, check);
    };
    check();
  }

  #ping() {
    if (this.send({ type: "ping" })) {
      this.#pingedAt = Date.now();
      this.#unanswered += 1;
    }
  }

  #drop() {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    for (const { reject } of this.#asked.values()) reject(new Error(""));
    this.#asked.clear();
    this.#pause = 0;
    this.#openedAt = 0;
    this.#unanswered = 0;
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  #change(state) {
    if (state === this.state) return;
    this.state = state;
    this.#onState(state);
  }

  #later(milliseconds, action) {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      action();
    }, milliseconds);
    this.#timers.add(timer);
  }
}

/** A UUID; `crypto.randomUUID` is missing on pages without https. */
export function makeId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
