// A condition on the columns of a table, written by hand or put together from column, operator and value.
import { reactive, t } from "../dom.js";
import { button, field, input, select } from "./ui.js";

const COMPARE = [["=", "is"], ["<>", "is not"], [">", "is more than"], [">=", "is at least"], ["<", "is less than"], ["<=", "is at most"]];
const MOMENTS = [["=", "is"], ["<>", "is not"], [">", "is after"], [">=", "is on or after"], ["<", "is before"], ["<=", "is on or before"]];
const TEXTS = [["=", "is"], ["<>", "is not"], ["has", "contains"], ["starts", "starts with"], ["ends", "ends with"], ["in", "is one of"]];
const FILLED = [["filled", "is filled"], ["empty", "is empty"]];
const BARE = ["filled", "empty"];

function operators(type) {
  if (type === "BIGINT" || type === "DOUBLE PRECISION") return [...COMPARE, ["in", "is one of"], ...FILLED];
  if (type === "DATE" || type === "TIMESTAMP WITH TIME ZONE") return [...MOMENTS, ...FILLED];
  if (type === "BOOLEAN") return [["=", "is"], ...FILLED];
  return [...TEXTS, ...FILLED];
}

const quoted = (text) => `'${text.replace(/'/g, "''")}'`;
/** A column's name as a condition has it. */
export const columnName = (name) => (/^[a-z_][a-z0-9_]*$/.test(name) && name.length < 60 ? name : `"${name.replace(/"/g, '""')}"`);
// In a pattern of LIKE these three stand for more than themselves.
const pattern = (text) => text.replace(/[\\%_]/g, "\\$&");

/** The condition of one line of the builder. Raises Error where the value does not fit the column. */
export function condition(name, type, operator, value) {
  const left = columnName(name);
  const one = (text) => {
    const given = text.trim();
    if (type === "BOOLEAN") return given;
    if (type !== "BIGINT" && type !== "DOUBLE PRECISION") return quoted(given);
    if (!/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(given)) throw new Error(`“${given}” is not a number`);
    return given;
  };
  switch (operator) {
    case "filled": return `${left} IS NOT NULL`;
    case "empty": return `${left} IS NULL`;
    case "has": return `${left} ILIKE ${quoted(`%${pattern(value)}%`)}`;
    case "starts": return `${left} ILIKE ${quoted(`${pattern(value)}%`)}`;
    case "ends": return `${left} ILIKE ${quoted(`%${pattern(value)}`)}`;
    case "in": return `${left} IN (${value.split(",").filter((part) => part.trim()).map(one).join(", ")})`;
    default: return `${left} ${operator} ${one(value)}`;
  }
}

/** Adds lines to `state.condition`. Emits `apply` when a line was added. */
export const ConditionBuilder = {
  props: { columns: Array, state: Object },
  emits: ["apply"],
  setup(props, { emit }) {
    const line = reactive({ column: props.columns[0]?.name ?? "", operator: "=", value: "", problem: "" });
    const type = () => props.columns.find((column) => column.name === line.column)?.type;
    const add = (event) => {
      event.preventDefault();
      event.stopPropagation();
      try {
        if (!BARE.includes(line.operator) && !line.value.trim()) throw new Error("Give a value");
        const made = condition(line.column, type(), line.operator, line.value);
        const before = props.state.condition.trim();
        props.state.condition = before ? `${/\bor\b/i.test(before) ? `(${before})` : before} AND ${made}` : made;
        Object.assign(line, { value: "", problem: "" });
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
      : input(line, "value", { ...p, placeholder: hint(), onKeydown: (event) => event.key === "Enter" && add(event) }));
    return () => t.div({ class: "row filters builder", role: "group", "aria-label": "Build a condition" },
      field({ label: "Column", id: "line-column" }, (p) => select(line, "column", props.columns.map((column) => column.name), { ...p, onChange: choose })),
      field({ label: "Comparison", id: "line-operator" }, (p) => select(line, "operator", operators(type()), p)),
      !BARE.includes(line.operator) && field({ label: "Value", id: "line-value", problem: line.problem }, value),
      button({ icon: "plus", onClick: add }, props.state.condition.trim() ? "And" : "Add"));
  },
};
