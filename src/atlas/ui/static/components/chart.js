// ECharts in an element. It is loaded when a chart is first shown.
import { onBeforeUnmount, onMounted, ref, t, watch } from "../dom.js";
import { colour, theme } from "../theme.js";
import { zone } from "../zone.js";

let library;
const load = () => (library ??= import("/ui/lib/echarts/index.js"));

/** Colours of the series, in order. */
export const palette = () => [1, 2, 3, 4, 5, 6, 7, 8].map((n) => colour(`--series-${n}`));

/** What all charts share: colours, type, and axes that suit the theme. Tooltips are drawn, since HTML ones need inline styles. */
export function baseOption() {
  const axis = {
    axisLine: { lineStyle: { color: colour("--border-strong") } }, axisLabel: { color: colour("--muted") },
    splitLine: { lineStyle: { color: colour("--border") } }, axisTick: { show: false },
  };
  return {
    color: palette(), animation: false, textStyle: { fontFamily: colour("--font"), color: colour("--text") },
    grid: { left: 12, right: 18, top: 34, bottom: 12, containLabel: true },
    tooltip: {
      trigger: "axis", renderMode: "richText", backgroundColor: colour("--raised"), borderColor: colour("--border-strong"),
      textStyle: { color: colour("--text"), fontSize: 12 }, axisPointer: { lineStyle: { color: colour("--border-strong") } }, confine: true,
    },
    legend: { textStyle: { color: colour("--muted") }, top: 0, type: "scroll", icon: "roundRect", itemWidth: 16, itemHeight: 4, pageTextStyle: { color: colour("--muted") } },
    axis,
  };
}

/**
 * Shows `option` (an ECharts option, or a function of baseOption() that gives one). Emits `ready` with the chart.
 * `keep`: what changes replaces the series only, so that a zoom under way goes on.
 */
export const Chart = {
  props: { option: { type: [Object, Function] }, label: String, height: { type: Number, default: 380 }, keep: Boolean },
  emits: ["ready"],
  setup(props, { emit }) {
    const element = ref(null);
    let chart, observer, shape;
    const draw = () => {
      if (!chart) return;
      const { axis, ...base } = baseOption();
      const option = typeof props.option === "function" ? props.option({ ...base, axis }) : { ...base, ...props.option };
      delete option.axis;
      // Another theme, zone, zoom or number of axes is drawn anew.
      const now = [theme.dark, zone.local, option.dataZoom, option.yAxis].map((one) => [].concat(one ?? []).length + String(one === true)).join();
      const same = props.keep && shape === now;
      shape = now;
      if (same) {
        const { dataZoom, ...rest } = option;
        chart.setOption(rest, { replaceMerge: ["series"] });
      } else chart.setOption(option, { notMerge: true });
    };
    onMounted(async () => {
      const echarts = await load();
      if (!element.value) return;
      chart = echarts.init(element.value, null, { renderer: "canvas" });
      observer = new ResizeObserver(() => chart.resize());
      observer.observe(element.value);
      draw();
      emit("ready", chart);
    });
    watch(() => [props.option, theme.dark, zone.local], draw);
    onBeforeUnmount(() => { observer?.disconnect(); chart?.dispose(); });
    return () => t.div({ ref: element, class: "chart", role: "img", "aria-label": props.label, style: { height: `${props.height}px` } });
  },
};
