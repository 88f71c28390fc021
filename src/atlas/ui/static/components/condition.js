// A condition on the columns of a table, written by hand or put together from column, operator and value.
import { reactive, t } from "../dom.js";
import { button, field, input, select } from "./ui.js";

const COMPARE = [["=", "is"], ["<>", "is not"], [">", "is more than"], [">=", "is at least"], ["<", "is less than"], ["<=", "is at most"]];
const MOMENTS = [["=", "is"], ["<>", "is not"], [">", "is after"], [">=", "is on or after"], ["<", "is before"], ["<=", "is on or before"]];
const BETWEEN = [["between", "is between"]];
const PARTS = [["CONTAINS", "contains"], ["NOT CONTAINS", "does not contain"], ["STARTS WITH", "starts with"], ["ENDS WITH", "ends with"]];
const TEXTS = [["=", "is"], ["<>", "is not"], ...PARTS, ["in", "is one of"], ...BETWEEN];
const FILLED = [["filled", "is filled"], ["empty", "is empty"]];
const BARE = ["filled", "empty"];
const NUMBERS = ["BIGINT", "NUMERIC", "DOUBLE PRECISION"];

function operators(type) {
  if (NUMBERS.includes(type)) return [...COMPARE, ...BETWEEN, ["in", "is one of"], ...FILLED];
  if (type === "DATE" || type === "TIMESTAMP WITH TIME ZONE") return [...MOMENTS, ...BETWEEN, ...FILLED];
  if (type === "BOOLEAN") return [["=", "is"], ...FILLED];
  return [...TEXTS, ...FILLED];
}

const quoted = (text) => `'${text.replace(/'/g, "''")}'`;
/** A column's name as a condition has it. */
export const columnName = (name) => (/^[a-z_][a-z0-9_]*$/.test(name) && name.length < 60 ? name : `"${name.replace(/"/g, '""')}"`);
/** The condition of one line of the builder; `to` ends a range. Raises Error where the value does not fit the column. */
export function condition(name, type, operator, value, to = "") {
  const left = columnName(name);
  const one = (text) => {
    const given = text.trim();
    if (type === "BOOLEAN") return given;
    if (!NUMBERS.includes(type)) return quoted(given);
    if (!/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(given)) throw new Error(`“${given}” is not a number`);
    return given;
  };
  if (operator === "filled") return `${left} IS NOT EMPTY`;
  if (operator === "empty") return `${left} IS EMPTY`;
  if (operator === "between") return `${left} BETWEEN ${one(value)} AND ${one(to)}`;
  if (operator === "in") return `${left} IN (${value.split(",").filter((part) => part.trim()).map(one).join(", ")})`;
  return PARTS.some(([known]) => known === operator) ? `${left} ${operator} ${quoted(value)}` : `${left} ${operator} ${one(value)}`;
}

/** Adds lines to `state.condition`. Emits `apply` when a line was added. */
export const ConditionBuilder = {
  props: { columns: Array, state: Object },
  emits: ["apply"],
  setup(props, { emit }) {
    const line = reactive({ column: props.columns[0]?.name ?? "", operator: "=", value: "", to: "", problem: "" });
    const type = () => props.columns.find((column) => column.name === line.column)?.type;
    const add = (event) => {
      event.preventDefault();
      event.stopPropagation();
      try {
        if (!BARE.includes(line.operator) && !line.value.trim()) throw new Error("Give a value");
        if (line.operator === "between" && !line.to.trim()) throw new Error("Give both ends");
        const made = condition(line.column, type(), line.operator, line.value, line.to);
        const before = props.state.condition.trim();
        props.state.condition = before ? `${/\bor\b/i.test(before) ? `(${before})` : before} AND ${made}` : made;
        Object.assign(line, { value: "", to: "", problem: "" });
        emit("apply");
      } catch (error) {
        line.problem = error.message;
      }
    };
    const choose = (event) => {
      line.column = event.target.value;
      if (!operators(type()).some(([value]) => value === line.operator)) line.operator = operators(type())[0][0];
      if (type() === "BOOLEAN") line.value = "true";
    };
    const hint = () => ({ DATE: "2026-01-31", "TIMESTAMP WITH TIME ZONE": "2026-01-31T10:00:00Z" })[type()] ?? (line.operator === "in" ? "one, two, three" : "");
    const value = (p) => (type() === "BOOLEAN" ? select(line, "value", [["true", "true"], ["false", "false"]], p)
      : input(line, "value", { ...p, placeholder: hint(), autocomplete: "off", onKeydown: (event) => event.key === "Enter" && add(event) }));
    const end = (p) => input(line, "to", { ...p, placeholder: hint(), autocomplete: "off", onKeydown: (event) => event.key === "Enter" && add(event) });
    return () => t.div({ class: "row filters builder", role: "group", "aria-label": "Build a condition" },
      field({ label: "Column", id: "line-column" }, (p) => select(line, "column", props.columns.map((column) => column.name), { ...p, onChange: choose })),
      field({ label: "Comparison", id: "line-operator" }, (p) => select(line, "operator", operators(type()), p)),
      !BARE.includes(line.operator) && field({ label: line.operator === "between" ? "From" : "Value", id: "line-value", problem: line.problem }, value),
      line.operator === "between" && field({ label: "To", id: "line-to" }, end),
      button({ icon: "plus", onClick: add }, props.state.condition.trim() ? "And" : "Add"));
  },
};
