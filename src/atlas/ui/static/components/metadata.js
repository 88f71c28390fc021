// Rows of names and values that make a metadata object.
import { button, input } from "./ui.js";
import { t } from "../dom.js";

/** `[{name, value}]` of an object; values that are not texts as JSON, and so are texts that would be read as something else. */
export const pairs = (object) => Object.entries(object).map(([name, value]) => ({ name, value: typeof value === "string" && read(value) === value ? value : JSON.stringify(value) }));

function read(text) {
  try { return JSON.parse(text); } catch { return text; }
}

/** The object of pairs. A value that is JSON (5, true, {"a": 1}) is taken as such, anything else as a text. */
export const object = (list) => Object.fromEntries(list.filter(({ name }) => name.trim()).map(({ name, value }) => [name.trim(), read(value)]));

/** An editor of `state[list]`, a list of pairs; `name` and `value` are examples. */
export const pairsEditor = (state, list, { title, name, value, add }) => t.fieldset({ class: "pairs" },
  t.legend({ class: "label" }, title),
  state[list].map((pair, n) => t.div({ class: "pair", key: n },
    input(pair, "name", { placeholder: name, "aria-label": `Name ${n + 1}`, autocomplete: "off" }), input(pair, "value", { placeholder: value, "aria-label": `Value ${n + 1}`, autocomplete: "off" }),
    button({ kind: "plain", icon: "close", label: `Remove ${pair.name || `field ${n + 1}`}`, onClick: () => state[list].splice(n, 1) }))),
  button({ size: "small", icon: "plus", onClick: () => state[list].push({ name: "", value: "" }) }, add));

/** An editor of `state[list]` as metadata. */
export const metadataEditor = (state, list) => pairsEditor(state, list, { title: "Metadata", name: "source", value: "tiingo", add: "Add a field" });

/** A value as people read it. */
export const asText = (value) => (typeof value === "object" ? JSON.stringify(value) : String(value));

/** A field as the search by metadata takes it. */
export const filterOf = (name, value) => `${name}=${/[,"]/.test(asText(value)) ? `"${asText(value)}"` : asText(value)}`;
