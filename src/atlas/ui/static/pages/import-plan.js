// What an import would do: target, columns, key, problems, and the first records.
import { Grid } from "../components/grid.js";
import { ScrollBox } from "../components/scroll-box.js";
import { badge, button, notice } from "../components/ui.js";
import { h, t } from "../dom.js";
import { cell, count, fileFormat, many } from "../format.js";

const DUPLICATES = { skip: "skipped and kept for review", flag: "skipped and kept for review; look-alikes are flagged", update: "used to update the rows that are there", keep: "not looked for" };

export const PlanCard = {
  props: { plan: Object, stale: Boolean },
  emits: ["decide", "say"],
  setup(props, { emit }) {
    const target = () => {
      const { plan } = props;
      if (plan.as_dataset) return [t.b(plan.table_name), " ", badge(plan.table_exists ? "dataset" : "new dataset", "accent")];
      return [t.b(plan.table_name), " ", badge(plan.table_exists ? "existing table" : "new table", plan.table_exists ? "" : "accent")];
    };
    const proposals = () => t.div({ class: "stack tight" },
      t.h3("Columns that may be meant"),
      t.div({ class: "bordered" }, h(ScrollBox, { label: "Cells that fail" }, () => t.table({ class: "table" },
        t.thead(t.tr(["In the file", "May mean", "Confidence", "Why"].map((name) => t.th({ scope: "col" }, name)))),
        t.tbody(props.plan.proposals.map((one) => t.tr({ key: one.header }, t.td(one.header), t.td(t.b(one.column)), t.td(`${Math.round(one.confidence * 100)} %`), t.td(one.reason))))))),
      props.plan.questions.length > 0 && t.div({ class: "row" },
        button({ icon: "check", onClick: () => emit("decide", true) }, "Take these columns"),
        button({ onClick: () => emit("decide", false) }, "Take none of them")));
    /** What the records would come to. */
    const figures = () => {
      const { plan } = props;
      const all = [[plan.records_inserted, "new rows", ""], [plan.records_updated, "rows updated", ""], [plan.duplicates_skipped, "duplicates", "warn"],
        [plan.validation_failures, "would wait for review", "bad"], [plan.value_replacements, "values replaced", "warn"], [plan.records_flagged, "look alike", "warn"], [plan.records_left_out, "left out", ""]];
      return t.div({ class: "figures" }, all.filter(([value], n) => n === 0 || value > 0).map(([value, name, kind]) => t.div({ class: `figure ${kind}` }, t.b(count(value)), t.span(name))));
    };
    const more = (value, noun) => value > 0 && t.p({ class: "muted small-text" }, `and ${many(value, noun)} more`);
    const failing = () => props.plan.failing_cells.length > 0 && t.section({ class: "stack tight", "aria-label": "Cells that fail" },
      t.h3("These records would wait for review"),
      t.div({ class: "bordered" }, h(ScrollBox, { label: "Replaced values" }, () => t.table({ class: "table" },
        t.thead(t.tr(["Record", "Column", "In the file", "Why"].map((name, n) => t.th({ scope: "col", class: n ? "" : "number" }, name)))),
        t.tbody(props.plan.failing_cells.map((one) => t.tr(t.td({ class: "number" }, count(one.record_number)), t.td(one.column ?? t.span({ class: "muted" }, "the whole line")),
          t.td({ class: "failing" }, one.value === null || one.value === "" ? t.span({ class: "muted" }, "empty") : t.code(one.value)), t.td(one.reason))))))),
      more(props.plan.failing_cells_more, "cell"));
    const replaced = () => props.plan.replaced_cells.length > 0 && t.details(t.summary(`${many(props.plan.value_replacements, "value")} would be replaced`),
      t.div({ class: "bordered" }, h(ScrollBox, { label: "Columns that may be meant" }, () => t.table({ class: "table" },
        t.thead(t.tr(["Record", "Column", "In the file", "Becomes"].map((name, n) => t.th({ scope: "col", class: n ? "" : "number" }, name)))),
        t.tbody(props.plan.replaced_cells.map((one) => t.tr(t.td({ class: "number" }, count(one.record_number)), t.td(one.column), t.td(t.code(one.original_value)),
          t.td(one.new_value === null ? t.span({ class: "muted" }, "empty") : t.code(one.new_value)))))))),
      more(props.plan.replaced_cells_more, "value"));
    const duplicates = () => {
      const { plan } = props;
      const found = [plan.duplicates_in_file > 0 && `${many(plan.duplicates_in_file, "repeat")} within the file`,
        plan.duplicates_in_table > 0 && `${count(plan.duplicates_in_table)} in the table already`,
        plan.duplicates_in_table === null && "those in the table are found at the import"].filter(Boolean);
      return [DUPLICATES[plan.duplicates] ?? plan.duplicates, ...found].join("; ");
    };
    /** A note; one that leaves a choice has a button for the other reading. */
    const note = (text) => {
      const choice = props.plan.choices.find((one) => text.startsWith(`${one.column} `) && text.includes(one.say));
      return choice ? notice("warn", text.replace(/; say that .*$/, "."), " ", button({ size: "small", onClick: () => emit("say", choice.say) }, `Read it ${choice.other.startsWith("decimal") ? `with a ${choice.other}` : choice.other}`)) : notice("", text);
    };
    const sample = () => {
      const names = props.plan.columns.map((column) => column.name);
      return { rowData: props.plan.sample, columnDefs: names.map((name) => ({ headerName: name, valueGetter: (p) => p.data[name], valueFormatter: (p) => cell(p.value), minWidth: 120, flex: 1, sortable: false })) };
    };
    return () => {
      const { plan } = props;
      return t.section({ class: ["card stack plan", { stale: props.stale }], "aria-label": "Preview" },
        t.div({ class: "row between" }, t.h2({ tabindex: -1 }, "What would happen"), props.stale && badge("The file or the instruction has changed since", "warn")),
        t.dl({ class: "facts" },
          t.dt("Into"), t.dd(target()),
          t.dt("Records"), t.dd(count(plan.records)),
          (plan.encoding || plan.delimiter) && [t.dt("File"), t.dd(fileFormat(plan))],
          !plan.as_dataset && [t.dt("Key"), t.dd(plan.key_columns.length ? plan.key_columns.map((name) => [badge(name, "accent"), " "]) : "all columns together")],
          plan.replace && [t.dt("Rows that are there"), t.dd(badge("are archived", "warn"))],
          plan.time_column && [t.dt("Times"), t.dd(badge(plan.time_column, "accent"))],
          !plan.as_dataset && [t.dt("Duplicates"), t.dd(duplicates())]),
        figures(),
        plan.as_dataset && plan.validation_failures > 0 && notice("bad", "A dataset takes all rows or none: as it is, this file would be refused."),
        plan.questions.map((question) => notice("bad", question)),
        plan.proposals.length > 0 && proposals(),
        plan.understood.length > 0 && t.details({ open: true }, t.summary("How the instruction was read"), t.ul(plan.understood.map((clause) => t.li({ title: clause.words.join(" … ") }, clause.meaning)))),
        plan.not_understood.length > 0 && notice("warn", "Not understood: ", plan.not_understood.join("; ")),
        plan.notes.map(note),
        failing(), replaced(),
        t.div({ class: "bordered" }, h(ScrollBox, { label: "Columns" }, () => t.table({ class: "table" },
          t.thead(t.tr(["In the file", "Column", "Type", ""].map((name) => t.th({ scope: "col" }, name || t.span({ class: "visually-hidden" }, "Notes"))))),
          t.tbody(plan.columns.map((column) => t.tr({ key: column.name }, t.td(column.source), t.td(t.b(column.name)), t.td(t.code(column.type)),
            t.td(t.div({ class: "row" }, column.new && badge("new", "accent"), plan.key_columns.includes(column.name) && badge("key"), column.semantic && badge(column.semantic, "good"), column.unit && badge(column.unit),
              column.required && badge("required", "warn"))))))))),
        plan.sample.length > 0 && [t.h3("The first records as they would be"), h(Grid, { options: sample(), label: "First records", height: 60 + plan.sample.length * 42 })]);
    };
  },
};
