/** What all rooms share in the browser: appearance, shortcuts, menus, short notices, and what htmx cannot do alone. */

const toasts = document.getElementById("toasts");

/** Show a notice for a while; `undo` adds a button that takes the act back. */
export function toast(text, { wrong = false, undo = null, label = "" } = {}) {
  for (const same of toasts.children) if (same.firstChild.data === text) same.remove();
  const note = document.createElement("p");
  note.className = wrong ? "toast wrong" : "toast";
  note.textContent = text;
  if (undo) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = label;
    button.addEventListener("click", () => { note.remove(); undo(); });
    note.append(button);
  }
  toasts.append(note);
  if (toasts.matches(":popover-open")) toasts.hidePopover();
  toasts.showPopover(); // above a dialog that is open
  setTimeout(() => note.remove(), wrong ? 10_000 : 6_000);
}

/** Whether the key was meant for a field that somebody is typing in. */
export function isTyping(event) {
  return event.target instanceof Element && event.target.closest("input, textarea, select, [contenteditable]") !== null;
}

/** Click for a key. What has just been swapped in htmx may not have reached yet, and a click on it would be lost. */
export function press(element) {
  if (!element) return;
  window.htmx?.process(element.closest("form") ?? element);
  window.htmx?.process(element);
  element.click();
}

const shortcuts = new Map();

/** Have `act` called when `key` is pressed outside of fields, without Ctrl, Alt or Meta. */
export function onKey(key, act) {
  shortcuts.set(key, act);
}

let going = 0;
addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  if (isTyping(event) || document.querySelector("dialog[open]")) return;
  const place = Date.now() - going < 1500 && document.querySelector(`[data-go="${CSS.escape(event.key)}"]`);
  going = event.key === "g" ? Date.now() : 0;
  const act = place ? () => place.click() : shortcuts.get(event.key);
  if (!act) return;
  event.preventDefault();
  act(event);
});

const help = document.getElementById("keys");
onKey("?", () => help?.showModal());
onKey("/", () => document.querySelector("[type=search]")?.focus());
document.querySelector("[data-keys-help]")?.addEventListener("click", () => help.showModal());

const root = document.documentElement;
for (const button of document.querySelectorAll("[data-themes] button")) {
  button.addEventListener("click", () => {
    root.dataset.theme = button.value;
    document.cookie = `kefu_theme=${button.value}; path=/; max-age=31536000; samesite=lax`;
    for (const other of document.querySelectorAll("[data-themes] button")) other.ariaPressed = String(other === button);
  });
}

// Menus and dialogs: [data-open="id"] opens a dialog, [data-close] closes the one around it.
addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details[data-menu][open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
  const opener = event.target.closest?.("[data-open]");
  if (opener) document.getElementById(opener.dataset.open)?.showModal();
  event.target.closest?.("[data-close]")?.closest("dialog")?.close();
});
addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && document.querySelector("details[data-menu][open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

// htmx: a refusal says why (the answer's own text, when it is short and plain), and nothing is swapped in.
document.addEventListener("htmx:responseError", ({ detail: { xhr } }) => {
  const plain = xhr.getResponseHeader("Content-Type")?.startsWith("text/plain") && xhr.responseText.trim();
  const code = { 403: "forbidden", 404: "gone", 409: "gone" }[xhr.status] ?? "failed";
  toast(plain || toasts.dataset[code], { wrong: true });
});
for (const name of ["htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(name, () => toast(toasts.dataset.offline, { wrong: true }));
}
document.addEventListener("htmx:beforeSwap", (event) => {
  if (!new URL(event.detail.xhr.responseURL || location.href).pathname.startsWith("/staff/login/")) return;
  event.detail.shouldSwap = false;
  toast(toasts.dataset.signedOut, { wrong: true });
});
// HX-Trigger: {"toast": {"text": …, "wrong": false}} in an answer.
document.addEventListener("toast", (event) => toast(event.detail.text ?? event.detail.value, event.detail));
