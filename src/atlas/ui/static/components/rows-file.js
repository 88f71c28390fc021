// A file of rows: a look at what it holds, as the server reads it, before anything is stored; then the storing.
import { upload } from "../api.js";
import { debounce, h, onBeforeUnmount, reactive, t, watch } from "../dom.js";
import { bytes, cell, many, moment, parseCsv } from "../format.js";
import { zone } from "../zone.js";
import { FileDrop } from "./files.js";
import { badge, field, input, loading, notice, progress, select } from "./ui.js";

const ARROW = "application/vnd.apache.arrow.stream";
const TYPES = {
  csv: "text/csv", json: "application/json", ndjson: "application/x-ndjson", jsonl: "application/x-ndjson", parquet: "application/vnd.apache.parquet",
  arrow: ARROW, arrows: ARROW, feather: ARROW,
};
const ACCEPT = ".csv,.json,.ndjson,.jsonl,.parquet,.arrow,.arrows,.feather,.gz,.zst";
const HINT = "CSV, JSON, NDJSON, Parquet or Arrow; also .gz and .zst";
const FOUND = ["timestamp", "ts", "time", "datetime", "date"];
const HEAD_BYTES = 64 * 1024;
const SHOWN = 5;
// Of a larger file of lines its begin is looked into; a larger one of another kind is not.
const WHOLE_BYTES = 8 * 1024 * 1024, BEGIN_BYTES = 1024 * 1024, MOST_BYTES = 64 * 1024 * 1024;

const ending = (file) => file.name.replace(/\.(gz|zst)$/i, "").split(".").pop().toLowerCase();
const packed = (file) => /\.(gz|zst)$/i.exec(file.name)?.[1].toLowerCase();
/** What happens to rows whose timestamp and series others have: policies from the laxest to the strictest, and their words. */
export const POLICIES = [["append", "Keep both"], ["replace", "Replace them"], ["keep_first", "Keep them, leave the new ones out"], ["reject", "Refuse the new ones"]];
/** What was stored, in words. */
export const storedWords = (done) => [`${many(done.inserted, "row")} stored`, done.replaced && `${many(done.replaced, "row")} replaced`,
  done.identical && `${many(done.identical, "row")} there already`, done.kept && `${many(done.kept, "row")} left out, as others are kept`].filter(Boolean).join(", ");
/** A name for what a file holds: its own, without endings and underscores. */
export const nameOf = (file) => file.name.replace(/\.(gz|zst)$/i, "").replace(/\.[^.]+$/, "").replace(/[_\s]+/g, " ").trim();

/** The header and first rows of a CSV file, or null. A row that the excerpt cuts is left out. */
async function headOf(file) {
  if (!/\.csv$/i.test(file.name)) return null;
  const rows = parseCsv(await file.slice(0, HEAD_BYTES).text());
  if (file.size > HEAD_BYTES) rows.pop();
  return rows.length > 1 ? { header: rows[0].map((name) => name.replace(/^\uFEFF/, "")), rows: rows.slice(1, 1 + SHOWN) } : null;
}

/** Which column is likely the timestamp, where none has a name that is found by itself. */
function likely({ header, rows }) {
  if (header.some((name) => FOUND.includes(name.trim().toLowerCase()))) return "";
  return header.find((_, n) => rows.every((row) => /\d[-/.: ]\d/.test(row[n] ?? "") && !Number.isNaN(Date.parse(row[n])))) ?? "";
}

/** What is looked into: all of a file, the whole lines of its begin, or null. */
async function partOf(file) {
  if (file.size <= WHOLE_BYTES) return file;
  if (packed(file) || !["csv", "ndjson", "jsonl"].includes(ending(file))) return file.size <= MOST_BYTES ? file : null;
  const begin = await file.slice(0, BEGIN_BYTES).text();
  return new Blob([begin.slice(0, begin.lastIndexOf("\n") + 1)]);
}

/** `dataset()`: the id of the one that the rows are for, or null. Gives `state`, `choose`, `send`, `stop` and `view`, which draws. */
export function useRowsFile(dataset) {
  const state = reactive({ file: null, head: null, found: null, part: false, looking: false, column: "", format: "", policy: "", sent: 0, total: 0, busy: false, problem: null });
  // One key for a file and what is said about it: sent again after a cut connection, its rows are stored once.
  let key = null, sending = null, asking = null;
  const told = (file) => {
    const type = TYPES[ending(file)];
    if (!type) throw new Error(`A file that ends in .${ending(file)} is not known here. ${HINT}`);
    const encoding = { gz: "gzip", zst: "zstd" }[packed(file)];
    return { "Content-Type": type, ...(encoding && { "Content-Encoding": encoding }) };
  };
  const params = (id) => ({ dataset: id, timestamp_column: state.column, timestamp_format: state.format });
  const look = async () => {
    asking?.abort();
    if (!state.file || state.busy) return;
    asking = new AbortController();
    const { signal } = asking;
    Object.assign(state, { looking: true, problem: null });
    try {
      const headers = told(state.file);
      const part = await partOf(state.file);
      const found = part && await upload("/api/rows/preview/", part, { params: params(dataset()), headers, signal });
      if (!signal.aborted) Object.assign(state, { found, part: part !== state.file });
    } catch (error) {
      if (error.name === "AbortError" || signal.aborted) return;
      Object.assign(state, { found: null, problem: error });
    }
    state.looking = false;
  };
  const lookLater = debounce(look, 400);
  watch(() => [state.column, state.format], () => { if (state.file) lookLater(); });
  const choose = async (file) => {
    if (state.busy) return;
    Object.assign(state, { file, head: null, found: null, column: "", format: "", problem: null });
    key = crypto.randomUUID();
    const head = await headOf(file).catch(() => null);
    if (state.file !== file) return;
    if (head) Object.assign(state, { head, column: likely(head) });
    await look();
  };
  const clear = () => { asking?.abort(); Object.assign(state, { file: null, head: null, found: null, looking: false, problem: null }); };
  /** Stores the rows in dataset `id`; gives the answer, or null where that did not work, with `state.problem`. */
  const send = async (id) => {
    const { file } = state;
    asking?.abort();
    Object.assign(state, { busy: true, looking: false, problem: null, sent: 0, total: file.size });
    sending = new AbortController();
    let done = null;
    try {
      const headers = { ...told(file), "Idempotency-Key": `${key} ${state.column} ${state.format} ${state.policy}`.replace(/[^ -~]/g, "?").trim().slice(0, 255) };
      done = await upload("/api/rows/bulk_insert/", file, { params: { ...params(id), on_conflict: state.policy }, headers, signal: sending.signal, onProgress: (sent) => { state.sent = sent; } });
    } catch (error) {
      state.problem = error.name === "AbortError" ? "Stopped" : error;
    }
    state.busy = false;
    return done;
  };
  onBeforeUnmount(() => { asking?.abort(); sending?.abort(); });

  const columnar = () => ["csv", "parquet", "arrow", "arrows", "feather"].includes(ending(state.file));
  const timestamps = () => t.div({ class: "row filters top" },
    field({ label: "Timestamp column", hint: "Found by itself if it is called timestamp, ts, time, datetime or date" }, (p) => state.head
      ? select(state, "column", [["", state.found?.timestamp_column && !state.column ? `Found by itself: ${state.found.timestamp_column}` : "Found by itself"], ...state.head.header.filter(Boolean)], { ...p, disabled: state.busy })
      : input(state, "column", { ...p, placeholder: "found by itself", disabled: state.busy, autocomplete: "off" })),
    field({ label: "Timestamp format", hint: "Only if it is not ISO 8601, such as %d.%m.%Y %H:%M" }, (p) => input(state, "format", { ...p, disabled: state.busy, autocomplete: "off" })));
  const grid = (label, heads, rows) => t.div({ class: "table-wrap bordered-box", tabindex: 0, role: "region", "aria-label": label }, t.table({ class: "table small-table" },
    t.thead(t.tr(heads.map((head, n) => t.th({ key: n, scope: "col" }, head)))),
    t.tbody(rows.map((row, n) => t.tr({ key: n }, heads.map((_, m) => t.td({ class: "nowrap" }, row[m] ?? "")))))));
  const rows = () => {
    const { found, head } = state;
    if (!found) return head && grid("First rows", head.header, head.rows);
    const head_ = (column) => [t.div(column.name, column.new && dataset() && [" ", badge("new", "accent")]), t.div({ class: "muted" }, column.dtype)];
    return grid("First rows", [[t.div(found.timestamp_column ?? state.column ?? "timestamp"), t.div({ class: "muted" }, `time (${zone.label})`)], ...found.columns.map(head_)],
      found.sample.map((row) => [moment(row.timestamp), ...found.columns.map((column) => cell(row.values[column.name]))]));
  };
  const facts = () => {
    const { found } = state;
    if (state.looking && !found) return loading("Looking into the file");
    if (!found) return state.file && !state.problem && t.p({ class: "muted small-text" }, "The file is too large to look into before it is stored.");
    return t.p({ role: "status" }, t.b(state.part ? `In its first megabyte ${many(found.rows, "row")}` : many(found.rows, "row")),
      found.rows > 0 && ` from ${moment(found.first_timestamp)} to ${moment(found.last_timestamp)} (${zone.label}), ${many(found.columns.length, "column")}`,
      found.timestamp_format && t.span({ class: "muted" }, `; times are written ${found.timestamp_format}`), ".", state.looking && " …");
  };
  const view = (label) => [
    h(FileDrop, { file: state.file ?? undefined, hint: HINT, accept: ACCEPT, label, onFile: choose }),
    state.file && facts(),
    state.file && rows(),
    state.file && columnar() && timestamps(),
    state.busy && progress(state.sent >= state.total && state.total > 0 ? "All sent; storing the rows" : `${bytes(state.sent)} of ${bytes(state.total)} sent`, state.sent >= state.total ? 0 : state.sent, state.total),
    state.problem && notice("bad", state.problem, t.div({ class: "small-text" }, state.problem.status === 0 || state.problem === "Stopped"
      ? "If you send the same file again here, its rows are stored once." : "Nothing was stored.")),
  ];
  /** Whether the file can be stored as it is, as far as that is known. */
  const ready = () => Boolean(state.file) && !state.looking && !state.busy && (!state.problem || state.problem.status === 0 || state.problem === "Stopped") && state.found?.rows !== 0;
  return { state, choose, clear, send, stop: () => sending?.abort(), view, ready };
}
