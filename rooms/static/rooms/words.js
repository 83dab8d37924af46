/** The lexicon desk: the dialog that adds or changes a word. */

import { onKey, press } from "./frame.js";
import "./times.js";

const dialog = document.getElementById("word");

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-word]");
  if (!button || !dialog) return;
  const form = dialog.querySelector("form");
  const { action, text = "", suggest = "", level = "block", category = "", seen = "" } = button.dataset;
  form.setAttribute("hx-post", action);
  htmx.process(form);
  form.text.value = text || suggest;
  form.text.readOnly = Boolean(text);
  form.level.value = level;
  form.category.value = category;
  form.seen.value = seen;
  const title = dialog.querySelector("h2");
  title.textContent = text ? title.dataset.edit : title.dataset.new;
  dialog.querySelector("[data-refusal]").hidden = true;
  dialog.showModal();
});
// A notice would be hidden behind the dialog, so what is refused is said in it.
dialog?.addEventListener("htmx:responseError", (event) => {
  if (!event.detail.xhr.getResponseHeader("Content-Type")?.startsWith("text/plain")) return;
  event.stopPropagation();
  const refusal = dialog.querySelector("[data-refusal]");
  refusal.textContent = event.detail.xhr.responseText;
  refusal.hidden = false;
});
onKey("n", () => press(document.querySelector("[data-word][data-new]")));

document.addEventListener("keydown", (event) => {
  if (!event.target.matches?.("textarea[data-submit]") || event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  event.target.form.requestSubmit();
});
