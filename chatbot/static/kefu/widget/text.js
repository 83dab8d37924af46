/**
 * Shows a message's text: paragraphs, lists, tables, code, bold, links and source marks. Knows nothing of messages.
 *
 * Everything becomes text nodes, so no text can become markup. What is already shown stays untouched and only what is new
 * is added: a screen reader then reads each released part once.
 */

const CODE = /`([^`\n]+)`/.source;
const BOLD = /\*\*(\S(?:[^\n]*?\S)?)\*\*/.source;
const NAMED = /\[([^[\]\n]+)\]\((https?:\/\/[^\s<>"'()]+)\)/.source;
const ADDRESS = /https?:\/\/[^\s<>"'`*[\]{}|\\^，。；：！？、（）《》「」『』【】“”‘’…]+/.source;
const MARK = /\[(\d{1,2})\]/.source;
const BULLET = /^\s*[-*•]\s+(.*)$/;
const NUMBERED = /^\s*(\d{1,3})(?:[.)]\s+|[.)、](?=[\u3400-\u9fff]))(.*)$/;
const HEADING = /^#{1,6}\s+(.*)$/;
const FENCE = /^\s*```/;
const ROW = /^\s*\|?(.*?\|.*?)\|?\s*$/;
const RULE = /^\s*\|?(\s*:?-+:?\s*\|)+(\s*:?-+:?\s*)?$/;

/**
 * Text → blocks [{tag: "p" | "ul" | "ol" | "pre" | "table", start, items}]; the items of a paragraph are one list of runs, of
 * a list one for each point, of a table one list of cells for each row (the first is the head), of code its text. A run is
 * {kind: "text" | "bold" | "code" | "link" | "mark", text, href}.
 * `isSource(number)` says which `[n]` are marks; `plain` keeps the text as written but for its links.
 */
export function parse(text, { isSource = () => false, plain = false } = {}) {
  const runs = (part) => parseRuns(part, isSource, plain);
  if (plain) return [{ tag: "p", items: [runs(text)] }];

  const blocks = [];
  let block = null;
  const add = (tag, item, start = 1) => {
    if (block?.tag !== tag) blocks.push((block = { tag, start, lines: [] }));
    block.lines.push(item);
  };
  const lines = text.split("\n");
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at];
    const bullet = BULLET.exec(line);
    const numbered = NUMBERED.exec(line);
    const heading = HEADING.exec(line);
    if (FENCE.test(line)) {
      block = null;
      for (at += 1; at < lines.length && !FENCE.test(lines[at]); at += 1) add("pre", lines[at]);
      block = null;
    } else if (ROW.test(line) && RULE.test(lines[at + 1] ?? "")) {
      block = null;
      add("table", line);
      for (at += 2; at < lines.length && ROW.test(lines[at]); at += 1) add("table", lines[at]);
      at -= 1;
      block = null;
    } else if (bullet) add("ul", bullet[1]);
    else if (numbered) add("ol", numbered[2], Number(numbered[1]));
    else if (!line.trim()) block = block?.tag === "p" ? null : block;
    else if (heading) {
      block = null;
      add("p", `**${heading[1].replaceAll("**", "")}**`);
      block = null;
    } else if (block?.tag !== "p" && block && /^\s/.test(line)) block.lines[block.lines.length - 1] += `\n${line.trim()}`;
    else add("p", line);
  }
  const items = {
    p: (own) => [runs(own.join("\n"))],
    pre: (own) => own.join("\n"),
    table: (own) => own.map((row) => ROW.exec(row)[1].split("|").map((cell) => runs(cell.trim()))),
  };
  return blocks.map(({ tag, start, lines: own }) => ({ tag, start, items: items[tag]?.(own) ?? own.map(runs) }));
}

function parseRuns(text, isSource, plain) {
  const pattern = new RegExp(plain ? `()()()()(${ADDRESS})()` : `${CODE}|${BOLD}|${NAMED}|(${ADDRESS})|${MARK}`, "g");
  const runs = [];
  let end = 0;
  const add = (kind, part, href = part) => {
    const last = runs.at(-1);
    if (kind === "text" && last?.kind === "text") last.text += part;
    else if (part) runs.push(kind === "link" ? { kind, text: part, href } : { kind, text: part });
  };
  for (const match of text.matchAll(pattern)) {
    const [whole, code, bold, name, target, address, mark] = match;
    add("text", text.slice(end, match.index));
    end = match.index + whole.length;
    if (code) add("code", code);
    else if (bold) add("bold", bold);
    else if (mark) add(isSource(Number(mark)) ? "mark" : "text", isSource(Number(mark)) ? mark : whole);
    else if (name) {
      // An address that is shown is the one that is opened.
      if (isAddress(target)) add("link", /^\s*(https?:|www\.)/i.test(name) ? target : name, target);
      else add("text", whole);
    } else {
      const link = trimAddress(address);
      add(isAddress(link) ? "link" : "text", link);
      add("text", address.slice(link.length));
    }
  }
  add("text", text.slice(end));
  return runs;
}

/** Punctuation after an address belongs to the sentence. */
function trimAddress(address) {
  const trimmed = address.replace(/[.,;:!?)]+$/, "");
  return trimmed.includes("(") && address[trimmed.length] === ")" ? `${trimmed})` : trimmed;
}

function isAddress(text) {
  try {
    return ["http:", "https:"].includes(new URL(text).protocol);
  } catch {
    return false;
  }
}

/** Makes `element` show `blocks`, touching only what differs. `makeMark(number)` returns the element of a source mark. */
export function show(element, blocks, makeMark) {
  blocks.forEach((block, index) => {
    const whole = block.tag === "pre" || block.tag === "table";
    const wanted = whole ? "div" : block.tag;
    let node = element.children[index];
    if (node?.localName !== wanted || (block.tag === "ol" && node.start !== block.start)) {
      const made = document.createElement(wanted);
      if (block.tag === "ol") made.start = block.start;
      if (node) node.replaceWith(made);
      else element.append(made);
      node = made;
    }
    if (whole) {
      drawWhole(node, block, makeMark);
    } else if (block.tag === "p") {
      draw(node, block.items[0], makeMark);
    } else {
      block.items.forEach((item, row) => draw(node.children[row] ?? node.appendChild(document.createElement("li")), item, makeMark));
      cut(node, block.items.length);
    }
  });
  cut(element, blocks.length);
}

function cut(element, length) {
  while (element.children.length > length) element.lastElementChild.remove();
}

/** Code and tables scroll sideways by themselves, so they can be reached by the keyboard. */
function drawWhole(node, { tag, items }, makeMark) {
  const before = JSON.stringify(items);
  if (drawn.get(node) === before) return;
  drawn.set(node, before);
  node.className = "wide";
  node.tabIndex = 0;
  const whole = document.createElement(tag);
  if (tag === "pre") whole.textContent = items;
  else {
    items.forEach((cells, row) => {
      const line = whole.appendChild(document.createElement("tr"));
      for (const cell of cells) draw(line.appendChild(document.createElement(row ? "td" : "th")), cell, makeMark);
    });
  }
  node.replaceChildren(whole);
}

const WORD_JOINER = "\u2060";
const drawn = new WeakMap();

function draw(element, runs, makeMark) {
  const before = drawn.get(element) ?? [];
  const isSame = (one, other) => one.kind === other?.kind && one.text === other.text && one.href === other.href;
  let same = 0;
  while (same < before.length && isSame(before[same], runs[same])) same += 1;
  const kept = before.slice(0, same);
  const growing = before[same];
  const next = runs[same];
  if (growing?.kind === "text" && next?.kind === "text" && next.text.startsWith(growing.text)) {
    const node = makeRun({ kind: "text", text: next.text.slice(growing.text.length) });
    growing.nodes.at(-1).after(node);
    kept.push({ ...next, nodes: [...growing.nodes, node] });
  }
  for (const { nodes } of before.slice(kept.length)) for (const node of nodes) node.remove();
  for (const run of runs.slice(kept.length)) {
    const nodes = run.kind === "mark" ? [document.createTextNode(WORD_JOINER), makeMark(Number(run.text))] : [makeRun(run)];
    if (run.kind === "mark") holdLine(element.lastChild);
    element.append(...nodes);
    kept.push({ ...run, nodes });
  }
  drawn.set(element, kept);
}

/** A mark stays on the line of the words that it proves: no break at a space before it. */
function holdLine(before) {
  if (before?.textContent.endsWith(" ")) before.textContent = `${before.textContent.slice(0, -1)}\u00a0`;
}

function makeRun({ kind, text, href }) {
  const node = document.createElement({ text: "span", bold: "strong", code: "code", link: "a" }[kind]);
  node.textContent = text;
  if (kind === "link") {
    node.href = href;
    node.target = "_blank";
    node.rel = "noopener nofollow";
  }
  return node;
}
