// The rows tab: a page of rows, a range, an order; owners can delete a range.
import { api } from "../api.js";
import { Grid } from "../components/grid.js";
import { ask, attempt } from "../components/overlays.js";
import { button, empty, field, input, loading, notice, pager, segmented } from "../components/ui.js";
import { h, reactive, t, watch } from "../dom.js";
import { cell, many, moment } from "../format.js";

const LIMIT = 100;

export const RowsTab = {
  props: { dataset: Object, summary: Object },
  emits: ["changed"],
  setup(props, { emit }) {
    const state = reactive({ start: "", end: "", newest: true, offset: 0, page: null, problem: null });
    const range = () => ({ start: state.start.trim(), end: state.end.trim() });
    const load = async () => {
      try {
        state.page = await api.get("/api/rows/", {
          dataset: props.dataset.id, ...range(), ordering: state.newest ? "-timestamp" : "timestamp", limit: LIMIT, offset: state.offset,
        });
        state.problem = null;
      } catch (error) {
        state.problem = error;
      }
    };
    watch(() => [state.newest, state.offset], load);
    load();
    const apply = (event) => { event?.preventDefault(); if (state.offset === 0) load(); else state.offset = 0; };
    const remove = async () => {
      const sure = await ask({ title: `Delete ${many(state.page.count, "row")}?`, danger: true, confirm: "Delete them",
        text: `From ${state.start || "the first"} to ${state.end || "the last"}, both included. This cannot be undone.` });
      if (!sure) return;
      const done = await attempt(() => api.del("/api/rows/", { dataset: props.dataset.id, ...range() }), "The rows were deleted");
      if (done) { emit("changed"); apply(); }
    };
    const options = () => ({
      rowData: state.page.results,
      columnDefs: [
        { headerName: "timestamp (UTC)", valueGetter: (p) => moment(p.data.timestamp), width: 220, pinned: innerWidth > 700 ? "left" : null },
        ...props.dataset.columns.map((column) => ({
          headerName: column.name, colId: `c${column.id}`, valueGetter: (p) => p.data.values[column.name], valueFormatter: (p) => cell(p.value), sortable: false,
          type: column.dtype === "int" || column.dtype === "float" ? "rightAligned" : undefined, minWidth: 110, flex: 1,
        })),
      ],
      defaultColDef: { sortable: false, suppressMovable: true },
    });
    return () => t.section({ class: "stack", "aria-label": "Rows" },
      t.form({ class: "row filters", onSubmit: apply },
        field({ label: "From", id: "rows-from" }, (p) => input(state, "start", { ...p, placeholder: "2026-01-31 or with a time" })),
        field({ label: "To", id: "rows-to" }, (p) => input(state, "end", { ...p, placeholder: "inclusive" })),
        button({ type: "submit", icon: "filter" }, "Apply"),
        t.div({ class: "grow" }),
        segmented("Order", state.newest, [[true, "Newest first"], [false, "Oldest first"]], (value) => { state.newest = value; state.offset = 0; }),
        props.summary.is_owner && state.page?.count > 0 && (state.start || state.end) && button({ kind: "danger", icon: "trash", onClick: remove }, "Delete these")),
      state.problem && notice("bad", state.problem),
      !state.page ? !state.problem && loading() : state.page.count === 0 ? empty("table", "No rows here", "Try another range.")
        : [h(Grid, { options: options(), label: "Rows", height: Math.min(560, 60 + state.page.results.length * 42) }),
          pager({ offset: state.offset, limit: LIMIT, total: state.page.count }, (offset) => { state.offset = offset; })]);
  },
};
