// What one's keys have used, by day and by key, and what is stored.
import { api } from "../api.js";
import { Chart } from "../components/chart.js";
import { listing, loader } from "../components/listing.js";
import { sorted, sorting } from "../components/sorting.js";
import { button, loading, notice, segmented } from "../components/ui.js";
import { h, reactive, t, watch } from "../dom.js";
import { bytes, compact, count, many } from "../format.js";
import { colour } from "../theme.js";

const SPANS = [[7, "7 days"], [30, "30 days"], [90, "90 days"], [365, "A year"]];
// What a chart shows: name, series (text, value of a day, colour), and how its numbers are read.
const VIEWS = {
  requests: ["Requests", [["answered", (d) => d.requests - d.errors, "--series-1"], ["refused or failed", (d) => d.errors, "--bad"]], count],
  data: ["Data", [["received", (d) => d.bytes_in, "--series-2"], ["sent", (d) => d.bytes_out, "--series-1"]], bytes],
  rows: ["Rows written", [["rows written", (d) => d.rows_written, "--series-4"]], count],
};

const option = (days, [, series, read]) => ({ axis, ...base }) => ({
  ...base, tooltip: { ...base.tooltip, valueFormatter: read, axisPointer: { type: "shadow" } }, legend: { ...base.legend, show: series.length > 1 },
  xAxis: { ...axis, type: "category", data: days.map((day) => day.date), splitLine: { show: false }, axisLabel: { ...axis.axisLabel, hideOverlap: true } },
  yAxis: { ...axis, type: "value", minInterval: 1, axisLabel: { ...axis.axisLabel, formatter: read === bytes ? bytes : compact } },
  series: series.map(([name, value, tone]) => ({ type: "bar", stack: "all", name, data: days.map(value), barMaxWidth: 36, itemStyle: { color: colour(tone) } })),
});

export const Usage = {
  setup() {
    const state = reactive({ days: 30, view: "requests" });
    const sort = sorting();
    const fields = Object.fromEntries(["name", "requests", "errors", "bytes_in", "bytes_out", "rows_written"].map((name) => [name, (key) => key[name]]));
    const report = loader(() => api.get("/api/v1/usage", { days: state.days }));
    watch(() => state.days, () => report.load());
    const total = (name) => report.data.days.reduce((sum, day) => sum + day[name], 0);
    const figures = (list) => t.div({ class: "figures" }, list.map(([value, name]) => t.div({ class: "figure" }, t.b(value), t.span(name))));
    const row = (key) => t.tr({ key: key.key_id },
      t.td(t.b(key.name || "no name"), t.div(t.code({ class: "muted" }, `${key.prefix}…`))),
      [count(key.requests), count(key.errors), bytes(key.bytes_in), bytes(key.bytes_out), count(key.rows_written)].map((text) => t.td({ class: "number" }, text)));
    const body = () => {
      const { days, keys, storage } = report.data;
      return [
        figures([[compact(total("requests")), "requests"], [compact(total("errors")), "refused or failed"], [bytes(total("bytes_in")), "received"], [bytes(total("bytes_out")), "sent"], [compact(total("rows_written")), "rows written"]]),
        t.div({ class: "card" },
          t.div({ class: "card-head" }, t.h2("By day (UTC)"), segmented("Shown", state.view, Object.entries(VIEWS).map(([name, [text]]) => [name, text]), (view) => { state.view = view; })),
          h(Chart, { option: option(days, VIEWS[state.view]), label: `${VIEWS[state.view][0]} by day`, height: 280 })),
        t.h2("By key"), listing("Usage by key", [["Key", "", "name"], ["Requests", "number", "requests"], ["Failed", "number", "errors"], ["Received", "number", "bytes_in"], ["Sent", "number", "bytes_out"], ["Rows", "number", "rows_written"]],
          sorted(keys.filter((key) => key.requests > 0), sort, fields).map(row), null, sort),
        t.h2("Stored"), figures([
          [bytes(storage.dataset_bytes), `${many(storage.datasets, "dataset")} of yours, ${many(storage.dataset_rows, "row")}`],
          [bytes(storage.table_bytes), `${many(storage.tables, "table")} of your organization, ${many(storage.table_rows, "row")}`]]),
      ];
    };
    return () => t.section({ class: "stack", "aria-label": "Usage" },
      t.div({ class: "row between" }, segmented("Days", state.days, SPANS, (days) => { state.days = days; }),
        button({ size: "small", kind: "plain", icon: "redo", onClick: () => report.load() }, "Refresh")),
      report.problem && notice("bad", report.problem), report.data ? body() : !report.problem && loading());
  },
};
