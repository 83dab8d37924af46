/** Builds elements. Text enters as text nodes only. */

const SVG = "http://www.w3.org/2000/svg";
const ICONS = {
  chat: ["M12 3.5c-5 0-9 3.4-9 7.7 0 2.4 1.3 4.6 3.3 6l-.7 3.3 3.7-1.9c.9.2 1.8.3 2.7.3 5 0 9-3.4 9-7.7s-4-7.7-9-7.7Z", "M8 10h8M8 13.2h5"],
  down: ["m6 9.5 6 6 6-6"],
  send: ["M12 19V5.5", "m6 11 6-6 6 6"],
  stop: ["M7.5 7.5h9v9h-9z"],
  person: ["M5 14v-2.5a7 7 0 0 1 14 0V14", "M5 13h2.2v5H6a1.6 1.6 0 0 1-1.6-1.6v-1.8c0-.9.3-1.6.6-1.6Zm14 0h-2.2v5H18a1.6 1.6 0 0 0 1.6-1.6v-1.8c0-.9-.3-1.6-.6-1.6Z", "M18 18.2c0 1.6-1.9 2.8-4.5 2.8"],
  spark: ["M12 4c.7 4.6 2.6 6.6 7.5 7.5-4.9.9-6.8 2.9-7.5 7.5-.7-4.6-2.6-6.6-7.5-7.5C9.4 10.6 11.3 8.6 12 4Z"],
  arrow: ["M12 5v13.5", "m6 13 6 6 6-6"],
  retry: ["M19 12a7 7 0 1 1-2.2-5.1", "M19 4v4h-4"],
  more: ["M5.5 12h.01M12 12h.01M18.5 12h.01"],
  clip: ["m19 11.5-7.6 7.6a4.6 4.6 0 0 1-6.5-6.5L13 4.5a3 3 0 0 1 4.3 4.3l-8 8a1.5 1.5 0 0 1-2.2-2.1l7.3-7.3"],
  close: ["m7 7 10 10M17 7 7 17"],
  copy: ["M9 9h10v11H9z", "M15 9V4H5v11h4"],
  up: ["M7.5 10.5V20H4v-9.5h3.5Zm0 0L11.5 4c1.3 0 2 1 1.7 2.3L12.4 10H18c1.2 0 2 1 1.8 2.2l-1.2 6.2A2 2 0 0 1 16.7 20H7.5"],
  file: ["M6 3.5h8l4 4v13H6z", "M14 3.5v4h4"],
  star: ["m12 4 2.5 5.2 5.7.8-4.1 4 1 5.7-5.1-2.7-5.1 2.7 1-5.7-4.1-4 5.7-.8z"],
};

/** make("p", {class: "x", text: "y", onclick: f}, …children): properties but for class, text and aria-/data-/role names. */
export function make(tag, { class: className, text, ...rest } = {}, ...children) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  for (const [name, value] of Object.entries(rest)) {
    if (name.includes("-") || name === "role" || name === "for") node.setAttribute(name, value);
    else node[name] = value;
  }
  node.append(...children.filter(Boolean));
  return node;
}

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  for (const d of ICONS[name]) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", d);
    svg.append(path);
  }
  return svg;
}

/** A button that shows an icon and says `label`. */
export function iconButton(name, label, onclick, rest = {}) {
  return make("button", { type: "button", "aria-label": label, title: label, onclick, ...rest }, icon(name));
}

/** Sets what differs only: a live region that is told the same text again may read it again. */
export function set(node, name, value) {
  if (node[name] !== value) node[name] = value;
}

/** "1.2 MB" */
export function sizeOf(bytes) {
  return bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
