/** Tells an agent who looks elsewhere: the tab's title, notices of the desktop, a sound. One tab of the browser speaks. */

const SOUND = "kefu-inbox-sound";
const NOTICES = "kefu-inbox-notices";

export class Notifier {
  #title = document.title;
  #speaks = false;
  #audio = null;
  #told = new Set();

  constructor() {
    // The lock passes to another tab when this one is closed.
    navigator.locks?.request("kefu-inbox", () => { this.#speaks = true; return new Promise(() => {}); });
  }

  get sound() {
    return localStorage.getItem(SOUND) === "on";
  }

  set sound(on) {
    localStorage.setItem(SOUND, on ? "on" : "off");
    if (on) this.#beep();
  }

  get notices() {
    return "Notification" in window && Notification.permission === "granted" && localStorage.getItem(NOTICES) === "on";
  }

  /** Ask the browser to allow notices; resolves to whether they are on. */
  async allow(on) {
    localStorage.setItem(NOTICES, on ? "on" : "off");
    if (on && "Notification" in window && Notification.permission !== "granted") await Notification.requestPermission();
    return this.notices;
  }

  /** How much waits for this agent. */
  count(number) {
    document.title = number ? `(${number}) ${this.#title}` : this.#title;
    navigator.setAppBadge?.(number).catch(() => {});
  }

  /** Something new under `key`, once: said aloud where the agent does not look. */
  tell(key, title, body, open) {
    if (this.#told.has(key)) return;
    this.#told.add(key);
    if (!this.#speaks && navigator.locks) return;
    if (this.sound) this.#beep();
    if (!this.notices || (document.visibilityState === "visible" && document.hasFocus())) return;
    const notice = new Notification(title, { body, tag: key });
    notice.onclick = () => { focus(); notice.close(); open(); };
  }

  /** It is over: should it come again, it is told again. */
  over(key) {
    this.#told.delete(key);
  }

  #beep() {
    this.#audio ??= new AudioContext();
    this.#audio.resume();
    const tone = this.#audio.createOscillator();
    const loudness = this.#audio.createGain();
    const now = this.#audio.currentTime;
    tone.frequency.setValueAtTime(660, now);
    tone.frequency.setValueAtTime(880, now + 0.12);
    loudness.gain.setValueAtTime(0.12, now);
    loudness.gain.exponentialRampToValueAtTime(0.001, now + 0.4);
    tone.connect(loudness).connect(this.#audio.destination);
    tone.start(now);
    tone.stop(now + 0.4);
  }
}
