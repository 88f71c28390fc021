// Adding rows: a file with a progress bar, or a single row; and how programs do it.
import { api, upload } from "../api.js";
import { FileDrop } from "../components/files.js";
import { Snippets } from "../components/snippets.js";
import { attempt } from "../components/overlays.js";
import { button, field, input, notice, progress } from "../components/ui.js";
import { h, reactive, t } from "../dom.js";
import { bytes, many } from "../format.js";

const TYPES = {
  csv: "text/csv", json: "application/json", ndjson: "application/x-ndjson", jsonl: "application/x-ndjson", parquet: "application/vnd.apache.parquet",
  arrow: "application/vnd.apache.arrow.stream", arrows: "application/vnd.apache.arrow.stream", feather: "application/vnd.apache.arrow.stream",
};

const snippets = (id) => {
  const server = location.origin;
  return {
    curl: `curl -H "X-API-Key: $ATLAS_API_KEY" -H "Content-Type: application/json" \\\n  ${server}/api/rows/bulk_insert/ -d '{"dataset": ${id}, "rows": [\n    {"timestamp": "2026-01-05T10:00:00Z", "values": {"price": 104500}}]}'`,
    Python: `from atlas import Client\n\nwith Client("${server}") as client:  # the key comes from ATLAS_API_KEY\n    client.rows.insert(${id}, "2026-01-05T10:00:00Z", {"price": 104500})\n    client.rows.bulk_insert(${id}, "prices.csv")`,
    "Command line": `atlas login --url ${server}\natlas rows insert ${id} prices.csv`,
  };
};

export const AddData = {
  props: { dataset: Object, summary: Object },
  emits: ["changed", "chart"],
  setup(props, { emit }) {
    const state = reactive({ file: null, column: "", format: "", sent: 0, total: 0, busy: false, problem: null, done: null });
    const row = reactive({ timestamp: new Date().toISOString().slice(0, 19) + "Z", values: "", busy: false, problem: "" });
    const ending = () => state.file.name.replace(/\.(gz|zst)$/i, "").split(".").pop().toLowerCase();
    const send = async () => {
      const type = TYPES[ending()];
      Object.assign(state, { busy: true, problem: null, done: null, sent: 0, total: state.file.size });
      try {
        if (!type) throw new Error("This kind of file is not known here: CSV, JSON, NDJSON, Parquet or Arrow");
        const headers = { "Content-Type": type, "Idempotency-Key": crypto.randomUUID() };
        if (/\.gz$/i.test(state.file.name)) headers["Content-Encoding"] = "gzip";
        if (/\.zst$/i.test(state.file.name)) headers["Content-Encoding"] = "zstd";
        state.done = await upload("/api/rows/bulk_insert/", state.file, {
          params: { dataset: props.dataset.id, timestamp_column: state.column, timestamp_format: state.format }, headers,
          onProgress: (sent) => { state.sent = sent; },
        });
        state.file = null;
        emit("changed");
      } catch (error) {
        state.problem = error;
      }
      state.busy = false;
    };
    const insert = async (event) => {
      event.preventDefault();
      row.problem = "";
      let values;
      try {
        values = JSON.parse(row.values);
        if (typeof values !== "object" || Array.isArray(values)) throw new SyntaxError("not an object");
      } catch (error) {
        row.problem = `Not a JSON object: ${error.message}`;
        return;
      }
      row.busy = true;
      if (await attempt(() => api.post("/api/rows/", { dataset: props.dataset.id, timestamp: row.timestamp, values }), "The row was stored")) emit("changed");
      row.busy = false;
    };
    const stored = () => state.sent >= state.total && state.total > 0;
    return () => t.div({ class: "columns" },
      t.section({ class: "card stack", "aria-label": "A file" },
        t.h2("A file"),
        h(FileDrop, { file: state.file, hint: "CSV, JSON, NDJSON, Parquet or Arrow; also .gz and .zst", accept: ".csv,.json,.ndjson,.jsonl,.parquet,.arrow,.arrows,.feather,.gz,.zst",
          onFile: (file) => { state.file = file; state.problem = null; state.done = null; } }),
        state.file && t.div({ class: "row filters" },
          field({ label: "Timestamp column", hint: "Only if it is not called timestamp, ts, time, datetime or date" }, (p) => input(state, "column", { ...p, placeholder: "found by itself" })),
          field({ label: "Timestamp format", hint: "Only if it is not ISO 8601, such as %d.%m.%Y %H:%M" }, (p) => input(state, "format", p))),
        state.busy && progress(stored() ? "Storing the rows" : `${bytes(state.sent)} of ${bytes(state.total)} sent`, stored() ? 0 : state.sent, state.total),
        state.problem && notice("bad", state.problem, t.div({ class: "small-text" }, "Nothing was stored.")),
        state.done && notice("good", `${many(state.done.inserted, "row")} stored. `, button({ size: "small", onClick: () => emit("chart") }, "Show the chart")),
        t.div({ class: "row" }, button({ kind: "primary", icon: "upload", disabled: !state.file, busy: state.busy, onClick: send }, "Store the rows"))),
      t.div({ class: "stack" },
        t.form({ class: "card stack", onSubmit: insert, "aria-label": "A single row" },
          t.h2("A single row"),
          field({ label: "Timestamp" }, (p) => input(row, "timestamp", { ...p, required: true })),
          field({ label: "Values", hint: 'A JSON object, such as {"price": 104.5}', problem: row.problem }, (p) => input(row, "values", { ...p, required: true, class: "input mono", placeholder: '{"price": 104.5}' })),
          t.div(button({ type: "submit", busy: row.busy }, "Store it"))),
        t.section({ class: "card stack", "aria-label": "From a program" }, t.h2("From a program"), h(Snippets, { texts: snippets(props.dataset.id) }))));
  },
};
