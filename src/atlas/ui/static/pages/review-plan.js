// What an import was told and what Atlas made of it.
import { ScrollBox } from "../components/scroll-box.js";
import { badge } from "../components/ui.js";
import { h, t } from "../dom.js";
import { bytes, moment } from "../format.js";
import { zone } from "../zone.js";

const DUPLICATES = { skip: "skipped", flag: "skipped; look-alikes were flagged", update: "updated the rows that were there", keep: "not looked for" };

const columns = (plan) => t.div({ class: "bordered" }, h(ScrollBox, { label: "Columns" }, () => t.table({ class: "table" },
  t.thead(t.tr(["In the file", "Column", "Type", ""].map((name) => t.th({ scope: "col" }, name || t.span({ class: "visually-hidden" }, "Notes"))))),
  t.tbody(plan.columns.map((column) => t.tr({ key: column.name }, t.td(column.header), t.td(t.b(column.name)), t.td(t.code(column.type)),
    t.td(t.div({ class: "row" }, column.new && badge("new", "accent"), plan.key?.includes(column.name) && badge("key"), column.semantic && badge(column.semantic, "good"), column.unit && badge(column.unit), column.required && badge("required", "warn")))))))));

/** Facts of `found`, an import as the history gives it, and the plan by which its file was read. */
export function details(found) {
  const { plan } = found;
  const facts = [
    ["Instruction", found.instruction && t.q(found.instruction)], ["By", found.imported_by], [`When (${zone.label})`, moment(found.created_at, 19)],
    ["Took", found.finished_at && `${((Date.parse(found.finished_at) - Date.parse(found.started_at ?? found.created_at)) / 1000).toFixed(1)} s`],
    ["File", found.file_size_bytes && `${found.file_name}, ${bytes(found.file_size_bytes)}`], ["Sheet", plan?.sheet], ["Made", found.table_created && `the table ${found.table_name}`],
    ["New columns", found.new_columns?.join(", ")], ["Key", plan?.columns && (plan.key?.join(", ") || "all columns together")], ["Duplicates", plan?.duplicates && (DUPLICATES[plan.duplicates] ?? plan.duplicates)],
    ["Not understood", plan?.not_understood?.join("; ")], ["Notes", plan?.notes?.join(". ")], ["Thread", found.thread_id], ["Webhook", found.callback_url],
  ];
  return t.details({ class: "card" }, t.summary("Instruction and plan"), t.div({ class: "stack" },
    t.dl({ class: "facts" }, facts.filter(([, value]) => value).map(([name, value]) => [t.dt(name), t.dd(value)])),
    plan?.columns?.length > 0 && columns(plan)));
}
