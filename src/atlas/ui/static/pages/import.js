// Importing a file by an instruction: preview the plan, run it, see how far it is.
import { api, events, upload } from "../api.js";
import { FileDrop } from "../components/files.js";
import { attempt } from "../components/overlays.js";
import { button, field, loading, notice, pageHeader, progress, textarea } from "../components/ui.js";
import { h, onBeforeUnmount, reactive, t, watch } from "../dom.js";
import { bytes, count, many } from "../format.js";
import { href, route } from "../router.js";
import { PlanCard } from "./import-plan.js";

const KINDS = ".csv,.tsv,.txt,.xlsx,.xls,.xlsm,.xlsb,.ods,.json,.ndjson,.jsonl,.xml,.parquet,.gz,.zip";
const STAGES = { received: "Received", reading: "Reading the file", checking: "Checking values", keys: "Looking for duplicates", writing: "Writing rows" };

const examples = (table) => [
  `Import this into my ${table} table`,
  `Import this into my ${table} table, the email is the key, update existing rows`,
  "Create a new table called sales, only rows where amount over 100",
  "Import this as a time series called sensors using date as the timestamp",
];

export default {
  setup() {
    document.title = "Import · Atlas";
    const state = reactive({
      file: null, instruction: route.query.instruction ?? "", tables: [], plan: null, planning: false, running: false, sent: 0, total: 0,
      stage: null, records: 0, problem: null, done: null, undone: false, stale: false,
    });
    let planning, running, close;
    api.get("/api/v1/tables").then((found) => { state.tables = found.tables.filter((one) => one.kind === "table").map((one) => one.table_name); }, () => {});
    const form = (more = {}) => {
      const made = new FormData();
      made.set("instruction", state.instruction);
      for (const [name, value] of Object.entries(more)) made.set(name, value);
      made.set("file", state.file, state.file.name);
      return made;
    };
    watch(() => [state.file, state.instruction], () => { state.stale = true; state.done = null; });
    const preview = async () => {
      planning?.abort();
      planning = new AbortController();
      Object.assign(state, { planning: true, problem: null });
      try {
        state.plan = await upload("/api/v1/smart-import/preview", form(), { signal: planning.signal, onProgress: (sent, total) => Object.assign(state, { sent, total }) });
        state.stale = false;
      } catch (error) {
        if (error.name === "AbortError") return;
        state.problem = error;
        state.plan = null;
      }
      state.planning = false;
    };
    /** Follows an import that the server has begun, or is about to. */
    const follow = (id) => {
      close = events(`/api/v1/import/${id}/progress`, {}, {
        progress: (told) => { state.stage = told.stage; state.records = told.records_processed; if (!["pending", "running"].includes(told.status)) close?.(); },
        lost: (ended) => { if (ended && state.running) setTimeout(() => state.running && follow(id), 500); },
      });
    };
    const run = async () => {
      const id = crypto.randomUUID();
      running = new AbortController();
      Object.assign(state, { running: true, problem: null, done: null, undone: false, sent: 0, total: state.file.size, stage: null, records: 0 });
      let following = false;
      try {
        state.done = await upload("/api/v1/smart-import", form({ import_id: id }), {
          signal: running.signal,
          onProgress: (sent, total) => {
            Object.assign(state, { sent, total });
            if (sent >= total && !following) { following = true; setTimeout(() => state.running && follow(id), 400); }
          },
        });
        state.plan = null;
        state.file = null;
      } catch (error) {
        if (error.name !== "AbortError") state.problem = error;
      }
      state.running = false;
      close?.();
    };
    onBeforeUnmount(() => { planning?.abort(); close?.(); });
    const undo = async () => {
      if (await attempt(() => api.post(`/api/v1/import/${state.done.import_id}/undo`), "The import was undone")) state.undone = true;
    };

    const working = () => {
      const arrived = state.total > 0 && state.sent >= state.total;
      const label = !arrived ? `${bytes(state.sent)} of ${bytes(state.total)} sent`
        : `${STAGES[state.stage] ?? (state.stage ? state.stage[0].toUpperCase() + state.stage.slice(1) : "Waiting for the server")}${state.records ? ` · ${many(state.records, "record")}` : ""}`;
      return t.section({ class: "card stack", "aria-label": "Progress" }, t.h2("Importing"), progress(label, arrived ? 0 : state.sent, state.total),
        !arrived && t.div(button({ size: "small", onClick: () => running.abort() }, "Cancel")));
    };
    const result = () => {
      const done = state.done;
      const waiting = done.duplicates_skipped + done.validation_failures + done.value_replacements;
      return t.section({ class: "card stack", "aria-label": "Result" },
        t.div({ class: "row between" }, t.h2(state.undone ? "Undone" : "Imported"), t.span({ class: "muted small-text" }, done.file_name)),
        t.p(done.response_summary),
        t.div({ class: "figures" }, [[done.records_inserted, "rows added"], [done.records_updated, "rows updated"], [done.duplicates_skipped, "duplicates"],
          [done.validation_failures, "failures"], [done.value_replacements, "replacements"]].map(([value, name]) => t.div({ class: "figure" }, t.b(count(value)), t.span(name)))),
        done.notes?.map((note) => notice("warn", note)),
        !state.undone && t.div({ class: "row" },
          done.has_correctable_issues && waiting > 0 && button({ kind: "primary", icon: "check", href: href(`/imports/${done.import_id}`) }, `Review ${many(waiting, "issue")}`),
          done.dataset_id ? button({ icon: "series", href: href(`/datasets/${done.dataset_id}`) }, "Open the dataset")
            : button({ icon: "table", href: href(`/tables/${encodeURIComponent(done.table_name)}`) }, "Open the table"),
          button({ icon: "undo", onClick: undo }, "Undo")));
    };
    return () => t.div({ class: "page" },
      pageHeader({ title: "Import", text: "Drop a file and say in plain English what to do with it. The preview shows what would happen before anything is written." }),
      t.section({ class: "card stack", "aria-label": "File and instruction" },
        h(FileDrop, { file: state.file, accept: KINDS, hint: "CSV, Excel, JSON, XML or Parquet; also .gz and .zip", onFile: (file) => { state.file = file; } }),
        field({ label: "Instruction", hint: "Which table, which columns, what is the key, what to do with duplicates" }, (p) =>
          textarea(state, "instruction", { ...p, maxlength: 10_000, placeholder: "Import this into my leads table, the email is the key",
            onKeydown: (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && state.file && state.instruction.trim()) preview(); } })),
        t.div({ class: "row", "aria-label": "Examples" }, examples(state.tables[0] ?? "leads").map((text) =>
          t.button({ type: "button", class: "chip", onClick: () => { state.instruction = text; } }, text))),
        t.div({ class: "row" },
          button({ kind: state.plan ? "" : "primary", icon: "search", busy: state.planning, disabled: !state.file || !state.instruction.trim() || state.running, onClick: preview },
            state.plan ? "Preview again" : "Preview"),
          button({ kind: state.plan && !state.stale ? "primary" : "", icon: "upload", busy: state.running, disabled: !state.file || !state.instruction.trim() || state.planning, onClick: run }, "Import"))),
      state.problem && notice("bad", state.problem, t.div({ class: "small-text" }, "Nothing was written.")),
      state.running ? working() : state.done ? result() : state.planning ? loading("Reading the file")
        : state.plan && h(PlanCard, { plan: state.plan, stale: state.stale }));
  },
};
