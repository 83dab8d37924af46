/** Copying, lines that are added and taken away, and the chat in the corner that follows the form. */

import { toast } from "./frame.js";

document.addEventListener("click", async (event) => {
  const copier = event.target.closest("[data-copy]");
  if (!copier) return;
  const source = document.getElementById(copier.dataset.copy);
  try {
    await navigator.clipboard.writeText(source.textContent);
  } catch {
    // Without https there is no clipboard: mark the text, and the old way copies what is marked.
    getSelection().selectAllChildren(source);
    document.execCommand("copy");
  }
  toast(copier.dataset.copied);
});

// Lists of lines: the last line, emptied, is the pattern of a new one.
for (const rows of document.querySelectorAll("[data-rows]")) {
  const add = rows.querySelector("[data-add]");
  add.hidden = false;
  const one = () => {
    const row = rows.querySelector("[data-row]:last-of-type").cloneNode(true);
    empty(row);
    add.before(row);
    return row;
  };
  add.addEventListener("click", () => one().querySelector("input:not([type=hidden])").focus());
  rows.addEventListener("click", (event) => {
    const row = event.target.closest("[data-remove]")?.closest("[data-row]");
    if (!row) return;
    if (rows.querySelectorAll("[data-row]").length > 1) row.remove();
    else empty(row);
    add.focus();
  });
}

function empty(row) {
  for (const input of row.querySelectorAll("input")) input.value = "";
  for (const select of row.querySelectorAll("select")) select.selectedIndex = 0;
}

const hours = document.querySelector("[data-weekly]")?.closest("form");
if (hours) {
  const show = () => { hours.querySelector("[data-weekly]").hidden = hours.elements.when.value === "always"; };
  show();
  hours.addEventListener("change", show);
  const same = hours.querySelector("[data-as-monday]");
  same.hidden = false;
  same.addEventListener("click", () => {
    const [monday, ...rest] = hours.querySelectorAll(".week [data-rows]");
    const spans = [...monday.querySelectorAll("[data-row]")];
    for (const day of rest.slice(0, 4)) {
      const name = day.querySelector("input").name.split("_")[0];
      for (const row of day.querySelectorAll("[data-row]")) row.remove();
      for (const span of spans) {
        const row = span.cloneNode(true);
        [...row.querySelectorAll("input")].forEach((input, place) => {
          input.name = `${name}_${place ? "end" : "begin"}`;
          input.value = span.querySelectorAll("input")[place].value;
          input.ariaLabel = input.ariaLabel.replace(monday.closest("tr").cells[0].textContent, day.closest("tr").cells[0].textContent);
        });
        day.querySelector("[data-add]").before(row);
      }
    }
  });
}

// A new base's name is asked for only where a new one is wanted.
const name = document.querySelector("[name=new_base]");
if (name) {
  const base = name.form.elements.base;
  const show = () => { name.closest(".field").hidden = base.value !== ""; };
  show();
  base.addEventListener("change", show);
}

// What the chat takes as attributes shows at once.
const look = document.querySelector("[data-look]");
look?.addEventListener("input", () => {
  const chat = document.querySelector("kefu-chat");
  if (!chat) return;
  const own = look.elements["colour.own"].checked;
  chat.dataset.colour = own ? look.elements.colour.value : "";
  chat.dataset.position = look.elements.side.value;
  chat.dataset.theme = look.elements.theme.value;
  const written = document.documentElement.lang.startsWith("zh") ? ["zh", "en"] : ["en", "zh"];
  chat.dataset.launcher = written.map((language) => look.elements[`launcher.${language}`].value.trim()).find(Boolean) ?? "";
});
look?.querySelector("[type=color]").addEventListener("input", () => { look.elements["colour.own"].checked = true; });
