// A chart of a dataset's columns that asks the server for as many buckets as it can show, at each zoom anew.
import { api } from "../api.js";
import { debounce, h, onBeforeUnmount, reactive, shallowRef, t, watch } from "../dom.js";
import { many, moment, number } from "../format.js";
import { colour } from "../theme.js";
import { useBrush } from "./brush.js";
import { Chart } from "./chart.js";
import { RangeDialog } from "./range.js";
import { axes, bucketSeries, recent, rowSeries, tinted } from "./series.js";
import { button, notice, segmented, spinner } from "./ui.js";

const POINTS = 600;
const LEAST = 100; // milliseconds
// Finer than the narrowest bucket, this many rows are shown at most.
const MOST = 2000;
// Below this, the rows themselves are shown instead of buckets.
const FEW = 800;
const PRESETS = [["1h", 3600e3], ["1d", 864e5], ["7d", 7 * 864e5], ["30d", 30 * 864e5], ["1y", 365 * 864e5], ["All", Infinity]];
// The slider under the plot, in pixels.
const BELOW = 54;

const iso = (ms) => new Date(Math.round(ms)).toISOString();

/** A line of the tooltip; for buckets with least and greatest. */
const tip = ({ seriesName, value: [, value, least, greatest] }) =>
  `${seriesName}  ${number(value)}${least === undefined || least === greatest ? "" : `  (${number(least)} to ${number(greatest)})`}`;

/**
 * `dataset`: its id; `columns`: names of those to draw; `first`, `last`: ISO moments of all rows.
 * `rows`: rows to draw instead, as in live mode. `shown`: the range to start with, {start, end} in ISO, or null for all.
 * Emits `range` with the ISO moments that are shown.
 */
export const SeriesChart = {
  props: { dataset: Number, columns: Array, first: String, last: String, rows: Array, shown: Object },
  emits: ["range"],
  setup(props, { emit }) {
    const whole = () => [Date.parse(props.first), Math.max(Date.parse(props.last), Date.parse(props.first) + 1000)];
    const state = reactive({ from: whole()[0], to: whole()[1], busy: false, problem: null, note: "", preset: "All", choosing: false });
    const drawn = shallowRef({ series: [], bucket: null });
    let chart, request;

    // Everything is asked for without a range: moments are exact to the microsecond, those here to the millisecond.
    const asked = () => (state.to - state.from >= whole()[1] - whole()[0] ? {} : { start: iso(state.from), end: iso(state.to) });
    const load = async () => {
      if (props.rows || !props.columns.length) return;
      request?.abort();
      request = new AbortController();
      const { signal } = request;
      state.busy = true;
      const span = { dataset: props.dataset, ...asked(), columns: props.columns };
      try {
        const found = await api.get("/api/rows/aggregate/", { ...span, points: POINTS, functions: "count,min,max,avg" }, { signal });
        const total = found.results.reduce((sum, one) => sum + one.count, 0);
        let series;
        if (total <= FEW || (found.results.length < 5 && total <= MOST)) {
          const page = await api.get("/api/rows/", { ...span, limit: MOST }, { signal });
          series = props.columns.map((name, n) => rowSeries(name, n, page.results));
          state.note = many(total, "row");
        } else {
          const banded = props.columns.length <= 4;
          series = props.columns.flatMap((name, n) => bucketSeries(name, n, found.results, banded));
          state.note = `${many(total, "row")} in ${many(found.results.length, "bucket")} of ${found.bucket}`;
        }
        drawn.value = { series };
        state.problem = null;
      } catch (error) {
        if (error.name === "AbortError") return;
        state.problem = error;
      }
      state.busy = false;
    };
    const later = debounce(load, 120);

    const show = (from, to, { tell = true } = {}) => {
      const [least, most] = whole();
      const width = Math.min(Math.max(to - from, LEAST), most - least);
      state.from = Math.max(least, Math.min(from, most - width));
      state.to = state.from + width;
      state.preset = PRESETS.find(([, size]) => Math.abs(Math.min(size, most - least) - width) < 2)?.[0] ?? "";
      if (tell) chart?.dispatchAction({ type: "dataZoom", startValue: state.from, endValue: state.to });
      const all = width >= most - least;
      emit("range", { start: iso(state.from), end: iso(state.to), all });
      later();
    };
    const zoom = (factor) => {
      const middle = (state.from + state.to) / 2;
      const half = ((state.to - state.from) * factor) / 2;
      show(middle - half, middle + half);
    };
    const pan = (share) => { const step = (state.to - state.from) * share; show(state.from + step, state.to + step); };
    const preset = (name) => {
      const size = PRESETS.find(([one]) => one === name)[1];
      show(whole()[1] - Math.min(size, whole()[1] - whole()[0]), whole()[1]);
    };
    const presets = () => PRESETS.filter(([, size]) => size === Infinity || size < whole()[1] - whole()[0]);
    const brush = useBrush((from, to) => {
      const [start, end] = [from, to].map((pixels) => chart.convertFromPixel({ xAxisIndex: 0 }, pixels));
      show(Math.max(start, state.from), Math.min(end, state.to));
    }, BELOW);
    const keys = (event) => {
      const run = { ArrowLeft: () => pan(-0.2), ArrowRight: () => pan(0.2), "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2), 0: () => preset("All") }[event.key];
      if (run && !event.ctrlKey && !event.metaKey) { event.preventDefault(); run(); }
    };

    const option = ({ axis, ...base }) => {
      const live = Boolean(props.rows);
      const rows = live && recent(props.rows);
      const series = live ? props.columns.map((name, n) => rowSeries(name, n, rows)) : drawn.value.series;
      const side = axes(series, props.columns);
      const two = Object.values(side).includes(1);
      const scale = { type: "value", scale: true, ...axis };
      return {
        ...base, useUTC: true, legend: { ...base.legend, data: props.columns },
        tooltip: {
          ...base.tooltip,
          formatter: (items) => [moment(iso(items[0].value[0])), ...items.filter((one) => props.columns.includes(one.seriesName) && one.value[1] !== null)
            .map(tip)].join("\n"),
        },
        grid: { ...base.grid, bottom: live ? 10 : BELOW },
        xAxis: { type: "time", ...axis, splitLine: { show: false }, ...(live ? {} : { min: whole()[0], max: whole()[1] }) },
        yAxis: two ? [scale, { ...scale, splitLine: { show: false } }] : [scale],
        dataZoom: live ? [] : [
          { type: "inside", filterMode: "none", startValue: state.from, endValue: state.to, minValueSpan: LEAST },
          { type: "slider", filterMode: "none", startValue: state.from, endValue: state.to, height: 24, bottom: 8, showDataShadow: false, showDetail: false,
            borderColor: colour("--border"), fillerColor: "rgba(110, 130, 220, 0.18)", handleStyle: { color: colour("--accent") },
            moveHandleStyle: { color: colour("--border-strong") }, brushSelect: false },
        ],
        series: tinted(series).map((one) => ({ ...one, yAxisIndex: side[one.id.replace(/-(avg|low|high)$/, "")] ?? 0 })),
      };
    };
    const ready = (made) => {
      chart = made;
      chart.on("datazoom", () => {
        const [zoomed] = chart.getOption().dataZoom;
        if (!zoomed || Math.abs(zoomed.startValue - state.from) + Math.abs(zoomed.endValue - state.to) < 2) return;
        show(zoomed.startValue, zoomed.endValue, { tell: false });
      });
    };
    if (props.shown) {
      const [start, end] = [props.shown.start, props.shown.end].map(Date.parse);
      if (start < end) show(start, end);
    }
    watch(() => [props.columns, props.dataset], load);
    watch(() => Boolean(props.rows), (live) => { if (!live) load(); });
    watch(() => [props.first, props.last], (now, before) => {
      const wasWhole = state.from <= Date.parse(before[0]) && state.to >= Date.parse(before[1]);
      if (wasWhole && !props.rows) show(...whole());
    });
    load();
    onBeforeUnmount(() => request?.abort());

    const controls = () => t.div({ class: "row between" },
      segmented("Range", state.preset, presets().map(([name]) => [name, name]), preset),
      t.div({ class: "row tools" },
        state.busy && spinner(),
        button({ size: "small", kind: "plain", icon: "select", label: "Draw over a range to zoom into it (or hold Shift)", "aria-pressed": String(brush.state.on),
          onClick: () => { brush.state.on = !brush.state.on; } }),
        button({ size: "small", kind: "plain", icon: "left", label: "Earlier", onClick: () => pan(-0.5) }),
        button({ size: "small", kind: "plain", label: "Zoom out", onClick: () => zoom(2) }, "−"),
        button({ size: "small", kind: "plain", label: "Zoom in", onClick: () => zoom(0.5) }, "+"),
        button({ size: "small", kind: "plain", icon: "right", label: "Later", onClick: () => pan(0.5) })));
    const foot = () => t.div({ class: "row between small-text muted" }, t.span({ "data-note": "", "aria-live": "polite" }, state.note),
      t.button({ type: "button", class: "text-link", title: "Choose a range", onClick: () => { state.choosing = true; } },
        `${moment(iso(state.from).slice(0, 19))} – ${moment(iso(state.to).slice(0, 19))} UTC`));
    return () => t.div({ class: "series-chart" },
      !props.rows && controls(),
      t.div({ tabindex: 0, class: ["chart-focus", { drawing: brush.state.on }], onKeydown: keys, role: "group",
        "aria-label": "Chart. Arrow keys move, plus and minus zoom, zero shows everything.", ...(props.rows ? {} : brush.handlers) },
      h(Chart, { option: [props.rows, drawn.value].length && ((base) => option(base)), keep: true, label: `Chart of ${props.columns.join(", ")}`, onReady: ready }),
      brush.mark()),
      state.problem ? notice("bad", state.problem, " ", button({ size: "small", onClick: load }, "Try again")) : !props.rows && foot(),
      state.choosing && h(RangeDialog, { start: iso(state.from), end: iso(state.to), onClose: () => { state.choosing = false; },
        onChosen: ({ start, end }) => show(Date.parse(start), Date.parse(end)) }));
  },
};
