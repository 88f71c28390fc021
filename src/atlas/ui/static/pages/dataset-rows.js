// The rows tab: a page of rows, a range, an order; owners can delete a range.
import { api } from "../api.js";
import { titled } from "../components/column-note.js";
import { Grid } from "../components/grid.js";
import { ask, attempt } from "../components/overlays.js";
import { readRange } from "../components/range.js";
import { button, empty, field, input, loading, notice, pager, segmented, spinner } from "../components/ui.js";
import { h, onBeforeUnmount, reactive, shallowRef, t, watch } from "../dom.js";
import { cell, many, moment } from "../format.js";
import { zone } from "../zone.js";

const LIMIT = 100;

export const RowsTab = {
  props: { dataset: Object, summary: Object, fresh: Number },
  emits: ["changed"],
  setup(props, { emit }) {
    const state = reactive({ start: "", end: "", problems: {}, newest: true, offset: 0, range: { start: "", end: "" }, busy: false, problem: null });
    const page = shallowRef(null);
    let request;
    const load = async () => {
      request?.abort();
      request = new AbortController();
      state.busy = true;
      try {
        page.value = await api.get("/api/rows/", {
          dataset: props.dataset.id, ...state.range, ordering: state.newest ? "-timestamp" : "timestamp", limit: LIMIT, offset: state.offset,
        }, { signal: request.signal });
        state.problem = null;
      } catch (error) {
        if (error.name === "AbortError") return;
        state.problem = error;
      }
      state.busy = false;
    };
    load();
    onBeforeUnmount(() => request?.abort());
    // New rows come to the first page of the newest only; other pages stay as they are read.
    watch(() => props.fresh, () => { if (state.newest && state.offset === 0) load(); });
    const turn = (offset) => { state.offset = offset; load(); };
    const order = (newest) => { state.newest = newest; turn(0); };
    const apply = (event) => {
      event?.preventDefault();
      const found = readRange(state.start, state.end);
      state.problems = found.problems ?? {};
      if (!found.problems) { state.range = found; turn(0); }
    };
    const clear = () => { Object.assign(state, { start: "", end: "" }); apply(); };
    const ranged = () => Boolean(state.range.start || state.range.end);
    // What is deleted is the range that was applied and whose rows are shown, not what stands in the fields by now.
    const remove = async () => {
      const { start, end } = state.range;
      const sure = await ask({
        title: `Delete ${many(page.value.count, "row")}?`, danger: true, confirm: "Delete them",
        text: `From ${start ? moment(start) : "the first"} to ${end ? moment(end) : "the last"} (${zone.label}), both included. This cannot be undone.`,
      });
      if (!sure) return;
      const done = await attempt(() => api.del("/api/rows/", { dataset: props.dataset.id, start, end }));
      if (!done) return;
      await attempt(async () => {}, `${many(done.deleted, "row")} deleted`);
      emit("changed");
      turn(0);
    };
    const options = () => ({
      rowData: page.value.results,
      columnDefs: [
        { headerName: `timestamp (${zone.label})`, valueGetter: (p) => moment(p.data.timestamp), width: 220, pinned: innerWidth > 700 ? "left" : null },
        ...props.dataset.columns.map((column) => ({
          headerName: titled(column.name, column.unit), headerTooltip: column.description || undefined, colId: `c${column.id}`, valueGetter: (p) => p.data.values[column.name], valueFormatter: (p) => cell(p.value),
          type: column.dtype === "int" || column.dtype === "float" ? "rightAligned" : undefined, minWidth: 110, flex: 1,
        })),
      ],
      defaultColDef: { sortable: false, suppressMovable: true, tooltipValueGetter: (p) => (cell(p.value).length > 24 ? cell(p.value) : null) },
    });
    const filters = () => t.form({ class: "row filters", onSubmit: apply },
      field({ label: "From", id: "rows-from", problem: state.problems.start }, (p) => input(state, "start", { ...p, placeholder: "2026-01-31 or 2026-01-31 10:00", autocomplete: "off" })),
      field({ label: "To", id: "rows-to", problem: state.problems.end }, (p) => input(state, "end", { ...p, placeholder: "included; a day to its end", autocomplete: "off" })),
      button({ type: "submit", icon: "filter" }, "Apply"),
      ranged() && button({ kind: "plain", onClick: clear }, "Clear"),
      t.div({ class: "grow" }),
      segmented("Order", state.newest, [[true, "Newest first"], [false, "Oldest first"]], order));
    const body = () => {
      if (!page.value) return !state.problem && loading();
      if (page.value.count === 0) {
        return t.div({ class: "card" }, ranged() ? empty("table", "No rows here", "No row lies in this range.", button({ onClick: clear }, "Show all rows"))
          : empty("table", "No rows yet", props.summary.is_owner ? "Add some under Add rows." : "Its owner has not added any."));
      }
      return [
        t.div({ class: "row" },
          t.span({ class: "small-text muted", role: "status" }, `${many(page.value.count, "row")}${ranged() ? " in this range" : ""}`),
          props.summary.is_owner && ranged() && button({ size: "small", kind: "danger", icon: "trash", disabled: state.busy, onClick: remove }, "Delete these"),
          state.busy && spinner()),
        h(Grid, { options: options(), label: "Rows", height: Math.min(560, 60 + page.value.results.length * 42) }),
        pager({ offset: state.offset, limit: LIMIT, total: page.value.count }, turn),
      ];
    };
    return () => t.section({ class: "stack", "aria-label": "Rows" }, filters(), state.problem && notice("bad", state.problem), body());
  },
};
