// A form for one row: a field for each column that is known, and others besides.
import { api } from "../api.js";
import { titled } from "../components/column-note.js";
import { pairsEditor } from "../components/metadata.js";
import { attempt } from "../components/overlays.js";
import { button, field, input, notice, select } from "../components/ui.js";
import { reactive, t } from "../dom.js";
import { moment, readMoment } from "../format.js";
import { zone } from "../zone.js";

const MOST_FIELDS = 12;
const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;
const now = () => (zone.local ? moment(new Date().toISOString(), 19) : `${new Date().toISOString().slice(0, 19)}Z`);

const isJson = (text) => { try { JSON.parse(text); return true; } catch { return false; } };

/** The JSON text of what was typed for a column; null where it cannot be one. Long numbers keep all their digits. */
export function jsonOf(text, dtype) {
  const plain = text.trim();
  if (dtype === "string") return JSON.stringify(text);
  if (dtype === "int" || dtype === "float") return NUMBER.test(plain) ? plain : null;
  if (dtype) return isJson(plain) ? plain : null;
  return isJson(plain) ? plain : JSON.stringify(text);
}

const WRONG = { int: "A number, such as 12", float: "A number, such as 12.5", json: 'JSON, such as {"a": 1}' };

/** `dataset` and what to do once a row is stored. Gives a function that draws the form. */
export function useRowForm(dataset, stored) {
  const state = reactive({ timestamp: now(), values: {}, others: [], problems: {}, problem: null, busy: false });
  const columns = () => dataset().columns.slice(0, MOST_FIELDS);
  const body = () => {
    const problems = {};
    const parts = [];
    const { iso: timestamp, problem } = readMoment(state.timestamp, { exact: true });
    if (!timestamp) problems.timestamp = problem ?? "Write it like 2026-01-31 10:00 or 2026-01-31T10:00:00Z";
    for (const { id, name, dtype } of columns()) {
      const text = state.values[id] ?? "";
      if (text === "") continue;
      const json = jsonOf(text, dtype);
      if (json === null) problems[id] = WRONG[dtype] ?? "This is not a value of the column";
      else parts.push(`${JSON.stringify(name)}: ${json}`);
    }
    for (const { name, value } of state.others) if (name.trim()) parts.push(`${JSON.stringify(name.trim())}: ${jsonOf(value)}`);
    state.problems = problems;
    return Object.keys(problems).length ? null : `{"dataset": ${dataset().id}, "timestamp": ${JSON.stringify(timestamp)}, "values": {${parts.join(", ")}}}`;
  };
  const insert = async (event) => {
    event.preventDefault();
    const text = body();
    if (text === null) return;
    state.busy = true;
    state.problem = null;
    try {
      await api.post("/api/rows/", text, { headers: { "Content-Type": "application/json" } });
      await attempt(async () => {}, "The row was stored");
      Object.assign(state, { values: {}, others: [], timestamp: now() });
      stored();
    } catch (error) {
      state.problem = error;
    }
    state.busy = false;
  };
  const control = ({ id, name, dtype, unit, description }) => field({ label: titled(name, unit), hint: description, id: `value-${id}`, problem: state.problems[id] }, (p) => dtype === "boolean"
    ? select(state.values, id, [["", ""], ["true", "true"], ["false", "false"]], p)
    : input(state.values, id, { ...p, value: state.values[id] ?? "", inputmode: dtype === "int" || dtype === "float" ? "decimal" : undefined, placeholder: dtype, autocomplete: "off" }));
  return () => t.form({ class: "card stack", onSubmit: insert, "aria-label": "A single row" },
    t.h2("A single row"),
    state.problem && notice("bad", state.problem),
    field({ label: `Timestamp (${zone.label})`, id: "row-timestamp", problem: state.problems.timestamp }, (p) => input(state, "timestamp", { ...p, required: true, autocomplete: "off" })),
    columns().length > 0 && t.div({ class: "values" }, columns().map(control)),
    pairsEditor(state, "others", { title: columns().length ? "Other values" : "Values", name: "temperature", value: "21.5", add: "Add a value" }),
    t.div(button({ type: "submit", busy: state.busy }, "Store it")));
}
