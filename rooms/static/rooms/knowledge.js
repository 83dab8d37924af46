/** The knowledge room: files coming in, chunks beside their source, dialogs, undo. Pages are the server's; this only
 * does what a form cannot. */

import { onKey, press, toast } from "./frame.js";
import "./times.js";

const words = JSON.parse(document.getElementById("knowledge-words").textContent);
const said = (code, ...values) => values.reduce((text, value) => text.replace("{}", value), words[code] ?? code);
const find = (selector, within = document) => within.querySelector(selector);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const csrf = () => JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];

/** An element with its properties and children. */
function make(name, properties = {}, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

// --- files coming in: each is sent, then followed from stage to stage

const STAGES = ["stored", "parsed", "chunked", "embedded", "ready"];
const AT_ONCE = 2;
const waiting = [];
const followed = new Map();
let sending = 0;
let timer = 0;

const room = () => find("#incoming");

/** Send a file; resolves to {status, text}. */
function send(url, file, fields, progress) {
  return new Promise((resolve) => {
    const form = new FormData();
    form.append("file", file, file.name);
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.setRequestHeader("X-CSRFToken", csrf());
    request.setRequestHeader("X-Requested-With", "fetch");
    request.setRequestHeader("X-Kefu-Upload", room().dataset.ticket);
    request.setRequestHeader("Accept", "application/json");
    request.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded, event.total);
    request.onload = () => resolve({ status: request.status, text: request.responseText });
    request.onerror = () => resolve({ status: 0, text: "" });
    request.onabort = () => resolve({ status: -1, text: "" });
    request.send(form);
    file.stop = () => request.abort();
  });
}

function fields() {
  const form = find("[data-incoming]");
  const chosen = { then: form.then.value };
  if (form.twice.checked) chosen.twice = "on";
  return chosen;
}

/** One file in the list. */
class Coming {
  constructor(file, fields, look) {
    Object.assign(this, { file, fields, look });
    this.state = make("span", { className: "soft", textContent: words.waits });
    this.bar = make("progress", { max: 1, value: 0 });
    this.bar.setAttribute("aria-label", file.name);
    this.steps = make("ol", { className: "steps", hidden: true });
    this.acts = make("span", { className: "acts" });
    this.more = make("div");
    this.element = make("li", {}, make("bdi", { textContent: file.name }), " ", this.state, " ", this.acts, this.bar, this.steps, this.more);
    this.offer(["cancel", () => this.cancel()]);
    find("[data-coming]").prepend(this.element);
  }

  offer(...acts) {
    this.acts.replaceChildren(
      ...acts.map(([word, act]) => {
        const button = make("button", { type: "button", className: "small", textContent: words[word] });
        button.addEventListener("click", act);
        return button;
      }),
    );
  }

  tell(text, className = "soft") {
    this.state.textContent = text;
    this.state.className = className;
  }

  end(text, className, ...acts) {
    this.bar.hidden = true;
    this.tell(text, className);
    this.offer(...acts, ["put_away", () => this.element.remove()]);
  }

  refused(status, text) {
    if (status === -1) return this.end(words.cancelled, "soft");
    const why = { 0: words.net_away, 413: said("too_large", Math.floor(room().dataset.most / 2 ** 20)), 503: words.server_busy, 403: words.no_right };
    const plain = text && text.length < 300 && !text.startsWith("<") ? text : words.upload_failed;
    this.end(why[status] ?? plain, "wrong", ["retry", () => this.again()]);
  }

  again() {
    this.bar.hidden = false;
    this.bar.value = 0;
    this.more.replaceChildren();
    queue(this);
  }

  async go() {
    if (this.file.size > Number(room().dataset.most)) return this.refused(413, "");
    this.offer(["cancel", () => this.cancel()]);
    this.tell(words.sending);
    const url = this.look ? room().dataset.preview : room().dataset.upload;
    const { status, text } = await send(url, this.file, this.fields, (done, total) => {
      this.bar.max = total;
      this.bar.value = done;
      if (done === total) {
        this.tell(words.taking);
        this.bar.removeAttribute("value");
      }
    });
    if (status !== 200) return this.refused(status, text);
    const came = JSON.parse(text);
    if (this.look) return this.preview(came.url);
    this.take(came.taken);
  }

  preview(url) {
    this.end(words.previewed, "soft", ["take_it", () => this.takeIt()]);
    this.more.replaceChildren(make("div"));
    htmx.ajax("GET", url, { target: this.more.firstChild, swap: "innerHTML" });
  }

  takeIt() {
    this.look = false;
    this.again();
  }

  take(taken) {
    const [first, ...others] = taken;
    for (const one of others) Coming.inside(one);
    if (!first) return this.end(words.upload_failed, "wrong");
    if (others.length) this.element.firstChild.textContent = first.document;
    this.settle(first);
    refresh();
  }

  /** A file out of a .zip. */
  static inside(one) {
    const other = new Coming({ name: one.document, stop() {} }, {}, false);
    other.settle(one);
  }

  settle(one) {
    this.version = one.version;
    if (one.url) this.element.firstChild.replaceChildren(make("a", { href: one.url, textContent: one.document }));
    if (one.state === "stored") {
      followed.set(String(one.version), this);
      this.steps.hidden = false;
      this.show({ stage: "stored", done: 0, total: 0 });
      follow();
    } else if (one.state === "duplicate") {
      const twice = this.file instanceof File ? [["take_twice", () => { this.fields.twice = "on"; this.again(); }]] : [];
      this.end(one.reason, "warn-text", ...twice);
    } else {
      this.end(one.reason, one.state === "unchanged" ? "soft" : "wrong");
    }
  }

  show({ stage, done, total, reason, ended }) {
    const at = STAGES.indexOf(stage);
    this.steps.replaceChildren(
      ...STAGES.map((name, number) => {
        const step = make("li", { textContent: words[name] });
        if (number <= at) step.className = "done";
        if (number === at + 1 && !ended) step.setAttribute("aria-current", "step");
        return step;
      }),
    );
    if (!ended) {
      this.tell(said("doing", total > 1 ? `${done}/${total}` : ""));
      this.bar.hidden = false;
      if (total > 1) Object.assign(this.bar, { max: total, value: done });
      else this.bar.removeAttribute("value");
      this.offer(["cancel", () => this.cancel()]);
      return;
    }
    followed.delete(String(this.version));
    refresh();
    if (stage === "ready") return this.end(words.is_ready, "good-text");
    if (stage === "quarantined") return this.end(words.quarantine_help, "warn-text");
    this.steps.hidden = true;
    this.end(reason || words[stage], "wrong", ["retry", () => this.act("retry")]);
  }

  async act(what) {
    const url = room().dataset.version.replace("/0/cancel/", `/${this.version}/${what}/`);
    const answer = await fetch(url, { method: "POST", headers: { "X-CSRFToken": csrf(), "X-Requested-With": "fetch" } });
    if (!answer.ok) return toast(await answer.text(), { wrong: true });
    followed.set(String(this.version), this);
    this.steps.hidden = false;
    follow();
  }

  cancel() {
    if (this.version) return this.act("cancel");
    const place = waiting.indexOf(this);
    if (place >= 0) waiting.splice(place, 1);
    if (place >= 0 || !this.file.stop) this.end(words.cancelled, "soft");
    else this.file.stop();
  }
}

function queue(coming) {
  waiting.push(coming);
  next();
}

async function next() {
  if (sending >= AT_ONCE || !waiting.length) return;
  sending += 1;
  try {
    await waiting.shift().go();
  } finally {
    sending -= 1;
    next();
  }
}

async function look() {
  timer = 0;
  try {
    const answer = await fetch(`${room().dataset.progress}?ids=${[...followed.keys()].join(",")}`);
    if (answer.ok) for (const [id, state] of Object.entries(await answer.json())) followed.get(id)?.show(state);
  } finally {
    follow();
  }
}

function follow() {
  if (!timer && followed.size && room()) timer = setTimeout(look, 700);
}

let refreshing = 0;
function refresh() {
  clearTimeout(refreshing);
  refreshing = setTimeout(() => htmx.ajax("GET", location.href, { target: "#documents", swap: "outerHTML" }), 300);
}

function come(files) {
  const form = find("[data-incoming]");
  for (const file of files) queue(new Coming(file, fields(), form.look.checked && !file.name.toLowerCase().endsWith(".zip")));
}

document.addEventListener("change", (event) => {
  if (event.target.id !== "files") return;
  come([...event.target.files]);
  event.target.value = "";
});
const carriesFiles = (event) => room() && event.dataTransfer?.types.includes("Files");
addEventListener("dragover", (event) => {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  room().classList.add("over");
});
for (const name of ["dragleave", "drop"]) {
  addEventListener(name, (event) => room() && (name === "drop" || !event.relatedTarget) && room().classList.remove("over"));
}
addEventListener("drop", (event) => {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  come([...event.dataTransfer.files]);
});
addEventListener("beforeunload", (event) => {
  if (sending || waiting.length) event.preventDefault();
});

// --- chunks beside their source

function mark(position) {
  const source = find("#source");
  if (!source) return;
  for (const one of all(".in", source)) one.classList.remove("in");
  const here = all(`[data-in~="${position}"]`, source);
  for (const one of here) one.classList.add("in");
  if (!here.length) return;
  const top = here[0].getBoundingClientRect().top - source.getBoundingClientRect().top;
  if (top < 0 || top > source.clientHeight - 40) source.scrollTop += top - source.clientHeight / 3;
}

document.addEventListener("focusin", (event) => {
  const chunk = event.target.closest("[data-chunk]");
  if (chunk) mark(chunk.dataset.chunk);
});
document.addEventListener("click", (event) => {
  const piece = event.target.closest("#source [data-in]");
  if (piece) find(`#chunk-${piece.dataset.in.split(" ")[0]}`)?.focus();
  const chunk = event.target.closest("[data-chunk]");
  if (chunk) mark(chunk.dataset.chunk);
});

// Before the form is sent: where the cursor stands, in characters as the server counts them.
document.addEventListener("click", (event) => {
  const sure = event.target.closest("[data-sure]");
  if (sure && !confirm(sure.dataset.sure)) return event.preventDefault();
  const split = event.target.closest("[data-split]");
  if (!split) return;
  const text = split.form.elements.text;
  split.form.elements.at.value = [...text.value.slice(0, text.selectionStart)].length;
}, true);

document.addEventListener("keydown", (event) => {
  const form = event.target.closest?.("[data-chunk-form]");
  if (!form || event.isComposing) return;
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    press(find('[value="save"]', form));
  } else if (event.key === "Escape") {
    event.preventDefault();
    press(find("[data-cancel]", form));
  }
});

/** Go to the chunk after or before the focused one. */
function step(by) {
  const chunks = all("[data-chunk], .passages > li, #gaps > article, #radar > article");
  const at = chunks.findIndex((one) => one.contains(document.activeElement));
  const to = chunks[at < 0 ? 0 : Math.max(0, Math.min(chunks.length - 1, at + by))];
  if (!to) return;
  to.tabIndex = to.tabIndex < 0 ? 0 : to.tabIndex;
  to.focus();
}

// --- the page after something was swapped in

function settle(root) {
  const list = root.matches?.("#chunks") ? root : find("#chunks[data-focus]", root);
  if (list?.dataset.focus) {
    const chunk = find(`#chunk-${list.dataset.focus}`);
    chunk?.focus();
    chunk?.scrollIntoView({ block: "nearest" });
    delete list.dataset.focus;
  }
  for (const dialog of all("dialog[data-opened]", root)) if (!dialog.open) dialog.showModal();
}
document.addEventListener("htmx:afterSettle", ({ detail: { elt } }) => {
  if (elt.id === "main") elt.focus({ preventScroll: true });
  settle(elt);
  const chunk = document.activeElement?.closest("[data-chunk]");
  if (elt.id === "source" && chunk) mark(chunk.dataset.chunk);
});
settle(document);
find("[data-first]")?.focus();

// What was made is shown, but never over what somebody is typing.
document.addEventListener("knowledge:made", async () => {
  if (find("[data-chunk-form]")) return;
  const url = location.href;
  const parts = find("#chunks") ? ["#document-head", "#chunks"] : ["#main"];
  const focused = document.activeElement?.closest("[data-chunk]")?.id;
  for (const part of parts) await htmx.ajax("GET", url, { target: part, select: part, swap: "outerHTML" });
  if (focused) document.getElementById(focused)?.focus();
});
document.addEventListener("knowledge:told", ({ detail: { text, undo, target, label } }) => {
  toast(text, undo ? { label, undo: () => htmx.ajax("POST", undo, { target, swap: "outerHTML" }) } : {});
});
document.addEventListener("htmx:afterRequest", ({ detail: { elt, successful } }) => {
  if (successful && elt.matches?.("[data-taught]")) elt.reset();
  if (successful && elt.matches?.("[data-reload]")) location.reload();
});
document.addEventListener("click", (event) => {
  const chosen = event.target.closest("[data-threshold]");
  if (!chosen) return;
  const field = find("#threshold");
  field.value = chosen.dataset.threshold;
  field.focus();
});

// --- keys

const tab = (by) => {
  const tabs = all(".tabs")[0] ? all("a", all(".tabs")[0]) : [];
  const at = tabs.findIndex((one) => one.hasAttribute("aria-current"));
  tabs[(at + by + tabs.length) % tabs.length]?.click();
};
const KEYS = [
  ["u", "key_upload", () => find("#files")?.click()],
  ["n", "key_new", () => press(find("[data-new]"))],
  ["j", "key_next", () => step(1)],
  ["k", "key_previous", () => step(-1)],
  ["e", "key_edit", () => press(document.activeElement?.closest("[data-chunk]")?.querySelector("[data-edit]"))],
  ["[", "key_tab_before", () => tab(-1)],
  ["]", "key_tab_after", () => tab(1)],
];
const help = find("#keys dl");
for (const [key, word, act] of KEYS) {
  onKey(key, act);
  help?.append(make("dt", {}, make("kbd", { textContent: key })), make("dd", { textContent: words[word] }));
}
