/** Times of the server as the reader's own clock shows them: <time datetime data-clock|data-day>. */

const clock = new Intl.DateTimeFormat(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });

/** Write all times below `root` as the reader's. */
export function localTimes(root = document) {
  for (const time of root.querySelectorAll("time[data-clock], time[data-day]")) {
    const at = new Date(time.dateTime);
    const today = at.toDateString() === new Date().toDateString();
    time.textContent = (time.hasAttribute("data-clock") && today ? clock : day).format(at);
    time.title = day.format(at);
  }
}

localTimes();
document.addEventListener("htmx:afterSwap", ({ detail }) => localTimes(detail.elt.parentElement ?? document));
