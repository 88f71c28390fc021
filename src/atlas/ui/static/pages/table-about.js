// The columns of a table with their statistics, and the imports and updates that changed it.
import { api } from "../api.js";
import { ColumnNoteDialog } from "../components/column-note.js";
import { loader } from "../components/listing.js";
import { attempt } from "../components/overlays.js";
import { ScrollBox } from "../components/scroll-box.js";
import { badge, button, empty, loading, notice, pager } from "../components/ui.js";
import { h, reactive, t, watch } from "../dom.js";
import { ago, count, fileFormat, many } from "../format.js";
import { href } from "../router.js";
import { session } from "../session.js";
import { importTitle, statusBadge } from "./imports.js";

const LIMIT = 25;
export const TYPES = {
  VARCHAR: "text", BIGINT: "whole number", "DOUBLE PRECISION": "number", BOOLEAN: "yes or no", DATE: "date", "TIMESTAMP WITH TIME ZONE": "date and time", JSON: "JSON", NUMERIC: "decimal number",
};

const share = (value) => `${(value * 100).toFixed(value > 0.999 && value < 1 ? 2 : value === 1 || value === 0 ? 0 : 1)} %`;

/** Whether the organization's model may be sent values of cells: administrators say so. */
const Samples = {
  props: { address: String },
  setup(props) {
    const state = reactive({ sent: null, problem: null });
    const take = (found) => { state.sent = found.samples === "organization"; };
    const load = async () => {
      try { take(await api.get(`${props.address}/samples`)); } catch (error) { state.problem = error; }
    };
    load();
    const change = async (event) => {
      const made = await attempt(() => api.put(`${props.address}/samples`, { samples: event.target.checked ? "organization" : "nobody" }), "Saved");
      if (made) take(made); else load();
    };
    return () => state.problem ? notice("bad", state.problem) : state.sent !== null && t.label({ class: "check" },
      t.input({ type: "checkbox", checked: state.sent, disabled: !session.isAdmin, onChange: change }),
      t.span("Values of cells may be sent to the organization's model, if its settings say so", !session.isAdmin && t.span({ class: "muted" }, " (administrators change this)")));
  },
};

export const ColumnsTab = {
  props: { address: String, about: Object },
  setup(props) {
    const state = reactive({ notes: {}, noted: null });
    const load = async () => {
      const found = await attempt(() => api.get(`${props.address}/schema`));
      if (found) state.notes = Object.fromEntries(found.columns.map((column) => [column.name, column]));
    };
    load();
    const note = (said) => api.patch(`${props.address}/columns/${encodeURIComponent(state.noted.name)}`, said);
    const line = ([name, type]) => {
      const found = props.about.statistics?.[name];
      return t.tr({ key: name },
        t.td({ class: "word" }, t.b(name), props.about.key_columns.includes(name) && [" ", badge("key", "accent")]),
        t.td(TYPES[type] ?? type, t.div({ class: "muted small-text" }, t.code(type))),
        t.td({ class: "nowrap" }, state.notes[name]?.unit || t.span({ class: "muted" }, "–")), t.td({ class: "said" }, state.notes[name]?.description || t.span({ class: "muted" }, "–")),
        found ? [
          t.td(t.div({ class: "filled" }, t.meter({ min: 0, max: 1, value: found.filled_share, "aria-label": `Filled values of ${name}` }), t.span({ class: "nowrap" }, share(found.filled_share)))),
          t.td({ class: "number" }, found.exact ? count(found.distinct) : `about ${count(found.distinct)}`),
          [found.minimum, found.maximum].map((bound) => t.td({ class: String(bound).length > 24 ? "" : "nowrap" }, bound ?? t.span({ class: "muted" }, "–"))),
        ] : t.td({ colspan: 4, class: "muted" }, "–"),
        t.td({ class: "number" }, button({ size: "small", kind: "plain", icon: "edit", label: `Describe ${name}`, disabled: !state.notes[name], onClick: () => { state.noted = state.notes[name]; } })));
    };
    const estimated = () => Object.values(props.about.statistics ?? {}).some((one) => one.exact === false);
    return () => t.section({ class: "stack", "aria-label": "Columns" },
      t.p({ class: "muted" }, props.about.key_columns.length ? `Two records are the same if their ${props.about.key_columns.join(" and ")} ${props.about.key_columns.length > 1 ? "are" : "is"} the same.`
        : "The table has no key: two records are the same if all of their values are.", estimated() && " Distinct values are estimated from a sample.",
        (props.about.encoding || props.about.delimiter) && ` Its last file had ${fileFormat(props.about)}; a later file that leaves this open is read alike.`),
      t.div({ class: "card flush" }, h(ScrollBox, { label: "Columns" }, () => t.table({ class: "table" },
        t.thead(t.tr(["Column", "Type", "Unit", "Description", "Filled", "Distinct values", "Least", "Greatest"].map((name, n) => t.th({ scope: "col", class: n === 5 ? "number" : "" }, name)), t.th({ scope: "col" }, t.span({ class: "visually-hidden" }, "Describe")))),
        t.tbody(Object.entries(props.about.columns).map(line))))),
      props.about.key_columns && h(Samples, { address: props.address }),
      state.noted && h(ColumnNoteDialog, { column: state.noted, save: note, onClose: () => { state.noted = null; }, onChanged: load }));
  },
};

export const ImportsTab = {
  props: { address: String, about: Object },
  setup(props) {
    const state = reactive({ offset: 0 });
    const list = loader((signal) => api.get("/api/v1/import-history", { table_name: props.about.table_name, limit: LIMIT, offset: state.offset }, { signal }));
    watch(() => state.offset, () => list.load());
    const line = (one) => t.li({ class: "event", key: one.import_id },
      t.div({ class: "row between" },
        t.a({ class: "grow", href: href(`/imports/${one.import_id}`) }, t.b(importTitle(one))),
        t.span({ class: "muted small-text", title: one.created_at }, [ago(one.created_at), one.imported_by && ` by ${one.imported_by}`].filter(Boolean).join(""))),
      (one.file_name || one.status !== "success" || one.issues_open > 0) && t.div({ class: "row" }, (one.status !== "success" || one.issues_open > 0) && statusBadge(one),
        one.records_inserted > 0 && badge(`+ ${many(one.records_inserted, "row")}`, "good"), one.records_updated > 0 && badge(`${many(one.records_updated, "row")} changed`, "accent"),
        one.issues_open > 0 && badge(`${count(one.issues_open)} open`, "warn"), one.issues_resolved > 0 && badge(`${count(one.issues_resolved)} resolved`)),
      one.file_name && t.p({ class: "muted small-text clamp" }, one.response_summary ?? one.error ?? ""));
    return () => t.section({ class: "stack", "aria-label": "History" },
      list.problem && notice("bad", list.problem),
      !list.data ? !list.problem && loading() : list.data.imports.length === 0
        ? empty("history", "Nothing recorded", "Imports and updates of this table appear here.", button({ href: href("/import") }, "Import a file"))
        : t.ol({ class: "card events" }, list.data.imports.map(line)),
      list.data && pager({ offset: state.offset, limit: LIMIT, total: list.data.total_count }, (offset) => { state.offset = offset; }));
  },
};
