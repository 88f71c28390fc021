// Names and words that SQL may use here, and what of them fits where somebody types.
import { api } from "../api.js";
import { columnName } from "./condition.js";

let words;
const known = new Map();
/** `{functions, types, keywords}`, asked for once. */
const allWords = () => (words ??= api.get("/api/v1/sql/words").catch(() => { words = null; return { functions: [], types: [], keywords: [] }; }));
/** The columns of a table, `[{name, type}]`. */
export function columnsOf(table) {
  if (!known.has(table)) {
    known.set(table, api.get(`/api/v1/tables/${encodeURIComponent(table)}/schema`).then(({ columns, system_columns: more = [] }) => [...columns, ...more], () => { known.delete(table); return []; }));
  }
  return known.get(table);
}
export { columnName };

const NAME = String.raw`(?:"[^"]+"|[\p{L}_][\p{L}\p{N}_$]*)`;
const plain = (text) => (text.startsWith('"') ? text.slice(1, -1) : text.toLowerCase());
const NO_ALIAS = /^(where|on|group|order|join|left|right|inner|full|cross|union|limit|having|as|using|window|offset)$/i;

/** Tables that a text reads, by the names that it gives them. */
export function tablesIn(text, tables) {
  const found = new Map();
  for (const [, name, alias] of text.matchAll(new RegExp(String.raw`\b(?:from|join)\s+(${NAME})(?:\s+(?:as\s+)?(${NAME}))?`, "giu"))) {
    const table = tables.find((one) => one.table_name === plain(name) || one.table_name.toLowerCase() === plain(name).toLowerCase());
    if (!table) continue;
    found.set(plain(name), table.table_name);
    if (alias && !NO_ALIAS.test(alias)) found.set(plain(alias), table.table_name);
  }
  return found;
}

/** A source of completions for CodeMirror. `tables()`: what /api/v1/tables lists. */
export const completions = (tables) => async (context) => {
  const text = context.state.doc.toString();
  const word = context.matchBefore(/"?[\p{L}\p{N}_$]*/u);
  if (!word || (word.from === word.to && !context.explicit && text[word.from - 1] !== ".")) return null;
  const before = text.slice(0, word.from);
  const used = tablesIn(text, tables());
  const columns = async (names) => (await Promise.all([...new Set(names)].map(async (table) => (await columnsOf(table)).map((one) => ({ label: one.name, apply: columnName(one.name), type: "property", detail: `${table} · ${one.type.toLowerCase()}`, boost: 5 }))))).flat();
  const dot = new RegExp(String.raw`(${NAME})\.$`, "u").exec(before);
  const answer = (options) => ({ from: word.from, options, validFor: /^"?[\p{L}\p{N}_$]*$/u });
  if (dot) return answer(used.has(plain(dot[1])) ? await columns([used.get(plain(dot[1]))]) : []);
  const names = tables().map((one) => ({ label: one.table_name, apply: columnName(one.table_name), type: "class", detail: one.kind === "dataset" ? "dataset" : "table", boost: 3 }));
  if (/\b(from|join)\s+$/i.test(before)) return answer(names);
  const { functions, keywords } = await allWords();
  return answer([
    ...await columns(used.values()), ...names,
    ...functions.map((name) => ({ label: name, apply: `${name}(`, type: "function", detail: "function" })),
    ...keywords.map((name) => ({ label: name, type: "keyword", boost: -5 })),
  ]);
};

/** Where in a text the word stands that an answer complains of, as `{from, to, line, column}`; null if that is not known. */
export function placeOf(problem, text) {
  const quoted = [...String(problem ?? "").matchAll(/['"“]([^'"”]{1,60})['"”]/g)].map(([, word]) => word);
  const named = /\b(?:column|table|function|near|not)\s+(?:named\s+)?([\p{L}_][\p{L}\p{N}_.]*)/iu.exec(problem ?? "");
  for (const word of [...quoted, ...(named ? [named[1]] : [])]) {
    const edge = /^[\p{L}\p{N}_]+$/u.test(word);
    const found = new RegExp(`${edge ? "(?<![\\p{L}\\p{N}_])" : ""}${word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}${edge ? "(?![\\p{L}\\p{N}_])" : ""}`, "iu").exec(text);
    if (!found) continue;
    const lines = text.slice(0, found.index).split("\n");
    return { from: found.index, to: found.index + word.length, line: lines.length, column: lines.at(-1).length + 1 };
  }
  return null;
}
