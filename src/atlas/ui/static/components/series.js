// Figures and rows of a dataset as series of a chart.
import { palette } from "./chart.js";

/**
 * Puts a gap where points are missing, so that no line is drawn across an outage: where a step is more than eight times
 * the usual one. A lone point is never cut off on both sides, since it would not be seen.
 */
export function withGaps(points) {
  if (points.length < 6) return points;
  const steps = points.slice(1).map((point, n) => point[0] - points[n][0]);
  const usual = [...steps].sort((a, b) => a - b)[steps.length >> 1];
  const result = [points[0]];
  let run = 1;
  steps.forEach((step, n) => {
    const next = n + 1 < steps.length && steps[n + 1] <= usual * 8;
    if (usual > 0 && step > usual * 8 && run > 1 && next) { result.push([points[n][0] + step / 2, null]); run = 0; }
    result.push(points[n + 1]);
    run += 1;
  });
  return result;
}

/** A line of the averages of buckets, with a band from least to greatest where `banded`. A point is [ms, avg, min, max]. */
export function bucketSeries(name, n, buckets, banded) {
  const points = withGaps(buckets.filter((one) => one.values[name])
    .map(({ timestamp, values: { [name]: value } }) => [Date.parse(timestamp), value.avg, value.min, value.max]));
  const line = {
    id: `${name}-avg`, name, type: "line", symbol: "circle", showSymbol: points.length < 3, symbolSize: 5, lineStyle: { width: 1.6 }, tint: n, data: points,
  };
  if (!banded) return [line];
  const edge = {
    type: "line", showSymbol: false, silent: true, lineStyle: { width: 0 }, tint: n, stack: `${name}-band`, stackStrategy: "all",
    tooltip: { show: false },
  };
  return [
    { ...edge, id: `${name}-low`, name: `${name} least`, data: points.map(([at, , least]) => [at, least ?? null]) },
    { ...edge, id: `${name}-high`, name: `${name} span`, areaStyle: { opacity: 0.16 },
      data: points.map(([at, , least, greatest]) => [at, greatest === undefined ? null : greatest - least]) },
    line,
  ];
}

/** A line through rows. */
export function rowSeries(name, n, rows) {
  return {
    id: `${name}-avg`, name, type: "line", symbol: "circle", showSymbol: rows.length < 200, symbolSize: 4, lineStyle: { width: 1.5 }, tint: n,
    data: withGaps(rows.filter((row) => typeof row.values[name] === "number").map((row) => [Date.parse(row.timestamp), row.values[name]])),
  };
}

/** The newest of rows in order of time: what lies before an outage longer than half of it all would leave no room for the rest. */
export function recent(rows) {
  if (rows.length < 3) return rows;
  const span = rows.at(-1).at - rows[0].at;
  for (let n = rows.length - 2; n > 0; n -= 1) if (rows[n].at - rows[n - 1].at > span / 2) return rows.slice(n);
  return rows;
}

/** Series in the colours of the theme as it is now; what was drawn in another theme is drawn anew. */
export function tinted(series) {
  const colours = palette();
  return series.map(({ tint, ...one }) => {
    const color = colours[tint % colours.length];
    return { ...one, itemStyle: { color }, ...(one.areaStyle ? { areaStyle: { ...one.areaStyle, color } } : {}) };
  });
}

/** Which of two axes each column is on: those of another order of magnitude than the first get one of their own. */
export function axes(series, columns) {
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
