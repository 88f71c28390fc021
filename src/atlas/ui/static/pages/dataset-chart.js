// The chart tab: columns to choose, and the switch of the live mode.
import { events } from "../api.js";
import { SeriesChart } from "../components/series-chart.js";
import { SeriesPicker } from "../components/series-picker.js";
import { button, empty } from "../components/ui.js";
import { computed, h, onBeforeUnmount, onMounted, reactive, t } from "../dom.js";

const MOST_SHOWN = 8;
const MOST_OFFERED = 40;

export const ChartTab = {
  props: { dataset: Object, summary: Object, shown: Object, live: Object },
  emits: ["range"],
  setup(props, { emit }) {
    const numeric = computed(() => props.dataset.columns.filter((column) => column.dtype === "int" || column.dtype === "float").map((column) => column.name));
    const units = computed(() => Object.fromEntries(props.dataset.columns.filter((column) => column.unit).map((column) => [column.name, column.unit])));
    const about = (name) => props.dataset.columns.find((column) => column.name === name)?.description || undefined;
    const keys = computed(() => props.dataset.keys ?? []);
    // A key that is a number is no figure to draw.
    const figures = computed(() => numeric.value.filter((name) => !keys.value.includes(name)));
    const state = reactive({ shown: numeric.value.slice(0, 3), chosen: [], column: figures.value[0] });
    const lines = computed(() => (keys.value.length && state.column ? { column: state.column, keys: keys.value, chosen: state.chosen } : null));
    const { live } = props;
    const toggle = (name) => {
      state.shown = state.shown.includes(name) ? state.shown.filter((one) => one !== name)
        : numeric.value.filter((one) => one === name || state.shown.includes(one)).slice(0, MOST_SHOWN);
    };
    const chooser = () => numeric.value.length > 1 && t.div({ class: "row chooser", role: "group", "aria-label": "Columns" },
      numeric.value.slice(0, MOST_OFFERED).map((name) => button({
        size: "small", title: about(name), "aria-pressed": String(state.shown.includes(name)), onClick: () => toggle(name),
        disabled: !state.shown.includes(name) && state.shown.length >= MOST_SHOWN,
      }, state.shown.includes(name) && t.span({ class: `swatch series-${state.shown.indexOf(name) + 1}` }), name, units.value[name] && t.span({ class: "unit" }, units.value[name]))),
      numeric.value.length > MOST_OFFERED && t.span({ class: "muted small-text" }, `and ${numeric.value.length - MOST_OFFERED} more`));
    const oneOf = () => figures.value.length > 1 && t.div({ class: "row chooser", role: "group", "aria-label": "Column" },
      figures.value.slice(0, MOST_OFFERED).map((name) => button({
        size: "small", title: about(name), "aria-pressed": String(state.column === name), onClick: () => { state.column = name; },
      }, name, units.value[name] && t.span({ class: "unit" }, units.value[name]))));
    return () => numeric.value.length === 0
      ? empty("series", "Nothing to draw", "Only columns of numbers can be drawn; this dataset has none. Its rows are under Rows.")
      : t.section({ class: "card stack", "aria-label": "Chart" },
        t.div({ class: "row between chart-head" }, (lines.value ? oneOf() : chooser()) || t.b({ title: about(lines.value?.column ?? numeric.value[0]) }, lines.value?.column ?? numeric.value[0]),
          button({ icon: live.state.on ? "pause" : "live", "aria-pressed": String(live.state.on), onClick: () => (live.state.on ? live.stop() : live.start()) },
            live.state.on ? "Stop" : "Live")),
        lines.value && h(SeriesPicker, { dataset: props.dataset.id, chosen: state.chosen, onChange: (chosen) => { state.chosen = chosen; } }),
        lines.value ? state.chosen.length === 0 && empty("series", "No series is chosen", "Add one above.")
          : state.shown.length === 0 && empty("columns", "No column is chosen", "Choose one above."),
        (lines.value ? state.chosen : state.shown).length > 0 && h(SeriesChart, {
            lines: lines.value, dataset: props.dataset.id, columns: state.shown, units: units.value, first: props.summary.first_timestamp, last: props.summary.last_timestamp, shown: props.shown,
            live: live.state.on ? { rows: live.rows.value, joined: live.state.joined } : null, onRange: (range) => emit("range", range),
          }));
  },
};

/** What stands for the chart while there are no rows; emits `changed` when the first arrive. */
export const NoRows = {
  props: { dataset: Object, summary: Object },
  emits: ["changed", "add"],
  setup(props, { emit }) {
    let close;
    onMounted(() => {
      close = events("/api/rows/stream/", { dataset: props.dataset.id, poll_interval: 30 }, { data: () => { close(); emit("changed"); }, correction: () => { close(); emit("changed"); } });
    });
    onBeforeUnmount(() => close?.());
    return () => t.div({ class: "card" }, empty("series", "No rows yet",
      `${props.summary.is_owner ? "Add some here or from a program." : "Its owner has not added any."} The chart appears as soon as the first arrive.`,
      props.summary.is_owner && button({ kind: "primary", icon: "plus", onClick: () => emit("add") }, "Add rows")));
  },
};
