// A chart of a dataset's columns that asks the server for as many buckets as it can show, at each zoom anew.
import { api } from "../api.js";
import { debounce, h, nextTick, onBeforeUnmount, onMounted, reactive, ref, shallowRef, t, watch } from "../dom.js";
import { many, moment, number } from "../format.js";
import { colour } from "../theme.js";
import { zone } from "../zone.js";
import { useBrush } from "./brush.js";
import { Chart } from "./chart.js";
import { measured, titled } from "./column-note.js";
import { RangeDialog } from "./range.js";
import { axes, bucketSeries, rowSeries, tinted } from "./series.js";
import { seriesName, seriesWhere } from "./series-picker.js";
import { button, notice, segmented, spinner } from "./ui.js";
import { useWheel } from "./wheel.js";

// A bucket takes two pixels or more.
const [FEWEST_POINTS, POINTS] = [60, 600];
const LEAST = 100; // milliseconds
// Finer than the narrowest bucket, this many rows are shown at most.
const MOST = 2000;
// Up to so many rows are shown as they are, on a wide chart, instead of buckets.
const FEW = 800;
// While rows arrive, buckets are asked for anew so often, in milliseconds.
const ANEW = 2000;
/** @type {[string, number][]} */
const PRESETS = [["1h", 3600e3], ["1d", 864e5], ["7d", 7 * 864e5], ["30d", 30 * 864e5], ["1y", 365 * 864e5], ["All", Infinity]];
// The slider under the plot, in pixels.
const BELOW = 54;

const iso = (ms) => new Date(Math.round(ms)).toISOString();

/** A line of the tooltip; for buckets with least and greatest. */
const tip = (units) => ({ seriesName, value: [, value, least, greatest] }) =>
  `${seriesName}  ${measured(number(value), units[seriesName])}${least === undefined || least === greatest ? "" : `  (${number(least)} to ${number(greatest)})`}`;

const sameRow = (row) => row.timestamp + JSON.stringify(row.values);

/**
 * `dataset`: its id; `columns`: names of those to draw; `units`: by name, of those that have one; `first`, `last`: ISO moments of all rows.
 * `lines`: {column, keys, chosen} to draw one column with a line for each chosen series, {name, key}, instead of a line for each column.
 * `live`: {rows, joined} of useLive() while it is on: what is shown then moves along with the newest row, unless one looks at
 * something older. `shown`: the range to start with, {start, end} in ISO, or null for all.
 * Emits `range` with the ISO moments that are shown.
 */
export const SeriesChart = {
  props: { dataset: Number, columns: Array, units: Object, first: String, last: String, live: Object, shown: Object, lines: Object },
  emits: ["range"],
  setup(props, { emit }) {
    // What is drawn under a name: a column, or the one column of a series.
    const names = () => (props.lines ? props.lines.chosen.map((one) => one.name) : props.columns);
    const units = () => (props.lines ? Object.fromEntries(names().map((name) => [name, props.units[props.lines.column]])) : props.units);
    /** The values of a row or bucket by name; null where its series is not drawn. */
    const renamed = (one, key) => {
      if (!props.lines) return one;
      const name = seriesName(Object.fromEntries(props.lines.keys.map((part) => [part, key[part]])));
      return names().includes(name) ? { ...one, values: { [name]: one.values[props.lines.column] } } : null;
    };
    const arrivedAll = () => props.live?.rows ?? [];
    const arrived = () => (props.lines ? arrivedAll().map((row) => renamed(row, row.values)).filter(Boolean) : arrivedAll());
    const newest = () => arrivedAll().reduce((latest, row) => Math.max(latest, Date.parse(row.timestamp)), Date.parse(props.last));
    const whole = () => {
      const first = arrivedAll().reduce((least, row) => Math.min(least, Date.parse(row.timestamp)), Date.parse(props.first));
      return [first, Math.max(newest(), first + 1000)];
    };
    const state = reactive({ from: whole()[0], to: whole()[1], busy: false, problem: null, note: "", preset: "All", choosing: false, follow: true });
    // Either rows or series of buckets; `upto`: what had arrived when they were asked for.
    const drawn = shallowRef(/** @type {{rows: any[], known?: Set<string>, series: any, upto: number}} */ ({ rows: [], series: null, upto: 0 }));
    const box = ref(null);
    const known = {};
    let chart, request, asking, last = 0;

    // Everything is asked for without a range: moments are exact to the microsecond, those here to the millisecond.
    const asked = () => (state.to - state.from >= whole()[1] - whole()[0] ? {} : { start: iso(state.from), end: iso(state.to) });
    const share = () => Math.min(1, Math.max(FEWEST_POINTS, (box.value?.clientWidth ?? Infinity) / 2) / POINTS);
    const load = async () => {
      if (!names().length) return;
      request?.abort();
      request = new AbortController();
      const { signal } = request;
      state.busy = true;
      last = performance.now();
      const where = props.lines ? { where: seriesWhere(props.lines.chosen) } : {};
      const span = { dataset: props.dataset, ...asked(), ...where };
      // Days and hours of the zone in which moments are shown.
      const clock = zone.local ? { timezone: zone.here } : {};
      const columns = props.lines ? [props.lines.column] : props.columns;
      const by = props.lines ? { by: props.lines.keys } : {};
      const upto = arrivedAll().at(-1)?.n ?? 0;
      try {
        const found = await api.get("/api/rows/aggregate/", { ...span, ...by, ...clock, columns, points: Math.round(POINTS * share()), functions: "count,min,max,avg" }, { signal });
        found.results = found.results.map((one) => renamed(one, one.series)).filter(Boolean);
        const total = found.results.reduce((sum, one) => sum + one.count, 0);
        if (total <= FEW * share() || (new Set(found.results.map((one) => one.timestamp)).size < 5 && total <= MOST)) {
          const page = await api.get("/api/rows/", { ...span, columns: props.lines ? [...columns, ...props.lines.keys] : columns, limit: MOST }, { signal });
          const rows = page.results.map((row) => renamed(row, row.values)).filter(Boolean);
          drawn.value = { rows, known: new Set(rows.map(sameRow)), series: null, upto };
        } else {
          const banded = names().length <= 4;
          const series = names().flatMap((name, n) => bucketSeries(name, n, found.results, { banded, known }));
          drawn.value = { rows: null, series, upto };
          state.note = `${many(total, "row")} in ${many(new Set(found.results.map((one) => one.timestamp)).size, "bucket")} of ${found.bucket}`;
        }
        state.problem = null;
      } catch (error) {
        if (error.name === "AbortError") return;
        state.problem = error;
      }
      state.busy = false;
    };
    /** Rows as they are: those that were asked for, and those that arrived since. */
    const shownRows = () => {
      const { rows, known: have, upto } = drawn.value;
      const more = arrived().filter((row) => row.n > upto && !have?.has(sameRow(row)));
      return more.length ? [...rows, ...more].sort((a, b) => Date.parse(a.timestamp) - Date.parse(b.timestamp)) : rows;
    };
    const series = () => drawn.value.series ?? names().flatMap((name, n) => rowSeries(name, n, shownRows(), { known }));
    const note = () => (drawn.value.rows ? many(shownRows().length, "row") : state.note);
    const anew = () => { asking ??= setTimeout(() => { asking = null; load(); }, Math.max(0, ANEW - (performance.now() - last))); };
    const later = debounce(load, 120);

    const presets = () => PRESETS.filter(([, size]) => size === Infinity || size < whole()[1] - whole()[0]);
    const show = (from, to, { tell = true, ask = later } = {}) => {
      const [least, most] = whole();
      const width = Math.min(Math.max(to - from, LEAST), most - least);
      state.from = Math.max(least, Math.min(from, most - width));
      state.to = state.from + width;
      state.follow = state.to >= most - (state.to - state.from) / 100;
      state.preset = presets().find(([, size]) => Math.abs(Math.min(size, most - least) - width) < 2)?.[0] ?? "";
      if (tell) chart?.dispatchAction({ type: "dataZoom", startValue: state.from, endValue: state.to });
      const all = width >= most - least;
      emit("range", { start: iso(state.from), end: iso(state.to), all });
      ask();
    };
    /** Around the middle, or a place that stays where it is; in live mode the newest row stays. */
    const zoom = (factor, at = props.live && state.follow ? state.to : (state.from + state.to) / 2) =>
      show(at - (at - state.from) * factor, at + (state.to - at) * factor);
    const wheel = useWheel((factor, pixels) => zoom(factor, Math.max(state.from, Math.min(chart.convertFromPixel({ xAxisIndex: 0 }, pixels), state.to))));
    /** Moves along with what arrived, and asks for buckets again. */
    const follow = () => {
      const size = state.preset === "All" ? Infinity : state.to - state.from;
      const [least, most] = whole();
      const alone = drawn.value.rows && shownRows().length <= FEW;
      if (state.follow && (most > state.to || size === Infinity)) {
        nextTick(() => show(Math.max(least, most - size), most, { ask: alone ? () => {} : anew }));
      } else if (!alone) anew();
    };
    const pan = (share) => { const step = (state.to - state.from) * share; show(state.from + step, state.to + step); };
    const preset = (name) => {
      const size = PRESETS.find(([one]) => one === name)[1];
      show(whole()[1] - Math.min(size, whole()[1] - whole()[0]), whole()[1]);
    };
    const brush = useBrush((from, to) => {
      const [start, end] = [from, to].map((pixels) => chart.convertFromPixel({ xAxisIndex: 0 }, pixels));
      show(Math.max(start, state.from), Math.min(end, state.to));
    }, BELOW);
    const keys = (event) => {
      const run = { ArrowLeft: () => pan(-0.2), ArrowRight: () => pan(0.2), "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2), 0: () => preset("All") }[event.key];
      if (run && !event.ctrlKey && !event.metaKey) { event.preventDefault(); run(); }
    };

    const option = ({ axis, ...base }) => {
      const lines = series();
      const side = props.lines ? {} : axes(lines, props.columns, props.units);
      const two = Object.values(side).includes(1);
      // An axis names its unit where all that is on it has the same, and where there is room beside the legend, which does so, too.
      const narrow = (box.value?.clientWidth ?? 0) < 520;
      const unit = (n) => { if (narrow) return ""; const found = new Set(names().filter((name) => (side[name] ?? 0) === n).map((name) => units()[name] ?? "")); return found.size === 1 ? [...found][0] : ""; };
      const scale = (n) => ({ type: "value", scale: true, ...axis, name: unit(n), nameGap: 10, nameTextStyle: { color: colour("--muted"), align: n ? "left" : "right" } });
      return {
        ...base, useUTC: !zone.local, // Where there is little room, the buttons of the columns have the colours.
        legend: { ...base.legend, show: !narrow, data: names(), formatter: (name) => titled(name, units()[name]) },
        tooltip: {
          ...base.tooltip,
          formatter: (items) => [moment(iso(items[0].value[0])), ...items.filter((one) => one.seriesId.endsWith("-avg") && one.value[1] !== null)
            .map(tip(units()))].join("\n"),
        },
        grid: { ...base.grid, bottom: BELOW, ...(narrow && { top: 16 }) },
        xAxis: { type: "time", ...axis, axisLabel: { ...axis.axisLabel, hideOverlap: true }, splitLine: { show: false }, min: whole()[0], max: whole()[1] },
        yAxis: two ? [scale(0), { ...scale(1), splitLine: { show: false } }] : [scale(0)],
        dataZoom: [
          { type: "inside", filterMode: "none", zoomOnMouseWheel: false, preventDefaultMouseMove: false, startValue: state.from, endValue: state.to, minValueSpan: LEAST },
          { type: "slider", filterMode: "none", startValue: state.from, endValue: state.to, height: 24, bottom: 8, showDataShadow: false, showDetail: false,
            borderColor: colour("--border"), fillerColor: "rgba(110, 130, 220, 0.18)", handleStyle: { color: colour("--accent") },
            moveHandleStyle: { color: colour("--border-strong") }, brushSelect: false },
        ],
        series: tinted(lines).map((one) => ({ ...one, yAxisIndex: side[one.name] ?? 0 })),
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
    watch(() => [props.columns, props.dataset, props.lines], load);
    watch(() => props.live?.joined, load);
    watch(() => zone.local, load);
    watch(() => Boolean(props.live), (on) => {
      const [, most] = whole();
      if (on && !state.follow) show(most - (state.to - state.from), most);
    });
    watch(arrived, (rows) => { if (rows.length) follow(); });
    watch(() => [props.first, props.last], (now, before) => {
      const wasWhole = state.from <= Date.parse(before[0]) && state.to >= Date.parse(before[1]);
      if (wasWhole && !props.live) show(...whole());
    });
    let wide = 0;
    const turned = debounce(() => { if (Math.abs(share() - wide) > 0.1) { wide = share(); load(); } }, 300);
    onMounted(() => { wide = share(); load(); addEventListener("resize", turned); });
    onBeforeUnmount(() => { request?.abort(); clearTimeout(asking); removeEventListener("resize", turned); });

    const controls = () => t.div({ class: "row between" },
      segmented("Range", state.preset, presets().map(([name]) => [name, name]), preset),
      t.div({ class: "row tools" },
        state.busy && !props.live && spinner(),
        button({ size: "small", kind: "plain", icon: "select", label: "Draw over a range to zoom into it (or hold Shift)", "aria-pressed": String(brush.state.on),
          onClick: () => { brush.state.on = !brush.state.on; } }),
        button({ size: "small", kind: "plain", icon: "left", label: "Earlier", onClick: () => pan(-0.5) }),
        button({ size: "small", kind: "plain", label: "Zoom out", onClick: () => zoom(2) }, "−"),
        button({ size: "small", kind: "plain", label: "Zoom in", onClick: () => zoom(0.5) }, "+"),
        button({ size: "small", kind: "plain", icon: "right", label: "Later", onClick: () => pan(0.5) })));
    const foot = () => t.div({ class: "row between small-text muted" }, t.span({ "data-note": "", "aria-live": props.live ? "off" : "polite" }, note()),
      t.button({ type: "button", class: "text-link", title: "Choose a range", onClick: () => { state.choosing = true; } },
        `${moment(iso(state.from), 19)} – ${moment(iso(state.to), 19)} ${zone.id}`));
    return () => t.div({ class: "series-chart" }, controls(),
      t.div({ ref: box, tabindex: 0, class: ["chart-focus", { drawing: brush.state.on }], onKeydown: keys, role: "group",
        "aria-label": "Chart. Arrow keys move, plus and minus zoom, zero shows everything.", ...brush.handlers, ...wheel.handlers },
      h(Chart, { option: [arrived(), drawn.value].length && ((base) => option(base)), keep: true, label: `Chart of ${names().join(", ")}`, onReady: ready }),
      brush.mark(), wheel.hint()),
      state.problem ? notice("bad", state.problem, " ", button({ size: "small", onClick: load }, "Try again")) : foot(),
      state.choosing && h(RangeDialog, { start: iso(state.from), end: iso(state.to), onClose: () => { state.choosing = false; },
        onChosen: ({ start, end }) => show(Date.parse(start), Date.parse(end)) }));
  },
};
