// Figures and rows of a dataset as series of a chart.
import { palette } from "./chart.js";
import { longestStep, lonePoints, usualStep, withGaps } from "./gaps.js";

/** A point where no line leads to: one mark for each, in the colour of its line. */
const marks = (name, n, points) => ({
  id: `${name}-lone`, name, type: "scatter", symbol: "circle", symbolSize: 6, silent: true, tint: n, data: lonePoints(points), tooltip: { show: false },
});

/** The usual step of each column, kept in `known` for when too few points are shown to tell it. */
function gapped(name, points, known, counts) {
  const longest = longestStep(points, { known: known[name] ?? null, counts });
  const usual = usualStep(points);
  if (usual !== null) known[name] = Math.min(usual, known[name] ?? Infinity);
  return withGaps(points, longest);
}

/**
 * A line of the averages of buckets, with a band from least to greatest where `banded`. A point is [ms, avg, min, max].
 * `known`: usual steps by column, which this adds to.
 * @param {string} name
 * @param {number} n
 * @param {any[]} buckets
 * @param {{banded?: boolean, known: object}} options
 */
export function bucketSeries(name, n, buckets, { banded, known }) {
  const having = buckets.filter((one) => one.values[name]);
  const points = gapped(name, having.map(({ timestamp, values: { [name]: value } }) => [Date.parse(timestamp), value.avg, value.min, value.max]),
    known, having.map((one) => one.count));
  const line = {
    id: `${name}-avg`, name, type: "line", symbol: "circle", showSymbol: points.length < 3, symbolSize: 5, lineStyle: { width: 1.6 }, tint: n, data: points,
  };
  const lone = marks(name, n, points);
  if (!banded) return [line, lone];
  const edge = {
    name, type: "line", symbol: "none", silent: true, lineStyle: { width: 0 }, tint: n, stack: `${name}-band`, stackStrategy: "all",
    tooltip: { show: false },
  };
  return [
    { ...edge, id: `${name}-low`, data: points.map(([at, , least]) => [at, least ?? null]) },
    { ...edge, id: `${name}-high`, areaStyle: { opacity: 0.16 },
      data: points.map(([at, , least, greatest]) => [at, greatest === undefined ? null : greatest - least]) },
    line, lone,
  ];
}

/** A line through rows, {timestamp, values}. */
export function rowSeries(name, n, rows, { known }) {
  const points = gapped(name, rows.filter((row) => typeof row.values[name] === "number").map((row) => [Date.parse(row.timestamp), row.values[name]]), known);
  return [
    { id: `${name}-avg`, name, type: "line", symbol: "circle", showSymbol: points.length < 200, symbolSize: 4, lineStyle: { width: 1.5 }, tint: n, data: points },
    marks(name, n, points),
  ];
}

/** Series in the colours of the theme as it is now; what was drawn in another theme is drawn anew. */
export function tinted(series) {
  const colours = palette();
  return series.map(({ tint, ...one }) => {
    const color = colours[tint % colours.length];
    return { ...one, itemStyle: { color, opacity: 1 }, ...(one.areaStyle ? { areaStyle: { ...one.areaStyle, color } } : {}) };
  });
}

/**
 * Which of two axes each column is on: of two units each has its own, else those of another order of magnitude than the first.
 * `units`: by column, of those that have one.
 */
export function axes(series, columns, units = {}) {
  const kinds = [...new Set(columns.map((name) => units[name] ?? ""))];
  if (kinds.length === 2 && !kinds.includes("")) return Object.fromEntries(columns.map((name) => [name, kinds.indexOf(units[name])]));
  const size = (name) => {
    const data = series.find((one) => one.id === `${name}-avg`)?.data ?? [];
    return data.reduce((most, [, value]) => Math.max(most, Math.abs(value ?? 0)), 0);
  };
  const first = size(columns[0]);
  return Object.fromEntries(columns.map((name) => {
    const ratio = first && size(name) / first;
    return [name, ratio && (ratio > 8 || ratio < 1 / 8) ? 1 : 0];
  }));
}
