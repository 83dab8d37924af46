/**
 * What has been said in one conversation: events in, entries out. Pure: no DOM, no clock, no socket.
 *
 * An entry is replaced, never changed: {key, kind, id, role, author, text, at, sources, files, outcome, reason, edited,
 * deleted, state, error}. kind: "message" or "note". state: "sent", "streaming" (the bot is writing), and for what this
 * agent sends "sending" or "failed" (`error` is the server's answer).
 */

const CHANGES_NOTHING = "closed"; // people are away: the bot goes on

export class Transcript {
  /** The last event taken in: what the server is asked to go on from. */
  seq = 0;
  /** What the bot is doing: "searching", "checking", "writing", or "". */
  stage = "";
  #entries = new Map();
  #parts = new Map();

  /** All entries, in order of their time; what is being sent stands last. */
  get entries() {
    const rank = (entry) => (entry.state === "sending" || entry.state === "failed" ? 2 : entry.state === "streaming" ? 1 : 0);
    return [...this.#entries.values()].sort((a, b) => rank(a) - rank(b) || (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  }

  get(key) {
    return this.#entries.get(key);
  }

  /** Takes an event of the conversation in; false when it was seen before. */
  receive(event) {
    if (!(event.seq > this.seq)) return false;
    this.seq = event.seq;
    if (event.type === "message") this.#finish(event.message);
    else if (event.type === "reply") this.#stream(event);
    else if (event.type === "status" && this.#parts.get(event.reply) !== null) this.stage = event.stage;
    return true;
  }

  /** All notes of the conversation. */
  notes(notes) {
    for (const note of notes) {
      this.#entries.set(note.id, { key: note.id, kind: "note", id: note.id, role: "note", state: "sent", sources: [], files: [], ...note });
    }
  }

  /** This agent sends something under `id`. */
  sending(id, kind, text, author, at) {
    this.#entries.set(id, { key: id, kind, id: "", role: kind === "note" ? "note" : "agent", author, text, at, sources: [], files: [], state: "sending" });
  }

  /** The server took it; the event or the notes that show it may come before or after. */
  arrived(id, message = "") {
    const entry = this.#entries.get(id);
    if (!entry || entry.state === "sent") return;
    if (message && this.#entries.has(message)) this.#entries.delete(id);
    else this.#entries.set(id, { ...entry, id: message, state: "sent" });
  }

  failed(id, error) {
    const entry = this.#entries.get(id);
    if (entry) this.#entries.set(id, { ...entry, state: "failed", error });
  }

  again(id) {
    const entry = this.#entries.get(id);
    if (entry) this.#entries.set(id, { ...entry, state: "sending", error: null });
  }

  drop(id) {
    this.#entries.delete(id);
  }

  /** What was never answered for: to be sent again over a new line. */
  unheard() {
    return [...this.#entries.values()].filter((entry) => entry.state === "sending");
  }

  #finish(message) {
    const drops = message.role === "system" ? message.reason !== CHANGES_NOTHING : message.role === "customer" && (message.edited || message.deleted);
    if (drops) this.#dropStream();
    if (message.role === "bot" || message.role === "agent") {
      this.#parts.set(message.id, null);
      this.stage = "";
    }
    const own = message.role === "agent" && message.client_id ? message.client_id.split(":").at(-1) : "";
    this.#entries.delete(own);
    this.#entries.delete(message.id);
    this.#entries.set(message.id, { ...message, key: message.id, kind: "message", state: "sent", sources: message.sources ?? [], files: message.files ?? [] });
  }

  #stream({ reply, part, text, replace }) {
    const parts = this.#parts.get(reply);
    if (parts === null) return;
    const kept = replace || !parts ? [] : parts;
    kept[part] = text ?? "";
    this.#parts.set(reply, kept);
    this.stage = "writing";
    this.#entries.set(reply, { key: reply, kind: "message", id: reply, role: "bot", author: "", text: kept.join(""), at: "", sources: [], files: [], state: "streaming" });
  }

  #dropStream() {
    this.stage = "";
    for (const [key, entry] of this.#entries) if (entry.state === "streaming") this.#entries.delete(key);
  }
}
