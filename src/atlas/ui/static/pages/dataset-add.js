// Adding rows: a file with a progress bar, or a single row; and how programs do it.
import { DropAnywhere } from "../components/files.js";
import { POLICIES, storedWords, useRowsFile } from "../components/rows-file.js";
import { Snippets } from "../components/snippets.js";
import { button, field, notice, select } from "../components/ui.js";
import { h, ref, t } from "../dom.js";
import { many } from "../format.js";
import { useRowForm } from "./dataset-row.js";

const SAMPLES = { int: 42, float: 21.5, boolean: true, string: "text", json: { a: 1 } };

/** How programs add a row; with the first columns of the dataset, if it has any. */
const snippets = (dataset) => {
  const server = location.origin;
  const columns = dataset.columns.length ? dataset.columns.slice(0, 3) : [{ name: "temperature", dtype: "float" }];
  const members = (literal) => `{${columns.map((column) => `${JSON.stringify(column.name)}: ${literal(SAMPLES[column.dtype])}`).join(", ")}}`;
  const json = members(JSON.stringify), python = members((value) => (value === true ? "True" : JSON.stringify(value)));
  return {
    curl: `curl -H "X-API-Key: $ATLAS_API_KEY" -H "Content-Type: application/json" \\\n  ${server}/api/rows/bulk_insert/ -d '{"dataset": ${dataset.id}, "rows": [\n    {"timestamp": "2026-01-05T10:00:00Z", "values": ${json.replaceAll("'", "'\\''")}}]}'`,
    Python: `from atlas import Client\n\nwith Client("${server}") as client:  # the key comes from ATLAS_API_KEY\n    client.rows.insert(${dataset.id}, "2026-01-05T10:00:00Z", ${python})\n    client.rows.bulk_insert(${dataset.id}, "rows.csv")`,
    "Command line": `atlas login --url ${server}\natlas rows insert ${dataset.id} rows.csv`,
  };
};

export const AddData = {
  props: { dataset: Object, summary: Object },
  emits: ["changed", "chart"],
  setup(props, { emit }) {
    const rows = useRowsFile(() => props.dataset.id);
    const done = ref(null);
    const choose = (file) => { done.value = null; return rows.choose(file); };
    const send = async () => {
      done.value = await rows.send(props.dataset.id);
      if (!done.value) return;
      rows.clear();
      emit("changed");
    };
    // A file may be stricter than the dataset, not laxer.
    const policies = () => {
      const declared = Math.max(0, POLICIES.findIndex(([name]) => name === props.dataset.on_conflict));
      return [["", `${POLICIES[declared][1]}, as the dataset says`], ...POLICIES.slice(declared + 1)];
    };
    const rowForm = useRowForm(() => props.dataset, () => emit("changed"));
    return () => t.div({ class: "columns" },
      t.section({ class: "card stack", "aria-label": "A file" },
        t.h2("A file"),
        h(DropAnywhere, { onFile: choose }),
        rows.view("Drop a file here, or choose one"),
        rows.state.file && field({ label: "If rows are there already", hint: "With the timestamp of a new one, and its series", id: "rows-policy" }, (p) => select(rows.state, "policy", policies(), { ...p, disabled: rows.state.busy })),
        done.value && notice("good", `${storedWords(done.value)}. `, button({ size: "small", onClick: () => emit("chart") }, "Show the chart")),
        t.div({ class: "row" }, button({ kind: "primary", icon: "upload", disabled: !rows.ready(), busy: rows.state.busy, onClick: send },
          rows.state.found && !rows.state.part ? `Store ${many(rows.state.found.rows, "row")}` : "Store the rows"),
          rows.state.busy && button({ onClick: rows.stop }, "Stop"))),
      t.div({ class: "stack" }, rowForm(),
        t.section({ class: "card stack", "aria-label": "From a program" }, t.h2("From a program"), h(Snippets, { texts: snippets(props.dataset) }))));
  },
};
