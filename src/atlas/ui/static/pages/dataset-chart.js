// The chart tab: columns to choose, and the live mode on the dataset's stream.
import { api, events } from "../api.js";
import { SeriesChart } from "../components/series-chart.js";
import { badge, button, empty, notice } from "../components/ui.js";
import { h, onBeforeUnmount, reactive, shallowRef, t } from "../dom.js";
import { many } from "../format.js";

const MOST_SHOWN = 8;
const MOST_LIVE = 1500;

export const ChartTab = {
  props: { dataset: Object, summary: Object },
  emits: ["range", "changed"],
  setup(props, { emit }) {
    const numeric = props.dataset.columns.filter((column) => column.dtype === "int" || column.dtype === "float").map((column) => column.name);
    const state = reactive({ shown: numeric.slice(0, 3), live: false, connected: false, lost: false, received: 0, rate: 0, problem: null });
    const rows = shallowRef(null);
    let close, frame, waiting = [], times = [];

    const flush = () => {
      frame = null;
      rows.value = [...rows.value, ...waiting].slice(-MOST_LIVE);
      state.received += waiting.length;
      const now = performance.now();
      times = [...times, ...waiting.map(() => now)].filter((at) => now - at < 5000);
      state.rate = times.length / 5;
      waiting = [];
    };
    const start = async () => {
      state.problem = null;
      const id = props.dataset.id;
      try {
        const page = await api.get("/api/rows/", { dataset: id, ordering: "-timestamp", limit: 500 });
        rows.value = page.results.reverse();
      } catch (error) {
        state.problem = error;
        return;
      }
      Object.assign(state, { live: true, received: 0, rate: 0 });
      close = events("/api/rows/stream/", { dataset: id, poll_interval: 2 }, {
        connected: () => { state.connected = true; state.lost = false; },
        data: (row) => {
          const { timestamp, ...values } = row;
          waiting.push({ timestamp, values });
          frame ??= requestAnimationFrame(flush);
        },
        heartbeat: () => { state.connected = true; if (!waiting.length) { times = times.filter((at) => performance.now() - at < 5000); state.rate = times.length / 5; } },
        error: (told) => { if (told?.message) state.problem = told.message; },
        lost: () => { state.connected = false; state.lost = true; },
      });
    };
    const stop = () => {
      close?.();
      cancelAnimationFrame(frame);
      frame = null;
      if (!state.live) return;
      Object.assign(state, { live: false, connected: false, lost: false });
      rows.value = null;
      emit("changed");
    };
    onBeforeUnmount(() => { close?.(); cancelAnimationFrame(frame); });

    const toggle = (name) => {
      state.shown = state.shown.includes(name) ? state.shown.filter((one) => one !== name)
        : numeric.filter((one) => one === name || state.shown.includes(one)).slice(0, MOST_SHOWN);
    };
    const chooser = () => numeric.length > 1 && t.div({ class: "row", role: "group", "aria-label": "Columns" },
      numeric.slice(0, 40).map((name) => button({
        size: "small", "aria-pressed": String(state.shown.includes(name)), onClick: () => toggle(name),
        disabled: !state.shown.includes(name) && state.shown.length >= MOST_SHOWN,
      }, name)));
    const pulse = () => state.live && (state.connected
      ? t.span({ class: "badge good" }, t.span({ class: "dot pulse" }), `Live · ${state.rate.toFixed(1)} rows/s · ${many(state.received, "new row")}`)
      : badge(state.lost ? "Connection lost, trying again" : "Connecting", "warn"));
    return () => numeric.length === 0
      ? empty("series", "Nothing to draw", "Only columns of numbers can be drawn; this dataset has none. Its rows are under Rows.")
      : t.section({ class: "card stack", "aria-label": "Chart" },
        t.div({ class: "row between" }, chooser() || t.b(numeric[0]),
          t.div({ class: "row" }, pulse(),
            button({ icon: state.live ? "pause" : "live", "aria-pressed": String(state.live), onClick: () => (state.live ? stop() : start()) }, state.live ? "Stop" : "Live"))),
        state.problem && notice("bad", state.problem),
        state.shown.length === 0 ? empty("columns", "No column is chosen", "Choose one above.")
          : h(SeriesChart, { dataset: props.dataset.id, columns: state.shown, first: props.summary.first_timestamp, last: props.summary.last_timestamp,
            rows: state.live ? rows.value : null, onRange: (range) => emit("range", range) }));
  },
};
