/** The inbox's dialogs: the reason for seeing an original, a colleague to hand over to, a report, the team. */

import { element } from "./text.js";
import { spell } from "./rows.js";

const get = (id) => document.getElementById(id);
const token = () => JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];

/** POST a form's fields; resolves to {ok, status, data} or {ok: false, text}: what went wrong, in words. */
export async function post(address, fields, words) {
  try {
    const answer = await fetch(address, { method: "POST", body: new URLSearchParams(fields), headers: { "X-CSRFToken": token() } });
    if (answer.redirected) return { ok: false, text: words.signed_out };
    const json = answer.headers.get("Content-Type")?.startsWith("application/json");
    const plain = answer.headers.get("Content-Type")?.startsWith("text/plain");
    return { ok: answer.ok, status: answer.status, data: json ? await answer.json() : null, text: plain ? await answer.text() : words.error_internal };
  } catch {
    return { ok: false, text: words.error_unheard };
  }
}

/** Open a dialog whose form, when sent, calls `act(form)`; that returns what went wrong in words, or nothing to close. */
function ask(dialog, act) {
  const form = dialog.querySelector("form");
  const wrong = dialog.querySelector(".wrong");
  wrong.hidden = true;
  form.onsubmit = async (event) => {
    event.preventDefault();
    const button = form.querySelector(".main");
    button.disabled = true;
    const problem = await act(form);
    button.disabled = false;
    wrong.hidden = !problem;
    wrong.textContent = problem ?? "";
    if (!problem) dialog.close();
  };
  dialog.showModal();
}

/** Ask why an original is to be seen; `reveal(why)` resolves to what went wrong in words, or nothing. */
export function askWhy(label, reveal) {
  const dialog = get("reveal");
  dialog.querySelector("[data-what]").textContent = label;
  dialog.querySelector("form").reset();
  ask(dialog, (form) => reveal(form.elements.why.value.trim()));
}

/** Ask a yes. */
export function confirm(text, act) {
  const dialog = get("sure");
  dialog.querySelector("p").textContent = text;
  ask(dialog, act);
}

/** Choose a colleague among `people` (of the console's `team`); `give(user)` resolves to a problem or nothing. */
export function askColleague(people, words, give) {
  const dialog = get("transfer-to");
  const box = dialog.querySelector(".people");
  const order = (one) => (one.here && one.available ? 0 : one.here ? 1 : 2);
  const sorted = [...people].sort((a, b) => order(a) - order(b) || a.load / (a.capacity || 1) - b.load / (b.capacity || 1));
  box.replaceChildren(
    ...sorted.map((one, index) => {
      const label = element("label");
      const radio = element("input");
      Object.assign(radio, { type: "radio", name: "to", value: one.user, checked: index === 0, required: true });
      const name = element("bdi", one.name);
      label.append(radio, name, presence(one, words), element("span", `${one.load}/${one.capacity}`, "soft"));
      return label;
    }),
  );
  if (!sorted.length) box.append(element("p", words.transfer_nobody));
  dialog.querySelector(".main").disabled = !sorted.length;
  ask(dialog, (form) => give(form.elements.to.value));
}

/** Report an answer as wrong; `done(report)` is called with what was kept. */
export async function askReport(message, root, words, done) {
  const dialog = get("report");
  const form = dialog.querySelector("form");
  const address = `${root}report/${message}/`;
  let facts = null;
  try {
    const answer = await fetch(address);
    if (answer.ok && !answer.redirected) facts = await answer.json();
  } catch { /* told below */ }
  form.reset();
  form.elements.question.value = facts?.question ?? "";
  dialog.querySelector("[data-answer]").textContent = facts?.answer ?? "";
  const fields = dialog.querySelector("[data-facts]");
  const refuses = () => (fields.hidden = form.elements.reason.value === "should_refuse");
  form.elements.reason.onchange = refuses;
  refuses();
  ask(dialog, async () => {
    const sent = await post(address, new FormData(form), words);
    if (sent.status === 409) { done(sent.data.report); return words.report_again.replace("{by}", sent.data.report.by); }
    if (!sent.ok) return sent.text;
    done(sent.data.report);
    return null;
  });
}

/** Show who is here, their load, and what waits; `see(user)` lists a colleague's conversations. */
export function showTeam(team, words, sites, topics, see) {
  const dialog = get("team");
  const queue = dialog.querySelector("[data-queue]");
  const now = Date.now();
  queue.replaceChildren(
    ...team.queue.map((one) => {
      const card = element("div", "", "card");
      const waits = one.since ? (now - Date.parse(one.since)) / 1000 : 0;
      const longest = element("span", one.since ? `${words.longest} ${spell(waits, words)}` : "", `tag ${waits >= one.within ? "bad" : waits >= (one.within * 2) / 3 ? "warn" : ""}`);
      card.append(element("b", sites.get(one.site) ?? one.site), element("div", String(one.waiting), "figure"), element("span", words.state_waiting, "soft"), one.since ? longest : "");
      card.append(element("div", `${one.message} ${words.view_message}`, "soft"));
      return card;
    }),
  );
  if (!team.queue.length) queue.append(element("p", words.queue_empty, "soft"));
  dialog.querySelector("tbody").replaceChildren(
    ...team.people.map((one) => {
      const line = element("tr");
      const cell = (...content) => { const made = line.appendChild(element("td")); made.append(...content); return made; };
      cell(element("bdi", one.name), element("span", one.name === one.user ? "" : ` ${one.user}`, "soft"));
      cell(presence(one, words));
      const load = element("progress");
      Object.assign(load, { max: Math.max(1, one.capacity), value: Math.min(one.load, one.capacity), ariaLabel: words.load });
      cell(`${one.load}/${one.capacity} `, load);
      cell(String(one.offered)).className = "number";
      cell(String(one.taken)).className = "number";
      cell([...one.languages.map((code) => words[`language_${code}`] ?? code), ...one.skills.map((slug) => topics[slug] ?? slug)].join(" · ") || words.any);
      const button = element("button", words.see, "small");
      button.type = "button";
      button.disabled = !one.load;
      button.addEventListener("click", () => { dialog.close(); see(one.user); });
      cell(button);
      return line;
    }),
  );
  if (!dialog.open) dialog.showModal();
}

function presence(one, words) {
  if (one.here === null) return element("span", words.here_unknown, "tag");
  if (!one.here) return element("span", words.here_not, "tag");
  return one.available ? element("span", words.here_available, "tag good") : element("span", words.here_away, "tag warn");
}
