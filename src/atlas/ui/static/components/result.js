// The rows of an answer as a grid, a figure or a chart, and how to take them along.
import { computed, h, reactive, shallowRef, t, watch } from "../dom.js";
import { count, many, number } from "../format.js";
import { colour } from "../theme.js";
import { download, saveAnswer, saveText } from "../api.js";
import { Chart } from "./chart.js";
import { measured } from "./column-note.js";
import { Grid } from "./grid.js";
import { chartOption, drawing, gridOptions } from "./result-data.js";
import { attempt } from "./overlays.js";
import { copy } from "./snippets.js";
import { button, segmented } from "./ui.js";

const KINDS = [["bar", "Bars"], ["line", "Line"], ["pie", "Pie"], ["scatter", "Points"]];

/** A file name from a question. */
const named = (title) => (title.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "").slice(0, 60) || "result");

/** `result`: {columns, rows, csv, sql, chart, truncated}. Emits `more` where all rows are wanted. */
export const Result = {
  props: { result: Object, title: String, busy: Boolean },
  emits: ["more"],
  setup(props, { emit }) {
    const state = reactive({ view: "table", spec: null, saving: false });
    const chart = shallowRef(null);
    const start = () => {
      state.spec = drawing(props.result, props.result.chart);
      const drawn = props.result.chart && props.result.chart.kind !== "number" && props.result.rows.length > 1;
      state.view = state.spec && drawn ? "chart" : "table";
      if (state.spec && !KINDS.some(([kind]) => kind === state.spec.kind)) state.spec.kind = "bar";
    };
    start();
    watch(() => props.result, start);
    const options = computed(() => gridOptions(props.result));
    const option = computed(() => state.spec && chartOption(props.result, { ...state.spec, y: [...state.spec.y] }));
    const numbers = () => props.result.columns.filter(({ kind }) => kind === "number").map(({ name }) => name);
    const toggle = (name) => {
      const y = state.spec.y.includes(name) ? state.spec.y.filter((one) => one !== name) : [...state.spec.y, name];
      if (y.length) state.spec.y = state.spec.kind === "pie" ? [name] : y;
    };
    const picture = () => download(chart.value.getDataURL({ type: "png", pixelRatio: 2, backgroundColor: colour("--surface") }), {}, `${named(props.title)}.png`);
    const workbook = async () => {
      state.saving = true;
      const { sql, rows } = props.result, title = named(props.title);
      await attempt(() => saveAnswer("/api/v1/sql/export", { sql, format: "xlsx", max_rows: Math.max(1, rows.length), title }, `${title}.xlsx`));
      state.saving = false;
    };
    const tabbed = () => [props.result.columns.map(({ name }) => name), ...props.result.rows].map((row) => row.join("\t")).join("\n");

    const chooser = () => t.div({ class: "row chart-choices" },
      segmented("Kind of chart", state.spec.kind, KINDS, (kind) => { state.spec.kind = kind; if (kind === "pie") state.spec.y = state.spec.y.slice(0, 1); }),
      t.label({ class: "row small-text" }, "Across", t.select({ class: "input compact", value: state.spec.x, onChange: (event) => { state.spec.x = event.target.value; } },
        props.result.columns.map(({ name }) => t.option({ value: name, selected: name === state.spec.x }, name)))),
      numbers().length > 1 && t.div({ class: "row", role: "group", "aria-label": "Values shown" }, t.span({ class: "small-text" }, "Values"), numbers().map((name) =>
        button({ size: "small", "aria-pressed": String(state.spec.y.includes(name)), onClick: () => toggle(name) }, name))));
    const figure = () => {
      const [{ name, kind }] = props.result.columns;
      const value = props.result.rows[0][0];
      return t.div({ class: "big-figure" }, t.b(measured(kind === "number" && Math.abs(Number(value)) < 1e15 ? number(Number(value)) : value || "none", value !== "" && props.result.units?.[name])), t.span({ class: "muted" }, name.replaceAll("_", " ")));
    };
    const body = () => {
      const { rows, columns } = props.result;
      if (state.view === "chart") return [chooser(), h(Chart, { option: option.value, label: `Chart of ${state.spec.y.join(", ")} by ${state.spec.x}`, height: 340, onReady: (made) => { chart.value = made; } })];
      if (rows.length === 1 && columns.length === 1) return figure();
      return h(Grid, { options: options.value, label: "Result", height: Math.min(rows.length, 11) * 34 + 56 });
    };
    return () => {
      const { rows, columns, csv, truncated } = props.result;
      if (columns.length === 0) return null;
      return t.section({ class: "result", "aria-label": "Result" },
        t.div({ class: "row between" },
          t.div({ class: "row" }, state.spec && segmented("Shown as", state.view, [["table", "Table"], ["chart", "Chart"]], (view) => { state.view = view; }),
            t.span({ class: "muted small-text" }, truncated ? `The first ${count(rows.length)} rows` : many(rows.length, "row")),
            truncated && rows.length < 10_000 && button({ size: "small", kind: "plain", busy: props.busy, onClick: () => emit("more") }, "Load more")),
          t.div({ class: "row" },
            button({ size: "small", kind: "plain", icon: "copy", onClick: () => copy(tabbed()) }, "Copy rows"),
            button({ size: "small", kind: "plain", icon: "download", onClick: () => saveText(csv, `${named(props.title)}.csv`) }, "CSV"),
            props.result.sql && button({ size: "small", kind: "plain", icon: "download", busy: state.saving, title: "Runs the query once more", onClick: workbook }, "Excel"),
            state.view === "chart" && button({ size: "small", kind: "plain", icon: "download", disabled: !chart.value, onClick: picture }, "PNG"))),
        rows.length === 0 ? t.p({ class: "muted" }, "No rows match.") : body());
    };
  },
};
