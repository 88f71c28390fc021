// Rows of names and values that make a metadata object.
import { button, input } from "./ui.js";
import { t } from "../dom.js";

/** `[{name, value}]` of an object; values that are not texts as JSON. */
export const pairs = (object) => Object.entries(object).map(([name, value]) => ({ name, value: typeof value === "string" ? value : JSON.stringify(value) }));

/** The object of pairs. A value that is JSON (5, true, {"a": 1}) is taken as such, anything else as a text. */
export function object(list) {
  return Object.fromEntries(list.filter(({ name }) => name.trim()).map(({ name, value }) => {
    try { return [name.trim(), JSON.parse(value)]; } catch { return [name.trim(), value]; }
  }));
}

/** An editor of `state[name]`, a list of pairs. */
export const metadataEditor = (state, name) => t.fieldset({ class: "pairs" },
  t.legend({ class: "label" }, "Metadata"),
  state[name].map((pair, n) => t.div({ class: "pair", key: n },
    input(pair, "name", { placeholder: "source", "aria-label": `Name ${n + 1}` }), input(pair, "value", { placeholder: "tiingo", "aria-label": `Value ${n + 1}` }),
    button({ kind: "plain", icon: "close", label: "Remove", onClick: () => state[name].splice(n, 1) }))),
  button({ size: "small", icon: "plus", onClick: () => state[name].push({ name: "", value: "" }) }, "Add a field"));
