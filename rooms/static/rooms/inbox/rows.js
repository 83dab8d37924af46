/** Which row belongs into which list, in what order, and how long somebody waits. Pure: no DOM, no clock, no socket. */

/** Whether a row belongs into `view` with `filters` (fields as in the console's `inbox` frame), for the account `me`. */
export function fits(row, view, filters, me, now) {
  const inView = {
    waiting: row.state === "waiting",
    message: row.state === "message",
    taken: row.state === "taken",
    mine: row.state === "taken" && row.agent === me,
    bot: row.state === "bot",
    closed: row.state === "closed",
    all: true,
  }[view];
  return (
    inView &&
    (!filters.site || row.site === filters.site) &&
    (!filters.language || row.language === filters.language) &&
    (!filters.topic || row.topic === filters.topic || row.intent === filters.topic) &&
    (!filters.sentiment || row.sentiment === filters.sentiment) &&
    (!filters.tag || row.tags.includes(filters.tag)) &&
    (!filters.agent || row.agent === filters.agent) &&
    (!filters.wait || (row.state === "waiting" && now - Date.parse(row.since) >= filters.wait * 1000)) &&
    (!filters.late || (row.state === "waiting" && now - Date.parse(row.since) >= row.within * 1000))
  );
}

/** Compares two rows in the order `sort`: newest, oldest, wait. */
export function comparer(sort) {
  const key = sort === "wait" ? (row) => (row.since ? Date.parse(row.since) : Infinity) : (row) => Date.parse(row.updated);
  const sign = sort === "newest" ? -1 : 1;
  return (a, b) => {
    const [left, right] = [key(a), key(b)];
    return left === right ? a.conversation.localeCompare(b.conversation) * sign : (left < right ? -1 : 1) * sign;
  };
}

/**
 * The clock of a row: {seconds, within, level}, or null where nobody waits. It runs while somebody waits for a person,
 * and while what the customer wrote last to an agent stands unanswered. `level`: "", "warn" from two thirds of what the
 * site promises, "bad" beyond it.
 */
export function clockOf(row, now) {
  const since = row.state === "waiting" ? row.since : row.state === "taken" ? row.asked : null;
  if (!since) return null;
  const seconds = Math.max(0, (now - Date.parse(since)) / 1000);
  const level = seconds >= row.within ? "bad" : seconds >= (row.within * 2) / 3 ? "warn" : "";
  return { seconds, within: row.within, level };
}

/** A time span in the fewest characters: 0:45, 12:03, then hours and days with the given units. */
export function spell(seconds, units) {
  const whole = Math.floor(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
  if (whole < 86_400) return `${Math.floor(whole / 3600)} ${units.hours}`;
  return `${Math.floor(whole / 86_400)} ${units.days}`;
}

/** What waits for this account: offers to it, and own conversations whose customer waits for a word. */
export function attention(rows, me, seen) {
  const offers = rows.filter((row) => row.state === "waiting" && row.offered_to === me);
  const unread = rows.filter(
    (row) => row.state === "taken" && row.agent === me && row.role === "customer" && row.updated > (seen.get(row.conversation) ?? ""),
  );
  return { offers, unread };
}

/** The reply that a canned text becomes. What is no variable stays as it is. */
export function filled(text, values) {
  return text.replace(/\{(customer|agent|site)\}/g, (whole, name) => values[name] ?? whole);
}

/** Canned replies for a conversation, best match of what was typed after "/" first. */
export function canned(all, typed, { site, language }) {
  const word = typed.toLowerCase();
  const rank = (one) => (one.shortcut.toLowerCase().startsWith(word) ? 0 : one.shortcut.toLowerCase().includes(word) ? 1 : one.text.toLowerCase().includes(word) ? 2 : 3);
  const fitting = all.filter((one) => (!one.site || one.site === site) && (!one.language || one.language === language) && rank(one) < 3);
  const nearer = (one) => (one.site ? 0 : 1) + (one.language ? 0 : 1);
  return fitting.sort((a, b) => rank(a) - rank(b) || nearer(a) - nearer(b) || a.shortcut.localeCompare(b.shortcut));
}
