// What the rows of a query are: kinds of columns, and how they are drawn.
import { moment, parseCsv } from "../format.js";
import { titled } from "./column-note.js";
import { colour } from "../theme.js";
import { zone } from "../zone.js";

const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;
const TIME = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d|$)/;
const NUMERIC = /^(int|float|numeric|bigint|double|real|smallint|decimal)/i;
const TEMPORAL = /^(timestamp|date)/i;
const MOST_BARS = 300;

function kindOf(rows, n, type) {
  if (type) return NUMERIC.test(type) ? "number" : TEMPORAL.test(type) ? "time" : "text";
  const filled = rows.map((row) => row[n]).filter((value) => value !== "" && value !== undefined);
  if (filled.length === 0) return "text";
  if (filled.every((value) => NUMBER.test(value))) return "number";
  return filled.every((value) => TIME.test(value)) ? "time" : "text";
}

/** `{columns: [{name, kind}], rows}` of an answer's CSV; `types`: PostgreSQL's, where they are known. */
export function table(csv, types = []) {
  const [names = [], ...rows] = parseCsv(csv);
  return { columns: names.map((name, n) => ({ name, kind: kindOf(rows, n, types[n]?.type) })), rows };
}

const INSTANT = /^\d{4}-\d\d-\d\d[T ](\d\d:\d\d:\d\d)(\.\d+)?(Z|\+00(:00)?)$/;

/** Whether a column's values are moments, rather than days or months that a query cut them to. */
const moments = (rows, n) => rows.some((row) => row[n]) && rows.every((row) => !row[n] || INSTANT.test(row[n])) && rows.some((row) => row[n] && INSTANT.exec(row[n])[1] !== "00:00:00");

/** Columns and rows for AG Grid. Numbers stay the texts that they came as, so that none is rounded. */
export function gridOptions({ columns, rows, units = {} }) {
  const compare = (a, b) => (a === "" ? -Infinity : Number(a)) - (b === "" ? -Infinity : Number(b)) || 0;
  return {
    rowData: rows,
    columnDefs: columns.map(({ name, kind }, n) => ({
      headerName: titled(name, units[name]), colId: String(n), valueGetter: (p) => p.data[n] ?? "", sortable: true, resizable: true, minWidth: 110, flex: 1, tooltipValueGetter: (p) => (String(p.value).length > 40 ? p.value : null),
      ...(kind === "time" && zone.local && moments(rows, n) ? { headerName: titled(name, zone.label), valueFormatter: (p) => moment(p.value.replace(" ", "T").replace(/\+00(:00)?$/, "Z")) } : {}),
      ...(kind === "number" ? { type: "rightAligned", comparator: compare } : {}),
    })),
    enableCellTextSelection: true, suppressMovableColumns: true, animateRows: false, rowHeight: 34, headerHeight: 36, enableBrowserTooltips: true,
  };
}

/** How a result can be drawn: what the answer says where its columns are there, else a guess; null if not at all. */
export function drawing({ columns, rows }, wanted) {
  const has = (name) => columns.some((column) => column.name === name);
  if (wanted && (wanted.x === null || has(wanted.x)) && wanted.y.length > 0 && wanted.y.every(has)) return { kind: wanted.kind, x: wanted.x ?? columns[0].name, y: [...wanted.y] };
  const numbers = columns.filter(({ kind }) => kind === "number");
  const x = columns.find(({ kind }) => kind === "time") ?? columns.find(({ kind }) => kind === "text");
  if (rows.length < 2 || numbers.length === 0 || columns.length < 2) return null;
  const first = x ?? numbers[0];
  const y = numbers.find((column) => column !== first);
  return y ? { kind: x ? (x.kind === "time" ? "line" : "bar") : "scatter", x: first.name, y: [y.name] } : null;
}

const value = (text) => (text === "" || text === undefined ? null : Number(text));

function pie(base, rows, x, y, names) {
  return {
    ...base, tooltip: { ...base.tooltip, trigger: "item" }, legend: { ...base.legend, top: undefined, bottom: 0 },
    series: [{ type: "pie", name: names[0], radius: ["42%", "68%"], center: ["50%", "46%"], data: rows.slice(0, 50).map((row) => ({ name: row[x] || "(empty)", value: value(row[y[0]]) })),
      label: { color: colour("--text"), formatter: ({ name, percent }) => `${name}: ${Math.round(percent)}%` }, minShowLabelAngle: 9, itemStyle: { borderColor: colour("--surface"), borderWidth: 2 } }],
  };
}

/** A function of baseOption() that gives an ECharts option. */
export const chartOption = ({ columns, rows, units = {} }, { kind, x: xName, y: yNames }) => ({ axis, ...base }) => {
  const place = (name) => columns.findIndex((column) => column.name === name);
  const x = place(xName), y = yNames.map(place);
  if (kind === "pie") return pie(base, rows, x, y, yNames);
  const xKind = columns[x].kind;
  const type = kind === "bar" ? "category" : xKind === "time" ? "time" : xKind === "number" ? "value" : "category";
  const shown = kind === "bar" ? rows.slice(0, MOST_BARS) : rows;
  const ordered = type === "time" || (type === "value" && kind === "line") ? [...shown].sort((a, b) => (a[x] < b[x] ? -1 : 1) * 1) : shown;
  if (type === "value") ordered.sort((a, b) => value(a[x]) - value(b[x]));
  const at = (row) => (type === "category" ? row[x] || "(empty)" : type === "time" ? Date.parse(/T|Z/.test(row[x]) ? row[x] : `${row[x].replace(" ", "T")}${row[x].includes(":") ? "Z" : ""}`) : value(row[x]));
  return {
    ...base, useUTC: !zone.local, legend: { ...base.legend, show: y.length > 1 },
    tooltip: { ...base.tooltip, trigger: kind === "scatter" ? "item" : "axis", axisPointer: { ...base.tooltip.axisPointer, type: kind === "bar" ? "shadow" : "line" } },
    grid: { ...base.grid, top: y.length > 1 ? 38 : 28 },
    xAxis: { ...axis, type, scale: true, splitLine: { show: false },
      ...(type === "category" ? { data: ordered.map(at), axisLabel: { ...axis.axisLabel, ...(ordered.length <= 16 ? { interval: 0, rotate: ordered.length > 6 ? 30 : 0 } : { hideOverlap: true }), width: 110, overflow: "truncate" } } : {}) },
    yAxis: { ...axis, type: "value", scale: kind !== "bar", name: y.length === 1 ? titled(yNames[0], units[yNames[0]]) : "", nameTextStyle: { color: colour("--muted"), align: "left" } },
    series: y.map((n, number) => ({
      type: kind, name: titled(yNames[number], units[yNames[number]]), barMaxWidth: 56, symbolSize: kind === "scatter" ? 8 : 5, showSymbol: kind === "scatter" || ordered.length < 60,
      itemStyle: kind === "bar" ? { borderRadius: [4, 4, 0, 0] } : {},
      data: ordered.map((row) => (type === "category" ? value(row[n]) : [at(row), value(row[n])])),
    })),
  };
};
