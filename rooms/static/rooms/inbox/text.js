/**
 * A message's text as elements: paragraphs, lists, bold, code, links, source marks, placeholders. Everything is a text
 * node, so no text becomes markup.
 */

const PARTS = /(<[A-Z]+(?:_[A-Z]+)*_[1-9][0-9]*>)|\*\*(\S(?:[^\n]*?\S)?)\*\*|`([^`\n]+)`|(https?:\/\/[^\s<>"'`*[\]{}|\\^，。；！？、（）《》“”]*[^\s<>"'`*[\]{}|\\^，。；！？、（）《》“”.,;:!?)])|\[(\d{1,2})\]/g;
const ITEM = /^\s*(?:[-*•]|(\d{1,3})[.)、])\s+(.*)$/;

/** Fill `element` with `text`. `chip(placeholder)` makes the element of a placeholder, `mark(number)` that of a source. */
export function fill(element, text, { chip, mark = null, plain = false }) {
  element.replaceChildren();
  let list = null;
  let paragraph = null;
  for (const line of text.split("\n")) {
    const item = plain ? null : ITEM.exec(line);
    if (item) {
      const tag = item[1] ? "ol" : "ul";
      if (list?.localName !== tag) {
        list = element.appendChild(document.createElement(tag));
        if (item[1]) list.start = Number(item[1]);
      }
      runs(list.appendChild(document.createElement("li")), item[2], chip, mark);
      paragraph = null;
    } else if (!line.trim()) {
      paragraph = list = null;
    } else {
      if (paragraph) paragraph.append(document.createElement("br"));
      else paragraph = element.appendChild(document.createElement("p"));
      const heading = plain ? null : /^#{1,6}\s+(.*)$/.exec(line);
      runs(heading ? paragraph.appendChild(document.createElement("strong")) : paragraph, heading ? heading[1] : line, chip, mark);
      list = null;
    }
  }
}

/** `text` with each placeholder told by what it stands for, where nothing can be pressed. */
export function inWords(text, words) {
  return text.replace(/<([A-Z]+(?:_[A-Z]+)*)_([1-9][0-9]*)>/g, (_, entity, number) => `${words[`entity_${entity}`] ?? entity} ${number}`);
}

function runs(into, text, chip, mark) {
  let end = 0;
  for (const match of text.matchAll(PARTS)) {
    const [whole, placeholder, bold, code, address, number] = match;
    const node = placeholder ? chip(placeholder)
      : bold ? strong(bold, chip)
      : code ? element("code", code)
      : address ? link(address)
      : mark?.(Number(number));
    if (!node) continue;
    into.append(text.slice(end, match.index), node);
    end = match.index + whole.length;
  }
  into.append(text.slice(end));
}

function strong(text, chip) {
  const node = document.createElement("strong");
  runs(node, text, chip, null);
  return node;
}

function link(address) {
  if (!URL.canParse(address)) return null;
  const node = element("a", address);
  Object.assign(node, { href: address, target: "_blank", rel: "noopener nofollow" });
  return node;
}

/** A new element with a text, and a class. */
export function element(tag, text = "", className = "") {
  const node = document.createElement(tag);
  node.textContent = text;
  if (className) node.className = className;
  return node;
}
