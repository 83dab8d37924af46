/** The list of conversations: only the rows in sight are elements. Knows nothing of the socket. */

import { clockOf, spell } from "./rows.js";
import { element, inWords } from "./text.js";

const ROW_REM = 5.5; // as .row in inbox.css
const SPARE = 6; // rows drawn above and below what is in sight

export class List {
  #box;
  #spacer;
  #drawn = new Map();
  #rows = [];
  #frame = 0;

  /**
   * `box` scrolls; `look` says how rows look: {words, me, topics, sites, seen, name(row), query()}; `onOpen(row)` is
   * called for a row that is chosen, `onEnd()` when the end comes into sight.
   */
  constructor(box, look, { onOpen, onEnd }) {
    Object.assign(this, { look, onOpen, onEnd });
    this.#box = box;
    this.#spacer = box.appendChild(element("div", "", "spacer"));
    this.#spacer.role = "presentation";
    this.at = -1;
    this.open = "";
    box.addEventListener("scroll", () => this.draw());
    new ResizeObserver(() => this.draw()).observe(box);
    box.addEventListener("click", ({ target }) => {
      const row = this.#rows[Number(target.closest("[data-index]")?.dataset.index)];
      if (row) onOpen(row);
    });
    setInterval(() => this.draw(), 1000); // clocks
  }

  get rows() {
    return this.#rows;
  }

  set rows(rows) {
    const current = this.current?.conversation;
    this.#rows = rows;
    const found = rows.findIndex((row) => row.conversation === current);
    this.at = found >= 0 ? found : Math.min(this.at, rows.length - 1);
    this.draw();
  }

  /** The row under the cursor. */
  get current() {
    return this.#rows[this.at];
  }

  /** Moves the cursor by so many rows, and into sight. */
  move(by) {
    if (!this.#rows.length) return;
    this.point(Math.max(0, Math.min(this.#rows.length - 1, this.at + by)));
  }

  point(index) {
    this.at = index;
    const height = this.#height();
    const top = index * height;
    if (top < this.#box.scrollTop) this.#box.scrollTop = top;
    else if (top + height > this.#box.scrollTop + this.#box.clientHeight) this.#box.scrollTop = top + height - this.#box.clientHeight;
    this.#paint();
  }

  /** Shows the conversation as the open one. */
  mark(conversation) {
    this.open = conversation;
    const index = this.#rows.findIndex((row) => row.conversation === conversation);
    if (index >= 0) this.at = index;
    this.draw();
  }

  draw() {
    this.#frame ||= requestAnimationFrame(() => { this.#frame = 0; this.#paint(); });
  }

  #height() {
    return ROW_REM * Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
  }

  #paint() {
    const height = this.#height();
    this.#spacer.style.height = `${this.#rows.length * height}px`;
    const first = Math.max(0, Math.floor(this.#box.scrollTop / height) - SPARE);
    const last = Math.min(this.#rows.length, Math.ceil((this.#box.scrollTop + this.#box.clientHeight) / height) + SPARE);
    const now = Date.now();
    const kept = new Set();
    for (let index = first; index < last; index += 1) {
      const row = this.#rows[index];
      kept.add(row.conversation);
      const drawn = this.#drawn.get(row.conversation) ?? this.#make(row.conversation);
      this.#fill(drawn, row, now);
      drawn.node.dataset.index = index;
      drawn.node.style.transform = `translateY(${index * height}px)`;
      drawn.node.ariaPosInSet = String(index + 1);
      drawn.node.ariaSetSize = String(this.#rows.length);
      drawn.node.ariaSelected = String(row.conversation === this.open);
      drawn.node.classList.toggle("cursor", index === this.at);
    }
    for (const [conversation, drawn] of this.#drawn) {
      if (!kept.has(conversation)) { drawn.node.remove(); this.#drawn.delete(conversation); }
    }
    const current = this.current && this.#drawn.get(this.current.conversation);
    if (current) this.#box.setAttribute("aria-activedescendant", current.node.id);
    else this.#box.removeAttribute("aria-activedescendant");
    if (last >= this.#rows.length - 10) this.onEnd();
  }

  #make(conversation) {
    const node = element("div", "", "row");
    node.role = "option";
    node.id = `row-${conversation}`;
    this.#spacer.append(node);
    const drawn = { node, row: null, clock: null };
    this.#drawn.set(conversation, drawn);
    return drawn;
  }

  #fill(drawn, row, now) {
    const { words, seen, me } = this.look;
    const unread = row.state === "taken" && row.agent === me && row.role === "customer" && row.updated > (seen.get(row.conversation) ?? "");
    const offered = row.state === "waiting" && row.offered_to === me;
    if (drawn.row !== row || drawn.query !== this.look.query() || drawn.unread !== unread) {
      Object.assign(drawn, { row, query: this.look.query(), unread });
      drawn.node.className = `row ${row.state}${unread ? " unread" : ""}${offered ? " offered" : ""}`;
      const top = element("div", "", "top");
      const name = element("b");
      name.append(bdi(this.look.name(row)));
      drawn.clock = element("span", "", "clock");
      top.append(name, drawn.clock);
      const said = element("div", "", "said");
      said.dir = "auto";
      if (row.role && !row.match) said.append(element("span", `${words[`role_${row.role}`]}: `, "soft"));
      said.append(...highlighted(inWords(row.match || row.preview, words) || words.nothing_said, row.match ? this.look.query() : ""));
      const facts = element("div", "", "facts");
      facts.append(...this.#facts(row, offered));
      drawn.node.replaceChildren(top, said, facts);
    }
    const clock = clockOf(row, now);
    drawn.clock.textContent = clock ? spell(clock.seconds, words) : since(row.updated, now, words);
    drawn.clock.className = clock ? `clock ${clock.level}` : "clock soft";
    drawn.clock.title = clock ? `${words.clock_title} ${spell(clock.within, words)}` : new Date(row.updated).toLocaleString();
  }

  #facts(row, offered) {
    const { words, topics, sites, me } = this.look;
    const tag = (text, tone = "") => element("span", text, `tag ${tone}`);
    const facts = [];
    if (offered) facts.push(tag(words.offered_you, "warn"));
    else if (row.state === "taken") facts.push(tag(row.agent === me ? words.state_mine : row.agent ?? words.state_taken, "info"));
    else if (row.state !== "closed") facts.push(tag(words[`state_${row.state}`], { waiting: "warn", message: "info" }[row.state] ?? ""));
    if (row.review) facts.push(tag(words.in_review, "bad"));
    if (row.sentiment === "negative") facts.push(tag(words.mood_negative, "bad"));
    if (sites.size > 1) facts.push(tag(sites.get(row.site) ?? row.site));
    const topic = row.topic || row.intent;
    if (topic) facts.push(tag(topics[topic] ?? topic));
    facts.push(...row.tags.map((name) => tag(`# ${name}`, "good")));
    return facts;
  }
}

function bdi(text) {
  return element("bdi", text);
}

/** `text` with what was searched for marked. */
export function highlighted(text, query) {
  const word = query.split(/\s+/)[0]?.toLowerCase();
  const at = word ? text.toLowerCase().indexOf(word) : -1;
  if (at < 0) return [document.createTextNode(text)];
  return [document.createTextNode(text.slice(0, at)), element("mark", text.slice(at, at + word.length)), document.createTextNode(text.slice(at + word.length))];
}

function since(at, now, words) {
  const date = new Date(at);
  if (date.toDateString() === new Date(now).toDateString()) {
    return date.toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
  }
  return now - date < 7 * 86_400_000 ? `${Math.max(1, Math.round((now - date) / 86_400_000))} ${words.days}` : date.toLocaleDateString(document.documentElement.lang);
}
