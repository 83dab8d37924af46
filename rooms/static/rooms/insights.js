/** The dates are asked for only where the period is the reader's own; choosing anything else shows it at once. */
const form = document.querySelector("[data-period]");
const show = () => {
  for (const label of form.querySelectorAll("[data-custom]")) label.hidden = form.days.value !== "custom";
};
show();
form.addEventListener("change", (event) => {
  show();
  if (event.target.matches("select") && form.days.value !== "custom") form.requestSubmit();
});
