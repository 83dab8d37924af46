/**
 * What has been said: events in, entries out. Pure: no DOM, no clock, no socket. Idempotent by seq and by message id.
 *
 * An entry is never changed, only replaced by a new object, so that a view can see by identity what to redraw:
 *   {key, id, role, author, text, at, sources, files, outcome, reason, deleted, seq, state, error, retryAfter, thumb}
 * `key` stays the same for an entry's whole life. `state`:
 *   customer: "queued" (not sent), "sending" (not confirmed), "failed" (see `error`), "sent"
 *   others:   "streaming" (more parts may come), "sent"
 */

export class Transcript {
  /** The last numbered event taken in. */
  seq = 0;
  entries = [];
  /** What the assistant is doing: {reply, stage}, or null. */
  status = null;
  #parts = new Map();

  /** Takes in a numbered event; false when it changed nothing because it was seen before or is not understood. */
  receive(event) {
    if (!(event.seq > this.seq)) return false;
    this.seq = event.seq;
    if (event.type === "message" && event.message) return this.#finish(event.message, event.seq);
    if (event.type === "reply") return this.#stream(event);
    if (event.type === "status") return this.#progress(event);
    return false;
  }

  /** The customer says something: it waits as "queued". `id` is the customer's own, made once, kept over every retry. */
  say(id, text, at, files = []) {
    if (this.find(id)) return;
    this.entries = [...this.entries, { key: id, id, role: "customer", text, at, files, sources: [], seq: 0, state: "queued" }];
  }

  /** What has not reached the server for certain, oldest first. */
  unsent() {
    return this.entries.filter((entry) => entry.state === "queued" || entry.state === "sending");
  }

  /** The message has been handed to the socket. Returns its entry. */
  sending(id) {
    return this.#replace(id, { state: "sending" });
  }

  /** The line is new: what was handed to the old one without being confirmed is to be sent again. */
  requeue() {
    this.entries = this.entries.map((entry) => (entry.state === "sending" ? { ...entry, state: "queued" } : entry));
  }

  /** The server refused the message, or never confirmed it. A message that has been confirmed stays confirmed. */
  fail(id, error, retryAfter = 0) {
    if (this.find(id)?.state !== "sent") this.#replace(id, { state: "failed", error, retryAfter });
  }

  /** A failed message goes back into the queue, as the last thing said. */
  retry(id) {
    const entry = this.find(id);
    if (entry?.state !== "failed") return;
    this.entries = [...this.entries.filter((other) => other !== entry), { ...entry, state: "queued", error: "" }];
  }

  find(key) {
    return this.entries.find((entry) => entry.key === key);
  }

  /** Nothing more is expected of the running reply: what was shown of it stays. */
  settle() {
    this.status = null;
    this.entries = this.entries.map((entry) => (entry.state === "streaming" ? { ...entry, state: "sent" } : entry));
  }

  /** This is a new conversation: forgets all but what has not reached the server; with `all` that, too. */
  forget(all = false) {
    this.entries = all ? [] : this.entries.filter((entry) => /queued|sending|failed/.test(entry.state));
    this.seq = 0;
    this.status = null;
    this.#parts.clear();
  }

  /** Takes in messages that were said before all that is here, oldest first. */
  prepend(messages) {
    const known = new Set(this.entries.map((entry) => entry.key));
    const older = messages.map((message) => this.#entry(message, 0)).filter((entry) => !known.has(entry.key));
    this.entries = [...older, ...this.entries];
  }

  /** Notes something about an entry. */
  note(key, changes) {
    if (this.find(key)) this.#replace(key, changes);
  }

  get answering() {
    return this.status !== null || this.entries.some((entry) => entry.state === "streaming");
  }

  /** Finished messages of others after event `seq`. */
  unread(seq) {
    return this.entries.filter((entry) => entry.role !== "customer" && entry.state === "sent" && entry.seq > seq).length;
  }

  #entry(message, seq) {
    return {
      key: (message.role === "customer" && message.client_id) || message.id,
      id: message.id,
      role: message.role,
      author: message.author,
      text: message.text ?? "",
      at: message.at,
      sources: message.sources ?? [],
      files: message.files ?? [],
      outcome: message.outcome ?? "",
      reason: message.reason ?? "",
      deleted: message.deleted,
      seq,
      state: "sent",
    };
  }

  #finish(message, seq) {
    const entry = this.#entry(message, seq);
    if (message.role === "system" ? message.reason !== "closed" : message.edited || message.deleted) {
      // The owner or the question changed: what the bot was saying is dropped.
      this.entries = this.entries.filter((other) => other.state !== "streaming");
      this.status = null;
    }
    if (message.role === "bot" || message.role === "agent") {
      this.#parts.set(message.id, null);
      this.settle();
    }
    this.#put(entry);
    return true;
  }

  #stream(event) {
    const parts = this.#parts.get(event.reply);
    if (parts === null) return false; // The finished message has been here already.
    const kept = event.replace || !parts ? new Map() : parts;
    kept.set(event.part, event.text ?? "");
    this.#parts.set(event.reply, kept);
    const text = [...kept.keys()].sort((a, b) => a - b).map((part) => kept.get(part)).join("");
    if (!this.find(event.reply)) this.settle();
    this.status = { reply: event.reply, stage: "writing" };
    this.#put({ key: event.reply, id: event.reply, role: "bot", text, at: "", sources: [], files: [], seq: event.seq, state: "streaming" });
    return true;
  }

  #progress(event) {
    if (this.#parts.get(event.reply) === null) return false;
    this.status = { reply: event.reply, stage: event.stage };
    return true;
  }

  /** An entry that was shown keeps its place; a new one goes by its time, before what the customer has still to send. */
  #put(entry) {
    const old = this.entries.findIndex((other) => other.key === entry.key);
    const waiting = old >= 0 && this.entries[old].state !== "sent" && this.entries[old].state !== "streaming";
    if (old >= 0) entry = { ...entry, thumb: this.entries[old].thumb };
    if (old >= 0 && !waiting) {
      this.entries = this.entries.map((other, index) => (index === old ? entry : other));
      return;
    }
    const rest = this.entries.filter((other) => other.key !== entry.key);
    let place = rest.length;
    const follows = ({ state, at }) => /queued|sending/.test(state) || (state === "sent" && entry.at && at > entry.at);
    while (place > 0 && follows(rest[place - 1])) place -= 1;
    this.entries = [...rest.slice(0, place), entry, ...rest.slice(place)];
  }

  #replace(key, changes) {
    this.entries = this.entries.map((entry) => (entry.key === key ? { ...entry, ...changes } : entry));
    return this.find(key);
  }
}
