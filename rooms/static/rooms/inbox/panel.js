/** Beside the conversation: who writes, tags, how it feels, what was before. */

import { element, fill, inWords } from "./text.js";

const SVG = "http://www.w3.org/2000/svg";
const HEIGHTS = { positive: 6, neutral: 20, negative: 34 };

export class Panel {
  #box;
  #look;

  /** `look`: {words, topics, sites, chip, name(row), may(action), onTag(name, on), onOpen(row), tags()}. */
  constructor(box, look) {
    [this.#box, this.#look] = [box, look];
  }

  clear() {
    this.#box.replaceChildren();
  }

  /** `row` is the conversation, `customer` what the server told beside it (null: not yet), `summary` of `watch`. */
  show(row, customer, summary) {
    const { words, sites, topics } = this.#look;
    const typed = this.#box.querySelector("#tag-name");
    const typing = typed && document.activeElement === typed ? typed.value : null;
    const facts = element("dl");
    const fact = (name, ...values) => {
      facts.append(element("dt", name), element("dd"));
      facts.lastChild.append(...values);
    };
    const bdi = (text) => element("bdi", text);
    fact(words.site, bdi(sites.get(row.site) ?? row.site));
    fact(words.language, words[`language_${row.language}`] ?? row.language);
    if (row.topic || row.intent) fact(words.topic, topics[row.topic || row.intent] ?? (row.topic || row.intent));
    if (customer) fact(words.began, new Date(customer.since).toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" }));
    if (customer?.rating) fact(words.rating, `${"★".repeat(customer.rating.score)}${"☆".repeat(5 - customer.rating.score)}${customer.rating.comment ? ` ${customer.rating.comment}` : ""}`);
    const parts = [element("h2", this.#look.name(row)), facts];
    if (customer?.profile) {
      const profile = element("div", "", "profile");
      profile.dir = "auto";
      fill(profile, customer.profile, { chip: this.#look.chip, plain: true });
      parts.push(element("h3", customer.vouched ? words.profile : words.profile_own), profile, element("p", words.profile_help, "help"));
    }
    parts.push(element("h3", words.tags), this.#tags(row));
    if (summary?.reason) parts.push(...this.#why(summary));
    parts.push(element("h3", words.mood), customer?.moods.length ? this.#curve(customer.moods) : element("p", words.mood_none, "soft"));
    parts.push(element("h3", words.earlier));
    parts.push(customer?.earlier.length ? this.#earlier(customer.earlier) : element("p", words.earlier_none, "soft"));
    this.#box.replaceChildren(...parts);
    if (typing !== null) {
      const field = this.#box.querySelector("#tag-name");
      field.value = typing;
      field.focus();
    }
  }

  #tags(row) {
    const { words } = this.#look;
    const box = element("div", "", "tagging");
    for (const name of row.tags) {
      const tag = element("span", "", "tag good");
      tag.append(element("bdi", name));
      if (this.#look.may("note")) {
        const off = element("button", "×");
        Object.assign(off, { type: "button", ariaLabel: `${words.tag_off} ${name}`, title: words.tag_off });
        off.addEventListener("click", () => this.#look.onTag(name, false));
        tag.append(off);
      }
      box.append(tag);
    }
    if (!this.#look.may("note")) return box;
    const form = element("form", "", "tag-form");
    const field = element("input");
    Object.assign(field, { id: "tag-name", maxLength: 40, placeholder: words.tag_add, ariaLabel: words.tag_add, autocomplete: "off" });
    field.setAttribute("list", "known-tags");
    form.append(field);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const name = field.value.trim();
      field.value = "";
      if (name) this.#look.onTag(name, true);
    });
    box.append(form);
    return box;
  }

  #why(summary) {
    const { words } = this.#look;
    const box = element("dl");
    box.append(element("dt", words.handoff_reason), element("dd", words[`handoff_${summary.reason}`] ?? summary.reason));
    if (summary.unanswered) {
      const asked = element("dd");
      asked.dir = "auto";
      fill(asked, summary.unanswered, { chip: this.#look.chip, plain: true });
      box.append(element("dt", words.unanswered), asked);
    }
    return [element("h3", words.handoff), box];
  }

  #curve(moods) {
    const { words } = this.#look;
    const svg = document.createElementNS(SVG, "svg");
    const width = 240;
    const step = moods.length > 1 ? (width - 16) / (moods.length - 1) : 0;
    const points = moods.map(({ sentiment }, index) => [8 + index * step, HEIGHTS[sentiment] ?? 20]);
    svg.setAttribute("viewBox", `0 0 ${width} 40`);
    svg.setAttribute("class", "curve");
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", `${words.mood}: ${moods.slice(-5).map(({ sentiment }) => words[`mood_${sentiment}`]).join(", ")}`);
    const shape = (name, attributes) => {
      const made = svg.appendChild(document.createElementNS(SVG, name));
      for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
      return made;
    };
    shape("line", { x1: 0, x2: width, y1: 20, y2: 20, class: "middle" });
    shape("polyline", { points: points.map((point) => point.join(",")).join(" ") });
    moods.forEach(({ at, sentiment }, index) => {
      const dot = shape("circle", { cx: points[index][0], cy: points[index][1], r: 4, class: sentiment });
      dot.appendChild(document.createElementNS(SVG, "title")).textContent = `${words[`mood_${sentiment}`]} · ${new Date(at).toLocaleTimeString(document.documentElement.lang)}`;
    });
    return svg;
  }

  #earlier(rows) {
    const { words } = this.#look;
    const list = element("ul", "", "earlier");
    for (const row of rows) {
      const button = element("button", "", "plain");
      button.type = "button";
      const preview = element("span", inWords(row.preview, words) || words.nothing_said);
      preview.dir = "auto";
      button.append(element("span", new Date(row.updated).toLocaleDateString(document.documentElement.lang), "soft"), preview, element("span", words[`state_${row.state}`], "tag"));
      button.addEventListener("click", () => this.#look.onOpen(row));
      list.appendChild(element("li")).append(button);
    }
    return list;
  }
}
