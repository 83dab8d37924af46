/* Puts the chat on a page:
 *
 *   <script src="https://shop.example/static/kefu/kefu.js" data-key="SITEKEY" async></script>
 *
 * Every data- attribute of the script is handed to the <kefu-chat> element, whose header comment
 * (widget/kefu-chat.js) is the list of them. Never throws into the page and leaves no global behind.
 */
(() => {
  "use strict";
  const script = document.currentScript ?? document.querySelector('script[data-key][src*="kefu.js"]');
  if (!script) return;

  const place = (element) => {
    if (!document.querySelector("kefu-chat")) document.body.append(element);
  };

  const start = async () => {
    await import(new URL("widget/kefu-chat.js", script.src).href);
    if (document.readyState === "loading") {
      await new Promise((ready) => document.addEventListener("DOMContentLoaded", ready, { once: true }));
    }
    if (document.querySelector("kefu-chat")) return;
    const element = document.createElement("kefu-chat");
    for (const [name, value] of Object.entries(script.dataset)) element.dataset[name] = value;
    place(element);
    // Sites that swap the body, or all that is in it, instead of loading a page would lose the element, and the
    // conversation with it. A page that removes the element alone means it.
    const swapped = new MutationObserver((changes) => {
      if (element.isConnected) return;
      if (changes.some(({ removedNodes }) => removedNodes.length > 1 || removedNodes[0]?.localName === "body")) place(element);
      watch();
    });
    const watch = () => {
      swapped.disconnect();
      swapped.observe(document.documentElement, { childList: true });
      swapped.observe(document.body, { childList: true });
    };
    watch();
    for (const name of ["turbo:load", "turbolinks:load", "astro:after-swap"]) {
      document.addEventListener(name, () => {
        place(element);
        watch();
      });
    }
  };

  start().catch((error) => console.warn("Kefu: the chat could not be loaded.", error));
})();
