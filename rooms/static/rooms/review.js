/** The reviewers' room: clocks, one key a choice, and what to do when somebody else was first. */

import { onKey, press, toast } from "./frame.js";
import "./times.js";

const title = document.title;
const place = document.getElementById("case");
const one = (selector) => document.querySelector(selector);

function editing() {
  const form = one("#edit");
  return form && !form.hidden && form.text.value !== form.text.defaultValue;
}

/** Show what an address has in place of the case. Not by the list's links: the list is exchanged all the time. */
function show(address) {
  htmx.ajax("GET", address, { target: "#case", source: "#case" }).catch(() => {}); // what was wrong its event has said
}

/** Open the most urgent case that is free. */
function openNext(but = "") {
  show(`/staff/review/next/${but ? `?but=${encodeURIComponent(but)}` : ""}`);
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("#queue [data-case]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  show(link.getAttribute("href"));
});

// --- clocks: the queue says how many seconds are left, so a wrong clock here does not matter there
let counted = performance.now();

function left(element) {
  if (element.dataset.until) return (new Date(element.dataset.until) - Date.now()) / 1000;
  return Number(element.dataset.seconds) - (performance.now() - counted) / 1000;
}

function tick() {
  for (const element of document.querySelectorAll(".clock")) {
    const seconds = Math.max(0, Math.round(left(element)));
    const shown = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    if (element.textContent !== shown) element.textContent = shown;
    element.classList.toggle("soon", seconds <= 30);
  }
}
tick();
setInterval(tick, 500);

// --- editing in place
function showEdit(shown) {
  const form = one("#edit");
  if (!form) return;
  form.hidden = !shown;
  one("#choose").hidden = shown;
  if (shown) form.text.focus();
  else one("#choose button")?.focus();
}

place.addEventListener("click", (event) => {
  if (event.target.closest("[data-edit]")) showEdit(true);
  if (event.target.closest("[data-cancel]")) showEdit(false);
});
place.addEventListener("keydown", (event) => {
  if (event.target.id !== "text" || event.isComposing) return;
  if (event.key === "Escape") showEdit(false);
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    one("#edit").requestSubmit();
  }
});

// --- keys
for (const key of ["a", "e", "x"]) {
  onKey(key, () => press(one(`#choose:not([hidden]) [data-key="${key}"]:not(:disabled)`)));
}
function move(step) {
  const cases = [...document.querySelectorAll("#queue [data-case]")];
  const at = cases.findIndex((link) => link.ariaCurrent === "true");
  const to = cases[at < 0 ? 0 : at + step];
  press(to);
}
onKey("j", () => move(1));
onKey("k", () => move(-1));

// --- what the server says
let leaving = ""; // the case that is being exchanged for the next
function refuse(over) {
  one("#refusal").hidden = false;
  one("#refusal").scrollIntoView({ block: "nearest" });
  if (!over) return;
  one("#over").hidden = false;
  one("#choose").hidden = true;
  for (const button of document.querySelectorAll("#edit button")) button.disabled = true;
  one("#over button").focus();
}
document.body.addEventListener("refused", () => refuse(false));
document.body.addEventListener("over", () => refuse(true));
document.body.addEventListener("decided", ({ detail }) => {
  if (one("#at")?.value !== detail.case || leaving === detail.case || !one("#over")?.hidden) return;
  if (editing()) {
    one("#refusal").textContent = detail.text;
    refuse(true);
    return;
  }
  if (one("#case .htmx-request")) return; // a choice of one's own is on its way
  leaving = detail.case;
  toast(detail.text);
  openNext(detail.case);
});
// The list asks again by itself: what is wrong with that is said once, and goes when it is over.
function lost(event, text) {
  if (event.target.id !== "queue") return;
  event.stopPropagation();
  one("#lost").textContent = text;
  one("#lost").hidden = false;
}
const offline = one("#lost").dataset.offline;
for (const name of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) {
  one(".reviewing").addEventListener(name, (event) => lost(event, offline));
}
one(".reviewing").addEventListener("htmx:beforeSwap", (event) => {
  const { pathname } = new URL(event.detail.xhr.responseURL || location.href);
  if (event.target.id !== "queue" || !pathname.startsWith("/staff/login/")) return;
  event.detail.shouldSwap = false;
  lost(event, one("#lost").dataset.signedOut);
});
document.addEventListener("htmx:afterSwap", ({ detail }) => {
  const queue = one("#queue");
  if (detail.target.id === "case") one("#case .case")?.focus();
  if (detail.target.id === "queue" || detail.elt.id === "queue") {
    counted = performance.now();
    one("#lost").hidden = true;
    // Something came, or became free, while nothing was open.
    if (one("#idle") && queue.querySelector("[data-case]:not(:has(.tag.info))")) openNext();
  }
  document.title = Number(queue.dataset.count) ? `(${queue.dataset.count}) ${title}` : title;
  tick();
});
if (Number(one("#queue").dataset.count)) document.title = `(${one("#queue").dataset.count}) ${title}`;
