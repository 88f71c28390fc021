// Importing a file by an instruction: preview the plan, run it, see how far it is.
import { api, events, upload } from "../api.js";
import { DropAnywhere, FileDrop } from "../components/files.js";
import { attempt, toast } from "../components/overlays.js";
import { button, field, loading, notice, pageHeader, progress, textarea } from "../components/ui.js";
import { h, nextTick, onBeforeUnmount, reactive, t, watch } from "../dom.js";
import { bytes, count, many } from "../format.js";
import { href, route } from "../router.js";
import { waiting } from "../waiting.js";
import { PlanCard } from "./import-plan.js";

const KINDS = ".csv,.tsv,.txt,.xlsx,.xls,.xlsm,.xlsb,.ods,.json,.ndjson,.jsonl,.xml,.parquet,.gz,.zip";
const STAGES = { received: "Waiting for its turn", reading: "Reading the file", checked: "Looking for duplicates and writing rows", written: "Finishing", success: "Finishing" };
const TABLES_SHOWN = 6;
// Files up to so many bytes show what would happen by themselves.
const AT_ONCE = 64 * 1024 * 1024;
// From here on the bytes sent are shown.
const SLOW = 4 * 1024 * 1024;
// What may be said besides the table; each is added to the instruction.
const MORE = ["update existing rows", "skip duplicates", "only rows where amount over 100", "dates are day first", "ignore new columns", "treat zip as text"];
const SERIES = "Import this as a time series called sensors using date as the timestamp";

/** `text` with one more part, after a comma. */
const added = (text, part) => (text.trim() ? `${text.trim().replace(/[,.;]$/, "")}, ${part}` : `${part[0].toUpperCase()}${part.slice(1)}`);

export default {
  setup() {
    document.title = "Import · Atlas";
    const state = reactive({
      file: null, instruction: route.query.instruction ?? "", tables: [], plan: null, planning: false, running: false, sent: 0, total: 0,
      stage: null, records: 0, problem: null, done: null, undone: false, stale: false, waiting: 0, accept: null, proposed: null,
    });
    let planning, running, close;
    const listed = api.get("/api/v1/tables").then((found) => { state.tables = found.tables.filter((one) => one.kind === "table").map((one) => one.table_name); }, () => {});
    const form = (more = {}) => {
      const made = new FormData();
      made.set("instruction", state.instruction);
      for (const [name, value] of Object.entries(more)) made.set(name, value);
      if (state.accept !== null) made.set("accept_proposals", state.accept);
      made.set("file", state.file, state.file.name);
      return made;
    };
    watch(() => [state.file, state.instruction], () => { state.stale = true; state.accept = null; if (state.file) state.done = null; });
    /** What to do with a file as long as nobody said it: into the table of its name, or a new one. */
    const proposal = (file) => {
      const name = file.name.replace(/\.(gz|zip)$/i, "").replace(/\.[^.]+$/, "").toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "_").replace(/^_+|_+$/g, "");
      return state.tables.includes(name) ? `Import this into my ${name} table` : `Create a new table called ${name || "imported"}`;
    };
    /** A file shows its rows and what would happen at once. */
    const take = async (file) => {
      if (state.running) return;
      state.file = file;
      await listed;
      if (!state.instruction.trim() || state.instruction === state.proposed) state.instruction = state.proposed = proposal(file);
      await nextTick();
      // A large file is sent when that is asked for, not twice unasked.
      if (file.size <= AT_ONCE) preview();
    };
    const choose = (instruction) => { state.instruction = instruction; document.getElementById("instruction")?.focus(); };
    // A file on its way is lost with the page, so the browser asks before it goes.
    const leaving = (event) => { if (state.running && state.sent < state.total) event.preventDefault(); };
    addEventListener("beforeunload", leaving);
    const preview = async () => {
      planning?.abort();
      planning = new AbortController();
      Object.assign(state, { planning: true, problem: null, sent: 0, total: 0 });
      try {
        state.plan = await upload("/api/v1/smart-import/preview", form(), { signal: planning.signal, onProgress: (sent, total) => Object.assign(state, { sent, total }) });
        state.stale = false;
        await nextTick();
        const card = document.querySelector(".plan");
        // A button of the plan before is gone with it.
        if (document.activeElement === document.body) card?.querySelector("h2")?.focus({ preventScroll: true });
        if (card && card.getBoundingClientRect().top > innerHeight * 0.6) card.scrollIntoView({ block: "start", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
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
    /** Looks whether an import was carried out although its answer did not arrive; gives what it came to, or null. */
    const recovered = async (id) => {
      for (let tries = 0; tries < 600; tries += 1) {
        const found = await api.get(`/api/v1/import-history/${id}`).then((one) => one.import, (error) => (error.status === 404 ? null : { status: "running" }));
        if (!found || found.status === "failed") return null;
        if (found.status === "success") return { ...found, duplicates_skipped: found.duplicates_found, has_correctable_issues: found.issues_open > 0 };
        await new Promise((done) => { setTimeout(done, 1000); });
      }
      return null;
    };
    const countWaiting = async () => {
      if (!state.done.has_correctable_issues) return;
      waiting.load();
      const told = await api.get(`/api/v1/import-history/${state.done.import_id}`).catch(() => null);
      if (told) state.waiting = told.import.issues_open;
    };
    const run = async () => {
      const id = crypto.randomUUID();
      running = new AbortController();
      Object.assign(state, { running: true, problem: null, done: null, undone: false, sent: 0, total: state.file.size, stage: null, records: 0, waiting: 0 });
      let following = false;
      try {
        state.done = await upload("/api/v1/smart-import", form({ import_id: id }), {
          signal: running.signal,
          onProgress: (sent, total) => {
            Object.assign(state, { sent, total });
            if (sent >= total && !following) { following = true; setTimeout(() => state.running && follow(id), 400); }
          },
        });
      } catch (error) {
        if (error.status === 0 && following) state.done = await recovered(id);
        if (error.name !== "AbortError" && !state.done) state.problem = error;
      }
      state.running = false;
      close?.();
      if (!state.done) return;
      state.plan = null;
      state.file = null;
      await countWaiting();
    };
    onBeforeUnmount(() => { planning?.abort(); close?.(); removeEventListener("beforeunload", leaving); });
    const undo = async () => {
      const told = await attempt(() => api.post(`/api/v1/import/${state.done.import_id}/undo`));
      if (!told) return;
      state.undone = told.complete;
      waiting.load();
      toast(told.complete ? "good" : "bad", told.message);
    };

    const working = () => {
      const arrived = state.total > 0 && state.sent >= state.total;
      const label = !arrived ? `${bytes(state.sent)} of ${bytes(state.total)} sent`
        : `${STAGES[state.stage] ?? (state.stage ? state.stage[0].toUpperCase() + state.stage.slice(1) : "Waiting for the server")}${state.records ? ` · ${many(state.records, "record")}` : ""}`;
      return t.section({ class: "card stack", "aria-label": "Progress" }, t.h2("Importing"), progress(label, arrived ? 0 : state.sent, state.total),
        arrived ? t.p({ class: "muted small-text" }, "You may leave this page; the import goes on and appears under ", t.a({ href: href("/imports") }, "Imports"), ".")
          : t.div(button({ size: "small", onClick: () => running.abort() }, "Cancel")));
    };
    const result = () => {
      const done = state.done;
      return t.section({ class: "card stack", "aria-label": "Result" },
        t.div({ class: "row between" }, t.h2(state.undone ? "Undone" : "Imported"), t.span({ class: "muted small-text" }, done.file_name)),
        t.p(done.response_summary),
        t.div({ class: "figures" }, [[done.records_inserted, "rows added"], [done.records_updated, "rows updated"], [done.duplicates_skipped, "duplicates"],
          [done.validation_failures, "failures"], [done.value_replacements, "replacements"], ...(done.records_flagged ? [[done.records_flagged, "look alike"]] : [])].map(([value, name]) => t.div({ class: "figure" }, t.b(count(value)), t.span(name)))),
        done.notes?.map((note) => notice("warn", note)),
        !state.undone && t.div({ class: "row" },
          done.has_correctable_issues && button({ kind: "primary", icon: "check", href: href(`/imports/${done.import_id}`) }, state.waiting ? `Review ${many(state.waiting, "issue")}` : "Review the issues"),
          done.dataset_id ? button({ icon: "series", href: href(`/datasets/${done.dataset_id}`) }, "Open the dataset")
            : button({ icon: "table", href: href(`/tables/${encodeURIComponent(done.table_name)}`) }, "Open the table"),
          button({ icon: "undo", onClick: undo }, "Undo")));
    };
    const chips = (label, all) => t.div({ class: "chips", role: "group", "aria-label": label }, t.span({ class: "muted small-text" }, label), all.map(([text, run]) => t.button({ type: "button", class: "chip", onClick: run }, text)));
    const suggestions = () => t.div({ class: "stack tight" },
      // What is always there comes first, so that it stays where it is when the tables arrive.
      chips("Into", [["a new table", () => choose("Create a new table called sales")], ["a time series", () => choose(SERIES)],
        ...state.tables.slice(0, TABLES_SHOWN).map((name) => [name, () => choose(`Import this into my ${name} table`)])]),
      chips("And", MORE.map((text) => [text, () => choose(added(state.instruction, text))])));
    return () => t.div({ class: "page" },
      pageHeader({ title: "Import", text: "Drop a file and say in plain English what to do with it. The preview shows what would happen before anything is written." }),
      t.section({ class: "card stack", "aria-label": "File and instruction" },
        h(FileDrop, { file: state.file ?? undefined, accept: KINDS, hint: "CSV, Excel, JSON, XML or Parquet; also .gz and .zip", onFile: take }), h(DropAnywhere, { onFile: take }),
        field({ label: "Instruction", id: "instruction", hint: "Which table, which columns, what is the key, what to do with duplicates" }, (p) =>
          textarea(state, "instruction", { ...p, maxlength: 10_000, placeholder: "Import this into my leads table, the email is the key",
            onKeydown: (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && state.file && state.instruction.trim()) preview(); } })),
        suggestions(),
        t.div({ class: "row" },
          button({ kind: state.plan ? "" : "primary", icon: "search", busy: state.planning, disabled: !state.file || !state.instruction.trim() || state.running, onClick: preview },
            state.plan ? "Preview again" : "Preview"),
          button({ kind: state.plan && !state.stale ? "primary" : "", icon: "upload", busy: state.running, disabled: !state.file || !state.instruction.trim() || state.planning, onClick: run }, "Import"))),
      state.problem && notice("bad", state.problem, state.problem.status !== 0 && t.div({ class: "small-text" }, "Nothing was written. Change the instruction or the file and try again.")),
      state.running ? working() : state.done ? result() : state.planning ? (state.total > SLOW && state.sent < state.total ? progress(`${bytes(state.sent)} of ${bytes(state.total)} sent`, state.sent, state.total) : loading("Reading the file"))
        : state.plan && h(PlanCard, { plan: state.plan, stale: state.stale, onDecide: (accept) => { state.accept = accept; preview(); }, onSay: (text) => { state.instruction = added(state.instruction, text); nextTick(preview); } }));
  },
};
