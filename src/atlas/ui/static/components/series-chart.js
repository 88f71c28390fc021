// A chart of a dataset's columns that asks the server for as many buckets as it can show, at each zoom anew.
import { api } from "../api.js";
import { debounce, h, onBeforeUnmount, reactive, shallowRef, t, watch } from "../dom.js";
import { many, moment, number } from "../format.js";
import { colour } from "../theme.js";
import { Chart, palette } from "./chart.js";
import { button, notice, segmented, spinner } from "./ui.js";

const POINTS = 600;
// Below this, the rows themselves are shown instead of buckets.
const FEW = 800;
const PRESETS = [["1h", 3600e3], ["1d", 864e5], ["7d", 7 * 864e5], ["30d", 30 * 864e5], ["All", Infinity]];

const iso = (ms) => new Date(Math.round(ms)).toISOString();

/** Lines of min, max and average for each column; a band where the buckets hold more than one row. */
function bucketSeries(name, n, buckets, banded) {
  const tint = palette()[n % 8];
  const points = buckets.filter((one) => one.values[name]).map((one) => [Date.parse(one.timestamp), one.values[name]]);
  const line = {
    id: `${name}-avg`, name, type: "line", showSymbol: points.length < 3, symbolSize: 5, lineStyle: { width: 1.6 }, itemStyle: { color: tint },
    data: points.map(([at, value]) => [at, value.avg]),
  };
  if (!banded) return [line];
  const edge = { type: "line", showSymbol: false, silent: true, lineStyle: { width: 0 }, itemStyle: { color: tint }, stack: `${name}-band`,
    stackStrategy: "all", tooltip: { show: false } };
  return [
    { ...edge, id: `${name}-low`, name: `${name} least`, data: points.map(([at, value]) => [at, value.min]) },
    { ...edge, id: `${name}-high`, name: `${name} span`, areaStyle: { color: tint, opacity: 0.16 },
      data: points.map(([at, value]) => [at, value.max - value.min]) },
    line,
  ];
}

function rowSeries(name, n, rows) {
  return {
    id: `${name}-avg`, name, type: "line", showSymbol: rows.length < 200, symbolSize: 4, lineStyle: { width: 1.5 }, itemStyle: { color: palette()[n % 8] },
    data: rows.filter((row) => typeof row.values[name] === "number").map((row) => [Date.parse(row.timestamp), row.values[name]]),
  };
}

/** Which of two axes each column is on: those of another order of magnitude than the first get one of their own. */
function axes(series, columns) {
  const size = (name) => {
    const data = series.find((one) => one.name === name)?.data ?? [];
    return data.reduce((most, [, value]) => Math.max(most, Math.abs(value ?? 0)), 0);
  };
  const first = size(columns[0]);
  return Object.fromEntries(columns.map((name) => {
    const ratio = first && size(name) / first;
    return [name, ratio && (ratio > 8 || ratio < 1 / 8) ? 1 : 0];
  }));
}

/**
 * `dataset`: its id; `columns`: names of those to draw; `first`, `last`: ISO moments of all rows.
 * `rows`: rows to draw instead, as in live mode. Emits `range` with the ISO moments that are shown.
 */
export const SeriesChart = {
  props: { dataset: Number, columns: Array, first: String, last: String, rows: Array },
  emits: ["range"],
  setup(props, { emit }) {
    const whole = () => [Date.parse(props.first), Math.max(Date.parse(props.last), Date.parse(props.first) + 1000)];
    const state = reactive({ from: whole()[0], to: whole()[1], busy: false, problem: null, note: "", preset: "All" });
    const drawn = shallowRef({ series: [], bucket: null });
    let chart, request;

    const load = async () => {
      if (props.rows || !props.columns.length) return;
      request?.abort();
      request = new AbortController();
      const { signal } = request;
      state.busy = true;
      const span = { dataset: props.dataset, start: iso(state.from), end: iso(state.to), columns: props.columns };
      try {
        const found = await api.get("/api/rows/aggregate/", { ...span, points: POINTS, functions: "count,min,max,avg" }, { signal });
        const total = found.results.reduce((sum, one) => sum + one.count, 0);
        let series;
        if (total <= FEW) {
          const page = await api.get("/api/rows/", { ...span, limit: FEW }, { signal });
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
      const width = Math.min(Math.max(to - from, 1000), most - least);
      state.from = Math.max(least, Math.min(from, most - width));
      state.to = state.from + width;
      state.preset = PRESETS.find(([, size]) => Math.abs(Math.min(size, most - least) - width) < 2)?.[0] ?? "";
      if (tell) chart?.dispatchAction({ type: "dataZoom", startValue: state.from, endValue: state.to });
      emit("range", { start: iso(state.from), end: iso(state.to), all: width >= most - least });
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
    const keys = (event) => {
      const run = { ArrowLeft: () => pan(-0.2), ArrowRight: () => pan(0.2), "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2), 0: () => preset("All") }[event.key];
      if (run && !event.ctrlKey && !event.metaKey) { event.preventDefault(); run(); }
    };

    const option = ({ axis, ...base }) => {
      const live = Boolean(props.rows);
      const series = live ? props.columns.map((name, n) => rowSeries(name, n, props.rows)) : drawn.value.series;
      const side = axes(series, props.columns);
      const two = Object.values(side).includes(1);
      const scale = { type: "value", scale: true, ...axis };
      return {
        ...base, useUTC: true, legend: { ...base.legend, data: props.columns },
        tooltip: {
          ...base.tooltip,
          formatter: (items) => [moment(iso(items[0].value[0])), ...items.filter((one) => props.columns.includes(one.seriesName))
            .map((one) => `${one.seriesName}  ${number(one.value[1])}`)].join("\n"),
        },
        grid: { ...base.grid, bottom: live ? 10 : 54 },
        xAxis: { type: "time", ...axis, splitLine: { show: false }, ...(live ? {} : { min: whole()[0], max: whole()[1] }) },
        yAxis: two ? [scale, { ...scale, splitLine: { show: false } }] : [scale],
        dataZoom: live ? [] : [
          { type: "inside", filterMode: "none", startValue: state.from, endValue: state.to, minValueSpan: 1000 },
          { type: "slider", filterMode: "none", startValue: state.from, endValue: state.to, height: 24, bottom: 8, showDataShadow: false, showDetail: false,
            borderColor: colour("--border"), fillerColor: "rgba(110, 130, 220, 0.18)", handleStyle: { color: colour("--accent") },
            moveHandleStyle: { color: colour("--border-strong") }, brushSelect: false },
        ],
        series: series.map((one) => ({ ...one, yAxisIndex: side[one.id.replace(/-(avg|low|high)$/, "")] ?? 0 })),
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
    watch(() => [props.columns, props.dataset], load);
    watch(() => Boolean(props.rows), (live) => { if (!live) load(); });
    watch(() => [props.first, props.last], (now, before) => {
      const wasWhole = state.from <= Date.parse(before[0]) && state.to >= Date.parse(before[1]);
      if (wasWhole && !props.rows) show(...whole());
    });
    load();
    onBeforeUnmount(() => request?.abort());

    return () => t.div({ class: "series-chart" },
      !props.rows && t.div({ class: "row between" },
        segmented("Range", state.preset, PRESETS.map(([name]) => [name, name]), preset),
        t.div({ class: "row" },
          state.busy && spinner(),
          button({ size: "small", kind: "plain", icon: "left", label: "Earlier", onClick: () => pan(-0.5) }),
          button({ size: "small", kind: "plain", label: "Zoom out", onClick: () => zoom(2) }, "−"),
          button({ size: "small", kind: "plain", label: "Zoom in", onClick: () => zoom(0.5) }, "+"),
          button({ size: "small", kind: "plain", icon: "right", label: "Later", onClick: () => pan(0.5) }))),
      t.div({ tabindex: 0, class: "chart-focus", onKeydown: keys, role: "group",
        "aria-label": "Chart. Arrow keys move, plus and minus zoom, zero shows everything." },
      h(Chart, { option: [props.rows, drawn.value].length && ((base) => option(base)), keep: true, label: `Chart of ${props.columns.join(", ")}`, onReady: ready })),
      state.problem ? notice("bad", state.problem)
        : !props.rows && t.div({ class: "row between small-text muted" }, t.span({ "data-note": "" }, state.note),
          t.span(`${moment(iso(state.from).slice(0, 19))} – ${moment(iso(state.to).slice(0, 19))} UTC`)));
  },
};
