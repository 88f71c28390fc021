// The rows of a table: pages, order, search and filter by the server; cells that are edited in place.
import { api } from "../api.js";
import { ConditionBuilder } from "../components/condition.js";
import { titled } from "../components/column-note.js";
import { Grid } from "../components/grid.js";
import { button, empty, field, input, loading, notice, pager, search, segmented } from "../components/ui.js";
import { computed, debounce, h, nextTick, reactive, ref, shallowRef, t, watch } from "../dom.js";
import { cell, count, moment, readMoment } from "../format.js";
import { zone } from "../zone.js";
import { RowPanel } from "./table-panel.js";

const LIMIT = 100;
// In UTC as the data is, unless local time is chosen.
const TIME = "TIMESTAMP WITH TIME ZONE";
const shownTime = (value) => (zone.local && value ? moment(value) : cell(value));
const NUMBERS = ["BIGINT", "NUMERIC", "DOUBLE PRECISION"];
const REFUSED = /^(?:Invalid filter: )?filter: (.*)/s;

/** Wide enough for what a page shows, within reason. */
const width = (name, rows) => Math.round(Math.min(380, Math.max(name.length * 8.4 + 62, ...rows.slice(0, 50).map((row) => cell(row[name]).length * 7.6 + 40))));

/** What was typed, as the API takes it. Raises SyntaxError for JSON that is none. */
export function typed(type, text) {
  const given = text === null || text === undefined ? "" : String(text);
  if (given.trim() === "") return null;
  if (type === "JSON") return JSON.parse(given);
  if (type === TIME && zone.local) {
    const { iso, problem } = readMoment(given, { exact: true });
    if (problem) throw new Error(problem);
    return iso ?? given;
  }
  if (type === "BOOLEAN" && /^(true|false)$/i.test(given.trim())) return given.trim().toLowerCase() === "true";
  return given;
}

export const RowsTab = {
  props: { address: String, about: Object, version: Number, filter: String, row: Number },
  emits: ["changed", "filter"],
  setup(props, { emit }) {
    const state = reactive({
      search: "", condition: props.filter, building: Boolean(props.filter), sort: "", archived: false, offset: 0, busy: false, problem: null, filterProblem: "",
    });
    const page = shallowRef(null);
    const notes = shallowRef({});
    const open = shallowRef(props.row ? { _row: props.row } : null);
    // A value that was refused: where, why, and what was typed.
    const refused = shallowRef(null);
    const box = ref(null);
    let grid, request;
    // The filter that is asked for; it becomes that of the page and its address once the server has taken it.
    let asked = props.filter;
    const load = async () => {
      request?.abort();
      request = new AbortController();
      state.busy = true;
      const filter = asked;
      try {
        const found = await api.get(`${props.address}/rows`, {
          limit: LIMIT, offset: state.offset, sort: state.sort, filter, search: state.search.trim(), archived: state.archived || "",
        }, { signal: request.signal });
        if (found.rows.length === 0 && state.offset > 0) { state.offset = Math.max(0, Math.ceil(found.total_count / LIMIT) * LIMIT - LIMIT); return; }
        page.value = found;
        // The same object while nothing was said anew, so that the grid keeps its columns.
        const said = Object.fromEntries(found.columns.map((column) => [column.name, column]));
        if (JSON.stringify(said) !== JSON.stringify(notes.value)) notes.value = said;
        measure();
        if (open.value) open.value = found.rows.find((row) => row._row === open.value._row) ?? open.value;
        Object.assign(state, { problem: null, filterProblem: "", busy: false });
        if (filter !== props.filter) emit("filter", filter);
      } catch (error) {
        if (error.name === "AbortError") return;
        state.busy = false;
        const told = REFUSED.exec(error.message);
        if (told) {
          state.filterProblem = told[1];
          asked = props.filter;
        } else state.problem = error;
      }
      refused.value = null;
    };
    // The rows that are shown stay until the new ones are there, and so does their page.
    const anew = () => { if (state.offset === 0) load(); else state.offset = 0; };
    watch(() => state.search, debounce(anew, 250));
    watch(() => [state.sort, state.archived], () => { open.value = null; anew(); });
    watch(() => props.filter, () => {
      if (props.filter === asked) return;
      asked = state.condition = props.filter;
      anew();
    });
    watch(() => [state.offset, props.version], load);
    load();
    const apply = async () => {
      asked = state.condition.trim();
      if (state.offset === 0) return load();
      // Looked at first: where it is refused, the page of rows that is shown stays with its number.
      try {
        await api.get(`${props.address}/rows`, { limit: 1, filter: asked });
        state.offset = 0;
      } catch (error) {
        state.filterProblem = REFUSED.exec(error.message)?.[1] ?? error.text;
        asked = props.filter;
      }
      return undefined;
    };

    const place = async () => {
      await nextTick();
      const found = refused.value && box.value?.querySelector(`[row-id="${refused.value.row}"] [col-id="${refused.value.column}"]`);
      if (!found) return;
      const at = found.getBoundingClientRect(), around = box.value.getBoundingClientRect();
      refused.value = { ...refused.value, left: Math.max(4, Math.min(at.left - around.left, around.width - 330)), top: at.bottom - around.top + 4 };
    };
    const save = async ({ data, colDef, column, newValue, node }) => {
      const { name, type } = colDef.context;
      if (cell(newValue) === cell(data[name])) return;
      refused.value = null;
      try {
        const done = await api.patch(`${props.address}/rows/${data._row}`, { values: { [name]: typed(type, newValue) } });
        const row = { ...data, ...done.values, _row: data._row };
        node.setData(row);
        page.value.rows[page.value.rows.findIndex((one) => one._row === row._row)] = row;
        if (open.value?._row === row._row) open.value = row;
        grid.flashCells({ rowNodes: [node], columns: [column] });
        emit("changed", { text: [`Row ${data._row}: ${name} is ${cell(done.values[name]) || "empty"} now.`, ...done.notes.map((note) => `${note.replace(`${name}: `, "")}.`)].join(" "), importId: done.import_id, reload: false });
      } catch (error) {
        const text = (error.message ?? "").replace(/^Invalid data: values: /, "");
        refused.value = { row: data._row, index: node.rowIndex, column: column.getColId(), text, typed: cell(newValue) };
        place();
      }
      grid.refreshCells({ rowNodes: [node], force: true });
    };
    const again = async () => {
      const { index, column, typed: text } = refused.value;
      grid.startEditingCell({ rowIndex: index, colKey: column });
      await nextTick();
      const editor = box.value.querySelector(".ag-cell-inline-editing input");
      if (editor) { editor.value = text; editor.dispatchEvent(new Event("input", { bubbles: true })); editor.select(); }
      refused.value = null;
    };
    const show = (row) => { open.value = row; };
    // By the first page; another one does not change the widths again.
    const widths = shallowRef({});
    const measure = () => { if (page.value?.rows.length && !Object.keys(widths.value).length) widths.value = Object.fromEntries(Object.keys(props.about.columns).map((name) => [name, width(name, page.value.rows)])); };
    const columnDefs = computed(() => [
      { headerName: "#", headerTooltip: "Row number; opens the row", colId: "_row", valueGetter: (p) => p.data._row, width: 84, pinned: "left", cellClass: "row-number", tooltipValueGetter: () => "Open this row and its history" },
      ...Object.entries(props.about.columns).map(([name, type], n) => ({
        headerName: titled(name, type === TIME && zone.local ? zone.label : notes.value[name]?.unit), colId: `c${n}`, context: { name, type }, valueGetter: (p) => (type === "JSON" ? cell(p.data[name]) : p.data[name]), valueFormatter: (p) => (type === TIME ? shownTime(p.value) : cell(p.value)),
        headerTooltip: notes.value[name]?.description || type, type: NUMBERS.includes(type) ? "rightAligned" : undefined, editable: !state.archived, minWidth: widths.value[name] ?? 120, flex: 1,
        ...(type === "BOOLEAN" && { cellEditor: "agSelectCellEditor", cellEditorParams: { values: [true, false, null] } }),
        ...(type === "JSON" && { cellEditor: "agLargeTextCellEditor", cellEditorPopup: true }),
        cellClassRules: { refused: (p) => refused.value?.row === p.data._row && refused.value.column === p.column.getColId() },
      })),
    ]);
    // One object for the grid's life; what changes is read from it by the grid's wrapper.
    const options = computed(() => ({
      columnDefs: columnDefs.value, rowData: page.value?.rows ?? [], getRowId: (p) => String(p.data._row), readOnlyEdit: true, stopEditingWhenCellsLoseFocus: true,
      enterNavigatesVerticallyAfterEdit: true, tooltipShowDelay: 600, suppressNoRowsOverlay: true, rowHeight: 36, headerHeight: 42,
      // The server sorts; the grid keeps its order.
      defaultColDef: { sortable: true, suppressMovable: true, comparator: () => 0, cellDataType: false, resizable: true },
      onSortChanged: ({ api: shown }) => {
        const sorted = shown.getColumnState().find((one) => one.sort);
        const name = sorted && (sorted.colId === "_row" ? "_row" : Object.keys(props.about.columns)[Number(sorted.colId.slice(1))]);
        state.sort = sorted ? `${sorted.sort === "desc" ? "-" : ""}${name}` : "";
      },
      onCellEditRequest: save, onBodyScroll: () => refused.value && place(),
      onCellClicked: ({ column, data }) => column.getColId() === "_row" && show(data),
      onCellKeyDown: ({ event, column, data }) => event.key === "Enter" && column.getColId() === "_row" && show(data),
    }));
    const tools = () => [
      t.div({ class: "row" },
        search(state, "search", "Search all columns"),
        button({ icon: "filter", "aria-pressed": String(state.building), onClick: () => { state.building = !state.building; } }, "Filter"),
        segmented("Which rows", state.archived, [[false, "In use"], [true, "Archived"]], (value) => { state.archived = value; }),
        t.div({ class: "grow" }),
        page.value && t.span({ class: "muted small-text nowrap", role: "status" }, found())),
      state.building && t.div({ class: "card stack" },
        h(ConditionBuilder, { columns: Object.entries(props.about.columns).map(([name, type]) => ({ name, type })), state, onApply: apply }),
        t.form({ class: "row filters", onSubmit: (event) => { event.preventDefault(); apply(); } },
          t.div({ class: "grow" }, field({ label: "Condition", problem: state.filterProblem }, (p) =>
            input(state, "condition", { ...p, class: "input mono", placeholder: "country = 'France' AND amount > 100", spellcheck: false, autocomplete: "off" }))),
          button({ type: "submit", kind: "primary", busy: state.busy }, "Apply"),
          (state.condition || props.filter) && button({ onClick: () => { state.condition = ""; apply(); } }, "Clear"))),
    ];
    const found = () => {
      const total = page.value.total_count;
      return props.filter || state.search.trim() ? `${count(total)} of ${count(props.about.row_count)} rows` : state.archived ? `${count(total)} archived` : matchMedia("(pointer: coarse)").matches ? "Tap a cell twice to change it" : "Double-click a cell, or press Enter, to change it";
    };
    const nothing = () => {
      if (props.filter || state.search.trim()) return empty("search", "No rows fit", "Change the search or the filter.", button({ onClick: () => { state.search = ""; state.condition = ""; apply(); } }, "Show all rows"));
      return state.archived ? empty("table", "No archived rows", "Rows that you archive are kept here.") : empty("table", "No rows yet", "Add one, or import a file into this table.");
    };
    const callout = () => refused.value?.top !== undefined && t.div({ class: "callout", role: "alert", style: { left: `${refused.value.left}px`, top: `${refused.value.top}px` } },
      t.div(refused.value.text), t.div({ class: "row" }, t.span({ class: "muted small-text grow" }, "The old value stays."),
        button({ size: "small", onClick: again }, "Edit again"), button({ size: "small", kind: "plain", icon: "close", label: "Dismiss", onClick: () => { refused.value = null; grid.refreshCells({ force: true }); } })));
    return () => t.section({ class: "stack", "aria-label": "Rows" }, tools(),
      state.problem && notice("bad", state.problem, " ", button({ size: "small", onClick: load }, "Try again")),
      !page.value ? !state.problem && !state.filterProblem && loading() : page.value.total_count === 0 && !state.busy ? t.div({ class: "card" }, nothing())
        : [t.div({ class: ["rows", { busy: state.busy }], ref: box },
          h(Grid, { options: options.value, label: "Rows", height: Math.min(620, 62 + Math.max(page.value.rows.length, 4) * 36), onReady: (made) => { grid = made; } }), callout()),
        pager({ offset: state.offset, limit: LIMIT, total: page.value.total_count }, (offset) => { state.offset = offset; })],
      open.value && h(RowPanel, {
        address: props.address, row: open.value, columns: Object.entries(props.about.columns).map(([name, type]) => ({ name, type })), archived: state.archived, version: props.version,
        onClose: () => { open.value = null; }, onChanged: (change) => { if (change.importId) open.value = null; emit("changed", change); },
      }));
  },
};
