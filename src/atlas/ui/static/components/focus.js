// Where the keyboard goes when what it was on is no more: after dialogs and menus, and on a page that was just opened.
import { nextTick, ref } from "../dom.js";

/** What a screen reader says next, politely. */
export const announcement = ref("");
// Where to go back to from each open dialog, and from one that is closing: what follows it at once goes back there as well.
const origins = new WeakMap();
let closing = [];

/** Whether nobody has the focus: the page's body, or what was taken away. */
const lost = () => !document.activeElement?.isConnected || document.activeElement === document.body;
const heading = () => document.querySelector("main h1") ?? document.querySelector("main");
const usable = (element) => element?.isConnected && !element.disabled && element.getClientRects().length > 0;

/** Notes where the focus is while a dialog opens; `dialog()` is its element. `closed()` is for when it goes. */
export function keepFocus(dialog) {
  const before = document.activeElement;
  const outer = before?.closest("dialog");
  const origin = [before, ...((outer && origins.get(outer)) ?? closing)].filter((one) => one && one !== document.body);
  return {
    opened: () => origins.set(dialog(), origin),
    closed: async () => {
      closing = origin;
      await nextTick();
      closing = [];
      // A dialog that follows at once, or a page that came meanwhile, has the focus already.
      const over = [...document.querySelectorAll("dialog[open]")].at(-1);
      if (lost() && (!over || origin.some((one) => over.contains(one)))) (origin.find(usable) ?? heading())?.focus({ preventScroll: true });
    },
  };
}

let waiting;
/**
 * Moves the focus to the heading of the page that is being shown, as soon as there is one, and tells its title. Leaves the
 * focus alone where somebody has moved it meanwhile.
 */
export function arrive() {
  waiting?.disconnect();
  const main = document.querySelector("main");
  if (!main) return;
  if (lost() || !main.contains(document.activeElement)) main.focus({ preventScroll: true });
  const settle = () => {
    const title = main.querySelector("h1");
    if (!title) return;
    waiting.disconnect();
    document.title = `${title.textContent} · Atlas`;
    if (lost() || document.activeElement === main) title.focus({ preventScroll: true });
    announcement.value = title.textContent;
  };
  announcement.value = "";
  waiting = new MutationObserver(settle);
  waiting.observe(main, { childList: true, subtree: true });
  settle();
}
