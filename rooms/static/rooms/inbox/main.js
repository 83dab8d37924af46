/** The agents' page: what comes over the line goes into the list, the conversation and the panel; keys and buttons act. */

import { isTyping, onKey, toast } from "../frame.js";
import { Composer } from "./composer.js";
import { askColleague, askReport, askWhy, confirm, post, showTeam } from "./dialogs.js";
import { Line } from "./line.js";
import { List } from "./list.js";
import { Notifier } from "./notify.js";
import { Panel } from "./panel.js";
import { attention, clockOf, comparer, fits, spell } from "./rows.js";
import { element, fill, inWords } from "./text.js";
import { Thread } from "./thread.js";
import { Transcript } from "./transcript.js";

const read = (id) => JSON.parse(document.getElementById(id).textContent);
const get = (id) => document.getElementById(id);
const words = read("words");
const boot = read("boot");
const VIEWS = ["waiting", "mine", "taken", "message", "bot", "closed", "all"];
const SETTINGS = "kefu-inbox-list";
const COUNT_MS = 2_000;
const SEARCH_MS = 250;
const PASSING = new Set(["guards_unavailable", "masking_unavailable", "service_unavailable", "unheard"]);
const ATTEMPTS = 3; // at what passes, before the agent is asked
const AGAIN_MS = 1_000;

const root = get("inbox");
const known = new Map(); // rows by conversation
const seen = new Map(); // conversation → `updated` of what was read
const sites = new Map();
const revealed = new Map(); // placeholder → original, of the open conversation
let me = { user: "", name: "", may: new Set(), roles: [] };
let settings = { view: "waiting", sort: "", last: "", filters: {}, ...JSON.parse(sessionStorage.getItem(SETTINGS) ?? "{}") };
let listed = []; // conversations of the list, in the server's order
let more = null;
let loading = 0;
let open = null; // {conversation, transcript, customer, summary, draft, marks}
let degraded = false;

const line = new Line({
  url: `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${boot.socket}`,
  language: boot.language,
  onFrame: hear,
  onState: lineIs,
});
const notifier = new Notifier();
const tabs = new BroadcastChannel("kefu-inbox");

const row = () => open && known.get(open.conversation);
const may = (action) => me.may.has(action);
const isMine = (one = row()) => one?.state === "taken" && one.agent === me.user;
const isChief = () => me.roles.includes("supervisor") || me.roles.includes("administrator");
const mayAct = (one = row()) => isMine(one) || (one?.state === "taken" && isChief());
const named = (one) => `${words.visitor} ${one.visitor}`;
const query = () => get("query").value.trim();
const problem = (error) => error.message || (words[`error_${error.code}`] ?? words.error_internal).replace("{owner}", error.owner === "bot" ? words.role_bot : error.owner ?? "");
const complain = (error) => toast(problem(error), { wrong: true });

const list = new List(get("rows"), { words, seen, sites, topics: boot.topics, name: named, query, me: "" }, { onOpen: (one) => openRow(one.conversation), onEnd: loadMore });
const thread = new Thread(get("log"), get("newer"), {
  words, root: boot.root, may, chip,
  conversation: () => open.conversation,
  categories: (list) => list.map((one) => words[`category_${one}`] ?? one).join(words.comma),
  why: (message) => `${boot.staff}why/${message}/`,
  onReport: report,
  onRetry: (key, confirmed) => { open.transcript.again(key); drawThread(); deliver(open, open.transcript.get(key), confirmed); },
  onEdit: (key) => { const { kind, text } = open.transcript.get(key); open.transcript.drop(key); drawThread(); composer.back(kind === "note" ? "note" : "reply", text); },
  onDrop: (key) => { open.transcript.drop(key); drawThread(); },
});
const panel = new Panel(get("customer"), { words, sites, topics: boot.topics, chip, name: named, may, onTag: tag, onOpen: (one) => { known.set(one.conversation, one); openRow(one.conversation); } });
const composer = new Composer(
  { form: get("composer"), text: get("text"), modes: document.querySelectorAll("#composer [data-mode]"), popup: get("canned"), send: get("send") },
  {
    words, canned: boot.canned, row,
    mayReply: () => isMine() && may("reply"),
    values: () => ({ agent: me.name, site: sites.get(row().site) ?? row().site, customer: [...revealed].find(([placeholder]) => placeholder.startsWith("<PERSON_"))?.[1] ?? words[`customer_${row().language}`] }),
    onSend: (mode, text) => say(mode, text),
    onTyping: () => isMine() && line.send("typing", { conversation: open.conversation }),
    onLeave: () => get("rows").focus(),
    onSuggest: suggest,
  },
);

// --- the line

function lineIs(state, welcome) {
  get("line").hidden = state === "open" && !degraded;
  get("line").textContent = state === "refused" ? words.line_refused : state === "open" ? words.line_degraded : words.line_broken;
  root.dataset.line = state;
  if (state === "refused") { Composer.forget(); location.assign(`${boot.signin}?next=${encodeURIComponent(location.pathname)}`); }
  if (state !== "open") return;
  me = { ...welcome, may: new Set(welcome.may), available: welcome.available };
  list.look.me = me.user;
  sites.clear();
  for (const site of welcome.sites) sites.set(site.key, site.name);
  drawSites(welcome.sites);
  get("available").disabled = !may("take");
  get("available").checked = welcome.available;
  get("team-open").hidden = !may("see_team");
  load();
  count();
  watchOffers();
  if (open) watch(open);
  else if (location.hash.length > 30) openRow(location.hash.slice(1), false);
}

function hear(frame) {
  if (frame.type === "conversation") return take(frame.row);
  if (frame.type === "reload") { load(); count(); watchOffers(); return; }
  if (frame.type === "service") {
    degraded = frame.state !== "ok";
    get("line").hidden = !degraded;
    get("line").textContent = words.line_degraded;
    return;
  }
  if (frame.conversation !== open?.conversation) return;
  if (frame.type === "event" && open.transcript.receive(frame.event)) drawSoon();
  if (frame.type === "notes") { open.transcript.notes(frame.notes); drawSoon(); }
  if (frame.type === "typing" && frame.author !== me.name) typing(frame.author);
}

let typingTimer = 0;
function typing(author) {
  get("typing").textContent = `${author} ${words.is_typing}`;
  clearTimeout(typingTimer);
  typingTimer = setTimeout(() => (get("typing").textContent = ""), 5_000);
}

/** A row that changed. */
function take(one) {
  const { match } = known.get(one.conversation) ?? {};
  if (match && query()) one = { ...one, match }; // where it was found, only the search says
  known.set(one.conversation, one);
  if (one.conversation === open?.conversation) {
    if (document.hasFocus()) seen.set(one.conversation, one.updated);
    drawOpen();
  }
  place(one);
  attend();
  countSoon();
}

// --- the list

const sortOf = () => settings.sort || (["waiting", "message"].includes(settings.view) ? "wait" : "newest");

async function load() {
  const mine = ++loading;
  root.dataset.loading = "";
  try {
    const answer = await line.command("inbox", { view: settings.view, ...settings.filters, query: query(), sort: sortOf() });
    if (mine !== loading) return;
    listed = [];
    add(answer);
  } catch (error) {
    if (mine === loading && error.code !== "unheard") complain(error);
  } finally {
    if (mine === loading) { delete root.dataset.loading; drawList(); }
  }
}

async function loadMore() {
  if (!more || root.dataset.loading !== undefined) return;
  const [before, mine] = [more, ++loading];
  root.dataset.loading = "";
  try {
    const answer = await line.command("inbox", { view: settings.view, ...settings.filters, query: query(), sort: sortOf(), before });
    if (mine === loading) add(answer);
  } catch { /* the end comes into sight again */ } finally {
    if (mine === loading) delete root.dataset.loading;
  }
}

function add(answer) {
  more = answer.more;
  const there = new Set(listed);
  for (const one of answer.conversations) {
    known.set(one.conversation, one);
    if (!there.has(one.conversation)) listed.push(one.conversation);
  }
  drawList();
  attend();
}

/** Put a changed row where it belongs now. A search's result stays as it was found. */
function place(one) {
  if (query()) return drawList();
  listed = listed.filter((conversation) => conversation !== one.conversation);
  if (fits(one, settings.view, settings.filters, me.user, Date.now())) {
    const before = comparer(sortOf());
    const index = listed.findIndex((other) => before(one, known.get(other)) < 0);
    if (index >= 0) listed.splice(index, 0, one.conversation);
    else if (!more) listed.push(one.conversation);
  }
  drawList();
}

function drawList() {
  list.rows = listed.map((conversation) => known.get(conversation));
  const empty = !listed.length && root.dataset.loading === undefined;
  get("nothing").hidden = listed.length > 0;
  get("nothing").textContent = !empty ? words.loading : query() || Object.values(settings.filters).some(Boolean) ? words.nothing_found : words[`nothing_${settings.view}`];
}

function turnTo(view) {
  settings = { ...settings, view, sort: "", last: query() ? settings.last : "" };
  changed();
}

function changed() {
  sessionStorage.setItem(SETTINGS, JSON.stringify(settings));
  for (const button of document.querySelectorAll("[data-view]")) button.ariaPressed = String(button.dataset.view === settings.view);
  get("sort").value = sortOf();
  const number = Object.values(settings.filters).filter(Boolean).length;
  get("filter-count").textContent = number || "";
  get("filter-count").hidden = !number;
  get("agent-only").hidden = !settings.filters.agent;
  get("agent-name").textContent = settings.filters.agent ?? "";
  list.at = -1;
  get("rows").scrollTop = 0;
  load();
}

let counting = 0;
async function count() {
  counting = 0;
  try {
    const { counts } = await line.command("counts", { site: settings.filters.site ?? "" });
    for (const view of VIEWS) document.querySelector(`[data-view="${view}"] span`).textContent = counts[view];
  } catch { /* the next change counts again */ }
}
function countSoon() {
  counting ||= setTimeout(count, COUNT_MS);
}

/** What is offered to this agent may stand in no list that is shown. */
async function watchOffers() {
  if (!may("take")) return;
  try {
    for (const view of ["waiting", "mine"]) {
      const { conversations } = await line.command("inbox", { view, sort: view === "waiting" ? "wait" : "newest" });
      for (const one of conversations) known.set(one.conversation, one);
    }
    attend();
  } catch { /* rows that change come by themselves */ }
}

/** Say what waits for this agent: above the list, in the title, on the desktop. */
function attend() {
  const { offers, unread } = attention([...known.values()], me.user, seen);
  notifier.count(offers.length + unread.length);
  const box = get("offers");
  box.replaceChildren(
    ...offers.slice(0, 3).map((one) => {
      const note = element("div", "", "note warn offer");
      const text = element("p", `${words.offered_you}: `);
      text.append(element("bdi", named(one)), ` · ${inWords(one.preview, words).slice(0, 60)}`);
      const button = element("button", words.take, "main small");
      button.type = "button";
      button.addEventListener("click", async () => { await openRow(one.conversation); act.take(); });
      note.append(text, button);
      return note;
    }),
  );
  for (const one of offers) notifier.tell(`offer ${one.conversation}`, words.offered_you, `${named(one)}: ${inWords(one.preview, words)}`, () => openRow(one.conversation));
  for (const one of unread) notifier.tell(`said ${one.conversation} ${one.updated}`, named(one), inWords(one.preview, words), () => openRow(one.conversation));
  for (const one of known.values()) if (one.offered_to !== me.user) notifier.over(`offer ${one.conversation}`);
}

// --- the conversation

async function openRow(conversation, push = true) {
  if (open?.conversation !== conversation) {
    if (open) line.command("unwatch", { conversation: open.conversation }).catch(() => {});
    open = { conversation, transcript: new Transcript(), customer: null, summary: null, draft: "", marks: {} };
    revealed.clear();
    thread.clear();
    panel.clear();
    get("suggestions").replaceChildren();
    get("typing").textContent = "";
    composer.of(conversation);
    const address = `#${conversation}`;
    if (push && location.hash !== address) history.pushState(null, "", address);
    list.mark(conversation);
    drawOpen();
    await watch(open);
  }
  pane("thread");
}

async function watch(what) {
  try {
    const opened = await line.command("watch", { conversation: what.conversation, after: what.transcript.seq });
    if (what !== open) return;
    known.set(what.conversation, opened.row);
    seen.set(what.conversation, opened.row.updated);
    Object.assign(what, { summary: opened.summary, draft: opened.draft });
    what.transcript.notes(opened.notes);
    for (const entry of what.transcript.unheard()) deliver(what, entry);
    drawOpen();
    drawThread();
    attend();
    await look(what);
  } catch (error) {
    if (what !== open || error.code === "unheard") return;
    complain(error);
    shut();
  }
}

/** What stands beside the conversation. */
async function look(what) {
  try {
    const customer = await line.command("customer", { conversation: what.conversation });
    if (what !== open) return;
    Object.assign(what, { customer, marks: customer.messages });
    drawPanel();
    drawThread();
  } catch { /* asked again with the next opening */ }
}

function shut() {
  if (!open) return;
  line.command("unwatch", { conversation: open.conversation }).catch(() => {});
  composer.of("");
  open = null;
  revealed.clear();
  thread.clear();
  panel.clear();
  list.mark("");
  drawOpen();
  history.replaceState(null, "", location.pathname);
  pane("list");
}

/** On a phone one of three: "list", "thread", "panel". */
function pane(name) {
  root.dataset.pane = name;
}

let drawing = 0;
function drawSoon() {
  drawing ||= requestAnimationFrame(() => { drawing = 0; drawThread(); });
}

function drawThread() {
  if (!open) return;
  thread.show(open.transcript, open.marks);
}

function drawPanel() {
  const one = row();
  if (one) panel.show(one, open.customer, open.summary);
}

let wasOwn = null;
function drawOpen() {
  const one = row();
  root.classList.toggle("is-open", Boolean(open));
  get("none").hidden = Boolean(open);
  get("thread").hidden = !open;
  if (!one) return;
  get("who").textContent = named(one);
  const state = get("state");
  state.textContent = one.state === "taken" ? (isMine(one) ? words.state_mine : `${words.with} ${one.agent ?? "—"}`) : words[`state_${one.state}`];
  state.className = `tag ${{ waiting: "warn", message: "info", taken: isMine(one) ? "good" : "info" }[one.state] ?? ""}`;
  drawClock();
  get("take").hidden = !may("take") || isMine(one) || (one.state === "taken" && !isChief());
  for (const id of ["hand-back", "close", "transfer"]) get(id).hidden = !mayAct(one);
  get("not-own").hidden = isMine(one);
  get("not-own-text").textContent = one.state === "taken" ? `${words.with} ${one.agent}${words.stop_mark}${isChief() ? words.may_take : words.may_note}` : words.not_own;
  const draft = get("draft");
  draft.hidden = !(open.draft && isMine(one));
  if (!draft.hidden) fill(get("draft-text"), open.draft, { chip: (placeholder) => document.createTextNode(placeholder), plain: true });
  get("review-note").hidden = !one.review;
  get("suggest").disabled = !may("see_queue");
  composer.allow();
  if (wasOwn !== null && wasOwn !== isMine(one)) { thread.forget(); drawThread(); }
  wasOwn = isMine(one);
  drawPanel();
}

function drawClock() {
  const one = row();
  const clock = one && clockOf(one, Date.now());
  const shown = get("clock");
  shown.hidden = !clock;
  if (!clock) return;
  shown.textContent = `${one.state === "waiting" ? words.waits : words.unanswered_for} ${spell(clock.seconds, words)}`;
  shown.className = `tag ${clock.level}`;
}
setInterval(drawClock, 1_000);

/** A placeholder in a text: pressed, it asks why the original is to be seen. */
function chip(placeholder) {
  const button = element("button", "", "chip");
  button.type = "button";
  const value = revealed.get(placeholder);
  const label = inWords(placeholder, words);
  button.append(element("bdi", value ?? label));
  button.title = value ? label : words.reveal;
  button.classList.toggle("shown", Boolean(value));
  button.addEventListener("click", () => {
    if (value) { revealed.delete(placeholder); redrawChips(); return; }
    if (!mayAct()) { toast(words.reveal_not, { wrong: true }); return; }
    const { conversation } = open;
    askWhy(label, async (why) => {
      try {
        const answer = await line.command("reveal", { conversation, placeholder, why });
        if (open?.conversation === conversation) { revealed.set(placeholder, answer.value); redrawChips(); }
        return null;
      } catch (error) { return problem(error); }
    });
  });
  return button;
}

function redrawChips() {
  thread.forget();
  drawThread();
  drawPanel();
}

// --- acts

function say(mode, text) {
  const id = crypto.randomUUID();
  open.transcript.sending(id, mode === "note" ? "note" : "message", text, me.name, new Date().toISOString());
  thread.stays = true;
  drawThread();
  if (mode === "reply") open.draft = "";
  get("suggestions").replaceChildren();
  drawOpen();
  deliver(open, open.transcript.get(id));
}

/** Send what was written; the same id again, over this line or the next, does nothing twice. */
async function deliver(what, entry, confirmed = false, attempt = 1) {
  const note = entry.kind === "note";
  try {
    const fields = { conversation: what.conversation, text: entry.text, ...(note ? {} : { confirmed }) };
    const answer = await line.command(note ? "note" : "reply", fields, entry.key);
    what.transcript.arrived(entry.key, answer.message);
  } catch (error) {
    if (error.code === "unheard" && line.state !== "open") return; // goes again over the next line
    if (PASSING.has(error.code) && attempt < ATTEMPTS) {
      setTimeout(() => deliver(what, entry, confirmed, attempt + 1), AGAIN_MS);
      return;
    }
    what.transcript.failed(entry.key, error);
  }
  if (what === open) drawThread();
}

async function command(type, fields = {}) {
  try {
    return await line.command(type, { conversation: open.conversation, ...fields });
  } catch (error) {
    complain(error);
    return null;
  }
}

const act = {
  async take() {
    const one = row();
    if (!one || isMine(one) || !may("take")) return;
    if (one.state === "taken") {
      if (!isChief()) { toast(words.error_not_owner.replace("{owner}", one.agent), { wrong: true }); return; }
      confirm(words.take_from.replace("{agent}", one.agent), async () => {
        try { await line.command("transfer", { conversation: one.conversation, to: me.user }); return null; } catch (error) { return problem(error); }
      });
      return;
    }
    const taken = await command("take");
    if (!taken || open?.conversation !== one.conversation) return;
    open.draft = taken.draft;
    known.set(one.conversation, { ...row(), state: "taken", agent: me.user, offered_to: null });
    take(known.get(one.conversation));
    composer.turn("reply", true);
  },
  async handBack() {
    if (mayAct() && (await command("hand_back"))) toast(words.handed_back);
  },
  async close() {
    if (!mayAct()) return;
    const { conversation } = open;
    confirm(words.close_sure, async () => {
      try { await line.command("close", { conversation }); toast(words.closed_now); return null; } catch (error) { return problem(error); }
    });
  },
  async transfer() {
    const one = row();
    if (!mayAct(one)) return;
    const team = await command("team", { conversation: undefined });
    if (!team) return;
    const people = team.people.filter((person) => person.user !== one.agent && (!person.sites || person.sites.includes(one.site)));
    askColleague(people, words, async (to) => {
      try { await line.command("transfer", { conversation: one.conversation, to }); toast(words.transferred); return null; } catch (error) { return problem(error); }
    });
  },
  async available() {
    if (!may("take")) return;
    const wanted = !me.available;
    try {
      const answer = await line.command("available", { available: wanted });
      isAvailable(answer.available);
      tabs.postMessage({ available: answer.available });
      toast(answer.available ? words.available_on : words.available_off);
    } catch (error) { complain(error); get("available").checked = me.available; }
  },
  async team() {
    const team = await line.command("team").catch((error) => { complain(error); return null; });
    if (!team) return;
    showTeam(team, words, sites, boot.topics, (agent) => {
      settings = { ...settings, view: "taken", filters: { agent } };
      get("filters").reset();
      changed();
    });
  },
  reply: () => open && composer.turn("reply", true),
  note: () => open && composer.turn("note", true),
  draft() {
    if (!open?.draft || !isMine()) return;
    composer.put(open.draft, { after: true });
    open.draft = "";
    drawOpen();
  },
};

function isAvailable(on) {
  me.available = on;
  get("available").checked = on;
}
tabs.onmessage = ({ data }) => isAvailable(data.available);

async function tag(name, on) {
  const what = open;
  if (!(await command("tag", { name, on }))) return;
  const one = known.get(what.conversation);
  const tags = on ? [...new Set([...one.tags, name])].sort() : one.tags.filter((other) => other !== name);
  if (on && !boot.tags.includes(name)) { boot.tags.push(name); drawTags(); }
  take({ ...one, tags });
}

let asking = 0;
async function suggest() {
  if (!open) return;
  const box = get("suggestions");
  const [what, mine] = [open, ++asking];
  box.replaceChildren(element("p", words.suggesting, "soft"));
  const typed = composer.mode === "reply" && composer.text.trim().endsWith("?") ? composer.text.trim() : "";
  const answer = await post(`${boot.root}suggest/${what.conversation}/`, { question: typed }, words);
  if (what !== open || mine !== asking) return;
  box.replaceChildren();
  if (!answer.ok) { box.append(element("p", answer.text, "note wrong")); return; }
  const { suggestions, question } = answer.data;
  const head = element("div", "", "head");
  const away = element("button", "×", "plain small");
  Object.assign(away, { type: "button", ariaLabel: words.close_label });
  away.addEventListener("click", () => box.replaceChildren());
  head.append(element("span", question ? `${words.suggested_for} “${question}”` : words.suggest_nothing, "soft"), away);
  box.append(head);
  if (question && !suggestions.length) box.append(element("p", words.suggest_none));
  for (const one of suggestions) {
    const card = element("div", "", "suggestion");
    const text = element("div", "", "text");
    text.dir = "auto";
    fill(text, one.text, { chip: (placeholder) => document.createTextNode(placeholder) });
    const foot = element("div", "", "foot");
    const use = element("button", words.use, "small");
    use.type = "button";
    use.addEventListener("click", () => { box.replaceChildren(); composer.put(one.text, { after: true }); });
    if (one.sure) foot.append(element("span", words.suggest_sure, "tag good"));
    foot.append(...one.sources.map((source) => element("span", `${source.document}${source.heading || source.question ? ` · ${source.heading || source.question}` : ""}`, "tag")), use);
    card.append(text, foot);
    box.append(card);
  }
  box.querySelector(".suggestion button")?.focus();
}

function report(message) {
  const what = open;
  askReport(message, boot.root, words, (made) => {
    what.marks = { ...what.marks, [message]: { ...what.marks[message], wrong: made.reason, by: made.by } };
    if (what === open) drawThread();
    if (made.golden) toast(words.report_kept);
  });
}

function reportLast() {
  const last = [...document.querySelectorAll("#log [data-report]")].at(-1);
  if (last) report(last.dataset.report);
}

// --- fields and buttons

function drawSites(all) {
  get("filter-site").replaceChildren(new Option(words.any_site, ""), ...all.map((site) => new Option(site.name, site.key)));
  get("filter-site").value = settings.filters.site ?? "";
  get("filter-site").closest("label").hidden = all.length < 2;
}

function drawTags() {
  const chosen = settings.filters.tag ?? "";
  get("filter-tag").replaceChildren(new Option(words.any_tag, ""), ...boot.tags.toSorted().map((name) => new Option(name, name)));
  get("filter-tag").value = chosen;
  get("known-tags").replaceChildren(...boot.tags.map((name) => new Option(name, name)));
}

get("filter-topic").append(...Object.entries(boot.topics).map(([slug, name]) => new Option(name, slug)));
drawTags();
for (const [name, value] of Object.entries(settings.filters)) {
  const field = get("filters").elements[name === "late" ? "wait" : name];
  if (field) field.value = name === "late" ? "late" : value;
}
get("filters").addEventListener("input", () => {
  const { site, language, topic, sentiment, tag: tagged, wait } = get("filters").elements;
  const filters = { site: site.value, language: language.value, topic: topic.value, sentiment: sentiment.value, tag: tagged.value };
  if (settings.filters.agent) filters.agent = settings.filters.agent;
  if (wait.value === "late") filters.late = true;
  else if (wait.value) filters.wait = Number(wait.value);
  settings = { ...settings, filters };
  changed();
  count();
});
get("filters-clear").addEventListener("click", () => { get("filters").reset(); settings = { ...settings, filters: {} }; changed(); count(); });
get("agent-only").addEventListener("click", () => { const { agent, ...filters } = settings.filters; settings = { ...settings, filters }; changed(); });
get("filter-toggle").addEventListener("click", () => toggleFilters());
function toggleFilters() {
  const shown = get("filters").hidden;
  get("filters").hidden = !shown;
  get("filter-toggle").ariaExpanded = String(shown);
  if (shown) get("filters").querySelector("select:not([hidden])").focus();
}
get("sort").addEventListener("input", () => { settings = { ...settings, sort: get("sort").value }; changed(); });
for (const button of document.querySelectorAll("[data-view]")) button.addEventListener("click", () => turnTo(button.dataset.view));
let searching = 0;
get("query").addEventListener("input", () => {
  clearTimeout(searching);
  searching = setTimeout(() => {
    // What is searched for may stand anywhere; afterwards the list is again what it was.
    if (query() && !settings.last) settings = { ...settings, view: "all", last: settings.view };
    else if (!query() && settings.last) settings = { ...settings, view: settings.last, last: "" };
    changed();
  }, SEARCH_MS);
});
get("query").addEventListener("keydown", (event) => {
  if (event.key === "Escape" && query()) { get("query").value = ""; get("query").dispatchEvent(new Event("input")); event.preventDefault(); }
  else if (event.key === "Escape" || event.key === "ArrowDown" || event.key === "Enter") { event.preventDefault(); get("rows").focus(); list.at < 0 && list.move(1); }
});
get("available").addEventListener("click", (event) => { event.preventDefault(); setTimeout(act.available); });
get("take").addEventListener("click", act.take);
get("take-here").addEventListener("click", act.take);
get("hand-back").addEventListener("click", act.handBack);
get("close").addEventListener("click", act.close);
get("transfer").addEventListener("click", act.transfer);
get("team-open").addEventListener("click", act.team);
get("suggest").addEventListener("click", suggest);
get("use-draft").addEventListener("click", act.draft);
get("back").addEventListener("click", () => { pane("list"); get("rows").focus(); });
get("panel-open").addEventListener("click", () => togglePanel());
get("panel-close").addEventListener("click", () => { pane("thread"); root.classList.add("no-panel"); });
function togglePanel() {
  if (matchMedia("(max-width: 72rem)").matches) pane(root.dataset.pane === "panel" ? "thread" : "panel");
  else root.classList.toggle("no-panel");
}
get("notices").checked = notifier.notices;
get("notices").addEventListener("change", async ({ target }) => {
  target.checked = await notifier.allow(target.checked);
  if (!target.checked && "Notification" in window && Notification.permission === "denied") toast(words.notices_denied, { wrong: true });
});
get("sound").checked = notifier.sound;
get("sound").addEventListener("change", ({ target }) => (notifier.sound = target.checked));

addEventListener("popstate", () => {
  const conversation = location.hash.slice(1);
  if (conversation.length > 30) openRow(conversation, false);
  else pane("list");
});
addEventListener("focus", () => {
  const one = row();
  if (one) { seen.set(one.conversation, one.updated); attend(); list.draw(); }
});

// --- keys: all of them stand under "?"

const KEYS = {
  j: [() => list.move(1), "key_next"],
  k: [() => list.move(-1), "key_before"],
  Enter: [(event) => (event.target.closest("button, a, summary") ? event.target.click() : list.current && openRow(list.current.conversation)), "key_open"],
  t: [act.take, "take"],
  r: [act.reply, "key_reply"],
  n: [act.note, "key_note"],
  s: [suggest, "suggest"],
  d: [act.draft, "use_draft"],
  b: [act.handBack, "hand_back"],
  m: [act.transfer, "transfer"],
  e: [act.close, "close_it"],
  w: [reportLast, "key_report"],
  l: [() => { if (!open) return; root.classList.remove("no-panel"); if (matchMedia("(max-width: 72rem)").matches) pane("panel"); get("tag-name")?.focus(); }, "key_tag"],
  p: [togglePanel, "key_panel"],
  f: [toggleFilters, "filters"],
  a: [act.available, "key_available"],
  v: [act.team, "team"],
  Escape: [() => { if (get("suggestions").childElementCount) get("suggestions").replaceChildren(); else if (root.dataset.pane === "panel") pane("thread"); else shut(); }, "key_shut"],
};
for (const [key, [run]] of Object.entries(KEYS)) onKey(key, run);
onKey("ArrowDown", () => list.move(1));
onKey("ArrowUp", () => list.move(-1));
VIEWS.forEach((view, index) => onKey(String(index + 1), () => turnTo(view)));
const help = document.querySelector("#keys .keys");
const helpRow = (keys, text) => {
  const name = element("dt");
  keys.forEach((key) => name.append(element("kbd", key), " "));
  help?.append(name, element("dd", text));
};
for (const [key, [, text]] of Object.entries(KEYS)) helpRow([key], words[text]);
helpRow(["1", "…", "7"], words.key_views);
helpRow(["/", words.key_in_box], words.key_canned);
helpRow(["Enter"], words.key_send);
helpRow(["Alt", "S"], words.key_suggest_box);
helpRow(["Alt", "N"], words.key_mode);
helpRow(["Esc"], words.key_leave_box);

changed();
drawOpen();
// A field that is left by Escape gives the keys back.
addEventListener("keydown", (event) => {
  if (event.key === "Escape" && isTyping(event) && event.target.closest(".inbox-panel, #filters")) event.target.blur();
});
