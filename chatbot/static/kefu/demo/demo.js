/* The demo shop's page: a question of the page goes into the chat's composer. */
document.addEventListener("click", (event) => {
  const asked = event.target.closest("[data-ask]");
  if (!asked) return;
  const chat = document.querySelector("kefu-chat");
  if (asked.dataset.ask) chat?.fill(asked.dataset.ask);
  else chat?.open();
});
