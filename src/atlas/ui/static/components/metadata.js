// Rows of names and values that make a metadata object.
import { members, objectOf } from "./json-text.js";
import { button, input } from "./ui.js";
import { t } from "../dom.js";

/**
 * `[{name, value, known}]` of the members of an object as JSON text; `known` is what they were, for `changes`.
 * A text is shown as it is, unless it would be read as something else.
 */
export const pairs = (text) => members(text).map(([name, json]) => {
  const plain = json.startsWith('"') ? JSON.parse(json) : null;
  const value = plain !== null && jsonOf(plain) === JSON.stringify(plain) ? plain : json;
  return { name, value, known: { name, value, json } };
});

/** The JSON of what was typed: JSON (5, true, {"a": 1}) is taken as such, digit by digit, anything else as a text. */
function jsonOf(text) {
  try { JSON.parse(text); return text.trim(); } catch { return JSON.stringify(text); }
}

const renamed = ({ name, known }) => known?.name !== name;
/** What a pair stands for, as `[name, JSON]`; nothing for one without a name, unless it had none before. */
const member = (pair) => {
  const name = renamed(pair) ? pair.name.trim() : pair.name;
  return name || !renamed(pair) ? [[name, pair.known?.value === pair.value ? pair.known.json : jsonOf(pair.value)]] : [];
};

/** What an edited list of pairs means for the members in `text`, from which it was made: `{set, gone}`. */
export function changes(list, text) {
  const before = new Map(members(text));
  const after = new Map(list.flatMap(member));
  return { set: [...after].filter(([name, json]) => before.get(name) !== json), gone: [...before.keys()].filter((name) => !after.has(name)) };
}

/** The object in `text` with changes made to it, as text. */
export const changed = (text, { set, gone }) => objectOf([...new Map([...members(text).filter(([name]) => !gone.includes(name)), ...set])]);

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
