/**
 * The line to the server: one websocket, opened again by itself, commands with their answers. Knows nothing of what is
 * said over it.
 *
 *   new Line({ url, language, onFrame(frame), onState(state, welcome), Socket })
 * States: "connecting", "open" (with the welcome), "broken" (opening again), "refused" (signed out: it stays closed).
 */

const QUIET_MS = 25_000; // then a ping
const DEAD_MS = 50_000; // without a frame: another line
const ANSWER_MS = 20_000;

/** Milliseconds to wait before attempt n (from 0): doubling to half a minute, half of it by chance. */
export function backOff(attempt, chance = Math.random()) {
  const most = Math.min(30_000, 500 * 2 ** Math.min(attempt, 8));
  return most / 2 + (most / 2) * chance;
}

export class Line {
  #options;
  #socket = null;
  #attempt = 0;
  #heard = 0;
  #timer = 0;
  #waiting = new Map();
  state = "connecting";

  constructor(options) {
    this.#options = { Socket: WebSocket, ...options };
    addEventListener("online", () => this.#hurry());
    document.addEventListener("visibilitychange", () => document.hidden || this.#hurry());
    setInterval(() => this.#watch(), 5_000);
    this.#open();
  }

  /** Send a command; resolves to its `done`, rejects with its `error` frame ({code: "unheard"} when the line broke). */
  command(type, fields = {}, id = crypto.randomUUID()) {
    return new Promise((resolve, reject) => {
      const unheard = () => { this.#waiting.delete(id); reject({ code: "unheard", id }); };
      if (this.state !== "open") return unheard();
      const timer = setTimeout(unheard, ANSWER_MS);
      this.#waiting.set(id, { resolve, reject, timer });
      this.#socket.send(JSON.stringify({ type, id, ...fields }));
    });
  }

  /** Send what is not answered; dropped when there is no line. */
  send(type, fields = {}) {
    if (this.state === "open") this.#socket.send(JSON.stringify({ type, ...fields }));
  }

  #open() {
    clearTimeout(this.#timer);
    const socket = new this.#options.Socket(this.#options.url);
    this.#socket = socket;
    this.#heard = Date.now();
    socket.onopen = () => socket.send(JSON.stringify({ type: "hello", protocol: 1, language: this.#options.language }));
    socket.onmessage = ({ data }) => this.#hear(JSON.parse(data));
    socket.onclose = ({ code }) => this.#socket === socket && this.#closed(code);
  }

  #hear(frame) {
    this.#heard = Date.now();
    if (frame.type === "welcome") {
      this.#attempt = 0;
      this.#be("open", frame);
    } else if ((frame.type === "done" || frame.type === "error") && this.#waiting.has(frame.id)) {
      const { resolve, reject, timer } = this.#waiting.get(frame.id);
      clearTimeout(timer);
      this.#waiting.delete(frame.id);
      (frame.type === "done" ? resolve : reject)(frame);
    } else if (frame.type !== "pong") this.#options.onFrame(frame);
  }

  #closed(code) {
    const lost = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject, timer } of lost) { clearTimeout(timer); reject({ code: "unheard" }); }
    if (code === 4403) return this.#be("refused");
    this.#be("broken");
    this.#timer = setTimeout(() => this.#open(), backOff(this.#attempt));
    this.#attempt += 1;
  }

  #watch() {
    if (this.state === "refused") return;
    const quiet = Date.now() - this.#heard;
    if (quiet > DEAD_MS && this.#socket.readyState <= 1) {
      const dead = this.#socket;
      dead.onclose = null;
      dead.close();
      this.#closed(1006);
    } else if (quiet > QUIET_MS) this.send("ping");
  }

  /** The network or the reader is back: do not wait for the next attempt. */
  #hurry() {
    if (this.state === "broken") { this.#attempt = 0; this.#open(); }
  }

  #be(state, welcome = null) {
    this.state = state;
    this.#options.onState(state, welcome);
  }
}
