// What `?` shows: the keys of all pages.
import { h, t } from "../dom.js";
import { href } from "../router.js";
import { Dialog } from "./overlays.js";
import { button } from "./ui.js";

const apple = /Mac|iP(hone|ad)/.test(navigator.platform);
const MOD = apple ? "⌘" : "Ctrl";
/** @type {[string, any[]][]} */
const KEYS = [
  ["Everywhere", [[[MOD, "K"], "Go to or do anything"], [["?"], "This help"], [["/"], "Search on the page"], [["Esc"], "Close what is open"]]],
  ["Charts", [[["←"], ["→"], "Move"], [["+"], ["−"], "Zoom"], [["0"], "Show everything"], [["Shift", "drag"], "Zoom into a range"], [[MOD, "wheel"], "Zoom"]]],
  ["Review", [[["j"], ["k"], "Next and previous issue"], [["x"], "Choose an issue"]]],
  ["Ask and SQL", [[["Enter"], "Ask"], [["Shift", "Enter"], "New line"], [[MOD, "Enter"], "Run the SQL"], [["Ctrl", "Space"], "Complete a name"]]],
  ["Tables", [[["Enter"], "Change a cell"], [["Esc"], "Leave it as it was"]]],
];

export const Shortcuts = {
  emits: ["close"],
  setup: (_, { emit }) => () => h(Dialog, { title: "Keyboard shortcuts", wide: true, onClose: () => emit("close") }, {
    default: () => t.div({ class: "shortcuts" }, KEYS.map(([title, lines]) => t.section(t.h3(title), t.dl(lines.map((line) => t.div(
      t.dt(line.slice(0, -1).map((keys, n) => [n > 0 && " ", keys.map((key, m) => [m > 0 && " + ", t.kbd(key)])])), t.dd(line.at(-1)))))))),
    foot: () => [button({ icon: "key", href: href("/keys"), onClick: () => emit("close") }, "Settings"), button({ icon: "book", href: "/docs", target: "_blank" }, "API reference")],
  }),
};
