// What an import would do: target, columns, key, problems, and the first records.
import { Grid } from "../components/grid.js";
import { badge, button, notice } from "../components/ui.js";
import { h, t } from "../dom.js";
import { cell, count, many } from "../format.js";

const DUPLICATES = { skip: "skipped and kept for review", flag: "skipped and kept for review; look-alikes are flagged", update: "used to update the rows that are there", keep: "not looked for" };

export const PlanCard = {
  props: { plan: Object, stale: Boolean },
  emits: ["decide"],
  setup(props, { emit }) {
    const target = () => {
      const { plan } = props;
      if (plan.as_dataset) return [t.b(plan.table_name), " ", badge(plan.table_exists ? "dataset" : "new dataset", "accent")];
      return [t.b(plan.table_name), " ", badge(plan.table_exists ? "existing table" : "new table", plan.table_exists ? "" : "accent")];
    };
    const proposals = () => t.div({ class: "stack tight" },
      t.h3("Columns that may be meant"),
      t.div({ class: "table-wrap bordered" }, t.table({ class: "table" },
        t.thead(t.tr(["In the file", "May mean", "Confidence", "Why"].map((name) => t.th({ scope: "col" }, name)))),
        t.tbody(props.plan.proposals.map((one) => t.tr({ key: one.header }, t.td(one.header), t.td(t.b(one.column)), t.td(`${Math.round(one.confidence * 100)} %`), t.td(one.reason)))))),
      props.plan.questions.length > 0 && t.div({ class: "row" },
        button({ icon: "check", onClick: () => emit("decide", true) }, "Take these columns"),
        button({ onClick: () => emit("decide", false) }, "Take none of them")));
    const sample = () => {
      const names = props.plan.columns.map((column) => column.name);
      return { rowData: props.plan.sample, columnDefs: names.map((name) => ({ headerName: name, valueGetter: (p) => p.data[name], valueFormatter: (p) => cell(p.value), minWidth: 120, flex: 1, sortable: false })) };
    };
    return () => {
      const { plan } = props;
      return t.section({ class: ["card stack plan", { stale: props.stale }], "aria-label": "Preview" },
        t.div({ class: "row between" }, t.h2("What would happen"), props.stale && badge("The file or the instruction has changed since", "warn")),
        t.dl({ class: "facts" },
          t.dt("Into"), t.dd(target()),
          t.dt("Records"), t.dd(count(plan.records)),
          t.dt("Key"), t.dd(plan.key_columns.length ? plan.key_columns.map((name) => [badge(name, "accent"), " "]) : "all columns together"),
          plan.replace && [t.dt("Rows that are there"), t.dd(badge("are archived", "warn"))],
          t.dt("Duplicates"), t.dd(`${DUPLICATES[plan.duplicates] ?? plan.duplicates}${plan.duplicates_in_file ? `; ${many(plan.duplicates_in_file, "repeat")} within the file` : ""}`),
          t.dt("Failures"), t.dd(plan.validation_failures ? badge(`${many(plan.validation_failures, "record")} would wait for review`, "warn") : "none")),
        plan.questions.map((question) => notice("bad", question)),
        plan.proposals.length > 0 && proposals(),
        plan.understood.length > 0 && t.details({ open: true }, t.summary("How the instruction was read"), t.ul(plan.understood.map((clause) => t.li({ title: clause.words.join(" … ") }, clause.meaning)))),
        plan.not_understood.length > 0 && notice("warn", "Not understood: ", plan.not_understood.join("; ")),
        plan.notes.map((note) => notice("", note)),
        t.div({ class: "table-wrap bordered" }, t.table({ class: "table" },
          t.thead(t.tr(["In the file", "Column", "Type", ""].map((name) => t.th({ scope: "col" }, name || t.span({ class: "visually-hidden" }, "Notes"))))),
          t.tbody(plan.columns.map((column) => t.tr({ key: column.name }, t.td(column.source), t.td(t.b(column.name)), t.td(t.code(column.type)),
            t.td(t.div({ class: "row" }, column.new && badge("new", "accent"), plan.key_columns.includes(column.name) && badge("key"), column.semantic && badge(column.semantic, "good"),
              column.required && badge("required", "warn")))))))),
        plan.sample.length > 0 && [t.h3("The first records as they would be"), h(Grid, { options: sample(), label: "First records", height: 60 + plan.sample.length * 42 })]);
    };
  },
};
