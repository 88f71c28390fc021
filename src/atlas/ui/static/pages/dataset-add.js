// Adding rows: a file with a progress bar, or a single row; and how programs do it.
import { upload } from "../api.js";
import { FileDrop } from "../components/files.js";
import { Snippets } from "../components/snippets.js";
import { button, field, input, notice, progress, select } from "../components/ui.js";
import { h, onBeforeUnmount, reactive, t } from "../dom.js";
import { bytes, many, parseCsv } from "../format.js";
import { useRowForm } from "./dataset-row.js";

const ARROW = "application/vnd.apache.arrow.stream";
const TYPES = {
  csv: "text/csv", json: "application/json", ndjson: "application/x-ndjson", jsonl: "application/x-ndjson", parquet: "application/vnd.apache.parquet",
  arrow: ARROW, arrows: ARROW, feather: ARROW,
};
export const ACCEPT = ".csv,.json,.ndjson,.jsonl,.parquet,.arrow,.arrows,.feather,.gz,.zst";
export const FILE_HINT = "CSV, JSON, NDJSON, Parquet or Arrow; also .gz and .zst";
const FOUND = ["timestamp", "ts", "time", "datetime", "date"];
const HEAD_BYTES = 64 * 1024;
const PREVIEWED = 4;

/** A file that was chosen while its dataset was made: `{dataset, file}`. */
export const handover = { dataset: null, file: null };

const snippets = (id) => {
  const server = location.origin;
  return {
    curl: `curl -H "X-API-Key: $ATLAS_API_KEY" -H "Content-Type: application/json" \\\n  ${server}/api/rows/bulk_insert/ -d '{"dataset": ${id}, "rows": [\n    {"timestamp": "2026-01-05T10:00:00Z", "values": {"price": 104500}}]}'`,
    Python: `from atlas import Client\n\nwith Client("${server}") as client:  # the key comes from ATLAS_API_KEY\n    client.rows.insert(${id}, "2026-01-05T10:00:00Z", {"price": 104500})\n    client.rows.bulk_insert(${id}, "prices.csv")`,
    "Command line": `atlas login --url ${server}\natlas rows insert ${id} prices.csv`,
  };
};

const ending = (file) => file.name.replace(/\.(gz|zst)$/i, "").split(".").pop().toLowerCase();

/** The header and first rows of a CSV file, or null. A row that the excerpt cuts is left out. */
async function headOf(file) {
  if (!/\.csv$/i.test(file.name)) return null;
  const rows = parseCsv(await file.slice(0, HEAD_BYTES).text());
  if (file.size > HEAD_BYTES) rows.pop();
  return rows.length > 1 ? { header: rows[0].map((name) => name.replace(/^\uFEFF/, "")), rows: rows.slice(1, 1 + PREVIEWED) } : null;
}

/** Which column is likely the timestamp, where none has a name that is found by itself. */
function likely({ header, rows }) {
  if (header.some((name) => FOUND.includes(name.trim().toLowerCase()))) return "";
  return header.find((_, n) => rows.every((row) => /\d[-/.: ]\d/.test(row[n] ?? "") && !Number.isNaN(Date.parse(row[n])))) ?? "";
}

export const AddData = {
  props: { dataset: Object, summary: Object },
  emits: ["changed", "chart"],
  setup(props, { emit }) {
    const state = reactive({ file: null, head: null, column: "", format: "", sent: 0, total: 0, busy: false, problem: null, done: null });
    // One key for a file and what is said about it: sent again after a cut connection, its rows are stored once.
    let key = null, sending = null;
    const choose = async (file) => {
      Object.assign(state, { file, head: null, column: "", format: "", problem: null, done: null });
      key = crypto.randomUUID();
      const head = await headOf(file).catch(() => null);
      if (state.file && head) { state.head = head; state.column = likely(head); }
    };
    const send = async () => {
      const { file } = state;
      const type = TYPES[ending(file)];
      Object.assign(state, { busy: true, problem: null, done: null, sent: 0, total: file.size });
      sending = new AbortController();
      try {
        if (!type) throw new Error(`A file that ends in .${ending(file)} is not known here. ${FILE_HINT}`);
        const headers = { "Content-Type": type, "Idempotency-Key": `${key} ${state.column} ${state.format}`.replace(/[^ -~]/g, "?").trim().slice(0, 255) };
        if (/\.gz$/i.test(file.name)) headers["Content-Encoding"] = "gzip";
        if (/\.zst$/i.test(file.name)) headers["Content-Encoding"] = "zstd";
        state.done = await upload("/api/rows/bulk_insert/", file, {
          params: { dataset: props.dataset.id, timestamp_column: state.column, timestamp_format: state.format }, headers, signal: sending.signal,
          onProgress: (sent) => { state.sent = sent; },
        });
        state.file = state.head = null;
        emit("changed");
      } catch (error) {
        state.problem = error.name === "AbortError" ? "Stopped" : error;
      }
      state.busy = false;
    };
    onBeforeUnmount(() => sending?.abort());
    if (handover.dataset === props.dataset.id && handover.file) {
      choose(handover.file).then(send);
      handover.file = null;
    }
    const rowForm = useRowForm(() => props.dataset, () => emit("changed"));
    const sentAll = () => state.sent >= state.total && state.total > 0;
    const columnar = () => ["csv", "parquet", "arrow", "arrows", "feather"].includes(ending(state.file));
    const timestamps = () => t.div({ class: "row filters top" },
      field({ label: "Timestamp column", hint: "Found by itself if it is called timestamp, ts, time, datetime or date" }, (p) => state.head
        ? select(state, "column", [["", "Found by itself"], ...state.head.header.filter(Boolean)], { ...p, disabled: state.busy })
        : input(state, "column", { ...p, placeholder: "found by itself", disabled: state.busy, autocomplete: "off" })),
      field({ label: "Timestamp format", hint: "Only if it is not ISO 8601, such as %d.%m.%Y %H:%M" }, (p) => input(state, "format", { ...p, disabled: state.busy, autocomplete: "off" })));
    const preview = () => t.div({ class: "table-wrap bordered-box" }, t.table({ class: "table small-table" },
      t.thead(t.tr(state.head.header.map((name, n) => t.th({ key: n, scope: "col" }, name)))),
      t.tbody(state.head.rows.map((row, n) => t.tr({ key: n }, state.head.header.map((_, m) => t.td({ class: "nowrap" }, row[m] ?? "")))))));
    return () => t.div({ class: "columns" },
      t.section({ class: "card stack", "aria-label": "A file" },
        t.h2("A file"),
        h(FileDrop, { file: state.file, hint: FILE_HINT, accept: ACCEPT, onFile: (file) => !state.busy && choose(file) }),
        state.head && preview(),
        state.file && columnar() && timestamps(),
        state.busy && progress(sentAll() ? "All sent; storing the rows" : `${bytes(state.sent)} of ${bytes(state.total)} sent`, sentAll() ? 0 : state.sent, state.total),
        state.problem && notice("bad", state.problem, t.div({ class: "small-text" }, state.problem.status === 0 || state.problem === "Stopped"
          ? "If you send the same file again here, its rows are stored once." : "Nothing was stored.")),
        state.done && notice("good", `${many(state.done.inserted, "row")} stored. `, button({ size: "small", onClick: () => emit("chart") }, "Show the chart")),
        t.div({ class: "row" }, button({ kind: "primary", icon: "upload", disabled: !state.file, busy: state.busy, onClick: send }, "Store the rows"),
          state.busy && button({ onClick: () => sending.abort() }, "Stop"))),
      t.div({ class: "stack" }, rowForm(),
        t.section({ class: "card stack", "aria-label": "From a program" }, t.h2("From a program"), h(Snippets, { texts: snippets(props.dataset.id) }))));
  },
};
