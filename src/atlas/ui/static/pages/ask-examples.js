// Questions to start with, made from the tables and datasets that there are.
import { api } from "../api.js";

const MOST = 6;
const words = (name) => name.replaceAll("_", " ");
const NUMERIC = /^(BIGINT|DOUBLE|INT|NUMERIC|DECIMAL)/i;

function questions(table, stats) {
  const name = words(table.table_name);
  const made = table.kind === "dataset" ? [] : [`How many ${name} are there?`];
  const columns = Object.entries(stats.columns);
  const keys = new Set(stats.key_columns ?? []);
  const figures = stats.statistics ?? {};
  const groups = columns.filter(([column, type]) => /^VARCHAR|TEXT/i.test(type) && (figures[column]?.distinct ?? 99) <= 30 && (figures[column]?.distinct ?? 99) > 1);
  const numbers = columns.filter(([column, type]) => NUMERIC.test(type) && !keys.has(column) && !/(^|_)id$/.test(column));
  if (groups.length) made.push(`How many ${name} are there per ${words(groups[0][0])}?`);
  if (groups.length && numbers.length) made.push(`What is the average ${words(numbers[0][0])} by ${words(groups.at(-1)[0])}?`);
  if (table.kind === "dataset" && numbers.length) made.push(`What is the average ${words(numbers[0][0])} in ${name}?`, `What is the highest ${words(numbers[0][0])} in ${name}?`);
  return made;
}

/** Up to six questions about `about`, or about the first tables. Where figures cannot be had there are fewer. */
export async function examples(tables, about) {
  const chosen = tables.filter((table) => (about ? table.table_name === about : table.row_count > 0)).slice(0, 3);
  const made = await Promise.all(chosen.map(async (table) => {
    try {
      return questions(table, await api.get(`/api/v1/tables/${encodeURIComponent(table.table_name)}/stats`));
    } catch {
      return [`How many ${words(table.table_name)} are there?`];
    }
  }));
  return made.flat().slice(0, MOST);
}
