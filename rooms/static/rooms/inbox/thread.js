/** The open conversation: what was said, as elements. Redraws only what changed, and stays at the end while one is there. */

import { element, fill, inWords } from "./text.js";

const NEAR_END = 80; // pixels

export class Thread {
  #box;
  #look;
  #drawn = new Map();
  #newer;

  /**
   * `look`: {words, root, conversation(), chip(placeholder), categories(list), may(action), onReport(id), onEdit(key),
   * onRetry(key, confirmed), onDrop(key)}; `newer` is the button that leads to the end.
   */
  constructor(box, newer, look) {
    [this.#box, this.#newer, this.#look] = [box, newer, look];
    newer.addEventListener("click", () => this.toEnd());
    box.addEventListener("scroll", () => { if (this.#atEnd()) newer.hidden = true; });
    new ResizeObserver(() => this.stays && this.toEnd()).observe(box);
    box.addEventListener("scroll", () => (this.stays = this.#atEnd()));
    this.stays = true;
  }

  clear() {
    this.#box.replaceChildren();
    this.#drawn.clear();
    this.#newer.hidden = this.stays = true;
  }

  toEnd() {
    this.#box.scrollTop = this.#box.scrollHeight;
    this.#newer.hidden = true;
  }

  /** Show entries (transcript.js) with what was said of each (`marks`: by message) and what the bot is doing. */
  show(transcript, marks) {
    const follow = this.stays || this.#atEnd();
    let before = null;
    let day = "";
    const kept = new Set();
    const put = (key, make, ...state) => {
      kept.add(key);
      let drawn = this.#drawn.get(key);
      if (!drawn) this.#drawn.set(key, (drawn = { node: element("div"), state: null }));
      if (!drawn.state || state.some((one, index) => one !== drawn.state[index])) {
        make(drawn.node);
        drawn.state = state;
      }
      if (before ? before.nextSibling !== drawn.node : this.#box.firstChild !== drawn.node) {
        if (before) before.after(drawn.node);
        else this.#box.prepend(drawn.node);
      }
      before = drawn.node;
    };
    for (const entry of transcript.entries) {
      const date = entry.at ? new Date(entry.at).toLocaleDateString(document.documentElement.lang, { dateStyle: "medium" }) : day;
      if (date !== day) {
        day = date;
        put(`day ${day}`, (node) => { node.className = "day soft"; node.textContent = day; });
      }
      const mark = marks[entry.id] ?? null;
      put(entry.key, (node) => this.#message(node, entry, mark), entry, mark && JSON.stringify(mark));
    }
    if (transcript.stage && !transcript.entries.some((entry) => entry.state === "streaming")) {
      put("stage", (node) => { node.className = "stage soft"; node.textContent = this.#look.words[`stage_${transcript.stage}`] ?? this.#look.words.stage_writing; }, transcript.stage);
    }
    for (const [key, { node }] of this.#drawn) {
      if (!kept.has(key)) { node.remove(); this.#drawn.delete(key); }
    }
    if (follow) this.toEnd();
    else this.#newer.hidden = false;
  }

  /** Draw everything again: a placeholder's value has become known, or is not to be seen any more. */
  forget() {
    for (const drawn of this.#drawn.values()) drawn.state = null;
  }

  #atEnd() {
    return this.#box.scrollHeight - this.#box.scrollTop - this.#box.clientHeight < NEAR_END;
  }

  #message(node, entry, mark) {
    const { words } = this.#look;
    node.className = `said-by by-${entry.role} ${entry.state}`;
    node.dataset.message = entry.id;
    node.replaceChildren();
    if (entry.role === "system") {
      node.append(element("p", entry.text), this.#time(entry));
      return;
    }
    const head = element("div", "", "head soft");
    const who = element("bdi", entry.author || words[`role_${entry.role}`]);
    head.append(who, this.#time(entry));
    if (entry.edited && !entry.deleted) head.append(element("span", words.edited, "tag"));
    const bubble = element("div", "", "bubble");
    bubble.dir = "auto";
    const open = new Map(entry.sources.map((source) => [source.number, source]));
    if (entry.deleted) bubble.append(element("p", words.withdrawn, "soft"));
    else {
      fill(bubble, entry.text, {
        chip: this.#look.chip,
        mark: (number) => (open.has(number) ? element("sup", `[${number}]`) : null),
        plain: entry.role === "customer" || entry.role === "note",
      });
    }
    node.append(head, bubble);
    if (entry.files.length) node.append(this.#files(entry));
    if (entry.sources.length) node.append(this.#sources(entry));
    if (entry.role === "bot" && entry.state === "sent") node.append(this.#foot(entry, mark));
    if (entry.state === "streaming") head.append(element("span", words.stage_writing, "tag info"));
    if (entry.state === "sending") head.append(element("span", words.sending, "tag"));
    if (entry.state === "failed") node.append(this.#failure(entry));
  }

  #time(entry) {
    const time = element("time");
    if (!entry.at) return time;
    const at = new Date(entry.at);
    time.dateTime = entry.at;
    time.textContent = at.toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
    time.title = at.toLocaleString(document.documentElement.lang);
    return time;
  }

  #files(entry) {
    const list = element("ul", "", "files");
    for (const file of entry.files) {
      const link = element("a", `${inWords(file.name, this.#look.words)} (${Math.max(1, Math.round(file.size / 1000))} kB)`);
      Object.assign(link, { href: `${this.#look.root}file/${this.#look.conversation()}/${file.id}/`, target: "_blank", rel: "noopener" });
      list.appendChild(element("li")).append(link);
    }
    return list;
  }

  #sources(entry) {
    const box = element("details", "", "sources");
    box.append(element("summary", `${this.#look.words.sources} (${entry.sources.length})`));
    for (const source of entry.sources) {
      const item = box.appendChild(element("div"));
      item.append(element("b", `[${source.number}] ${source.heading || source.document}`), element("span", ` ${source.document} ${source.ref}`, "soft"));
      const excerpt = item.appendChild(element("div"));
      excerpt.dir = "auto";
      fill(excerpt, source.excerpt ?? "", { chip: (placeholder) => document.createTextNode(inWords(placeholder, this.#look.words)), plain: true });
    }
    return box;
  }

  #foot(entry, mark) {
    const { words } = this.#look;
    const foot = element("div", "", "foot");
    const outcome = words[`outcome_${entry.outcome}`];
    if (outcome) foot.append(element("span", outcome, { refused: "tag warn", handed_off: "tag warn", review: "tag bad" }[entry.outcome] ?? "tag"));
    if (mark && "helpful" in mark) {
      const thumb = element("span", mark.helpful ? words.helpful : words.not_helpful, `tag ${mark.helpful ? "good" : "bad"}`);
      thumb.title = [words[`reason_${mark.why}`], mark.comment].filter(Boolean).join(": ");
      foot.append(thumb);
    }
    const why = element("a", words.why, "plain");
    Object.assign(why, { href: this.#look.why(entry.id), title: words.why_title });
    foot.append(why);
    if (mark?.wrong) foot.append(element("span", `${words.reported} ${words[`reason_${mark.wrong}`]} · ${mark.by}`, "tag bad"));
    else if (this.#look.may("rate")) {
      const button = element("button", words.report, "plain small");
      button.type = "button";
      button.dataset.report = entry.id;
      button.addEventListener("click", () => this.#look.onReport(entry.id));
      foot.append(button);
    }
    return foot;
  }

  #failure(entry) {
    const { words } = this.#look;
    const box = element("div", "", "note wrong failure");
    box.role = "alert";
    const { code, message, categories = [], owner = "" } = entry.error;
    const text = message || (words[`error_${code}`] ?? words.error_internal).replace("{owner}", owner === "bot" ? words.role_bot : owner);
    box.append(element("p", text));
    if (categories.length) box.append(element("p", `${words.categories} ${this.#look.categories(categories)}`));
    const row = box.appendChild(element("div", "", "actions"));
    const button = (label, act, className = "") => {
      const made = row.appendChild(element("button", label, className));
      made.type = "button";
      made.addEventListener("click", act);
    };
    if (code === "review") button(words.send_anyway, () => this.#look.onRetry(entry.key, true), "danger");
    else if (!["blocked", "not_owner", "not_allowed", "not_found", "bad_frame"].includes(code)) button(words.try_again, () => this.#look.onRetry(entry.key, false), "main");
    button(words.edit, () => this.#look.onEdit(entry.key));
    button(words.discard, () => this.#look.onDrop(entry.key), "plain");
    return box;
  }
}
