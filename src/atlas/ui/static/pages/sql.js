// SQL on tables and datasets: an editor with completion, the rows, saved queries and what ran last.
import { api } from "../api.js";
import { CodeEditor } from "../components/code-editor.js";
import { attempt, Dialog } from "../components/overlays.js";
import { Result } from "../components/result.js";
import { table } from "../components/result-data.js";
import { completions, placeOf } from "../components/sql-words.js";
import { badge, button, check, field, input, notice, pageHeader, spinner } from "../components/ui.js";
import { debounce, h, onBeforeUnmount, reactive, ref, t, watch } from "../dom.js";
import { many } from "../format.js";
import { keep, kept } from "../kept.js";
import { keepQuery, route } from "../router.js";
import { SqlSide } from "./sql-side.js";

const MOST_PAST = 50;

const SaveDialog = {
  props: { sql: String, query: Object },
  emits: ["close", "saved"],
  setup(props, { emit }) {
    const own = props.query?.is_owner ? props.query : null;
    const state = reactive({ name: props.query?.name ?? "", shared: own?.shared ?? false, busy: false, problem: null });
    const save = async (event) => {
      event.preventDefault();
      Object.assign(state, { busy: true, problem: null });
      try {
        const body = { name: state.name.trim(), sql: props.sql, shared: state.shared };
        const same = own && own.name === body.name;
        const done = same ? await api.put(`/api/v1/saved-queries/${own.id}`, body) : await api.post("/api/v1/saved-queries", body);
        emit("saved", done.saved_query);
      } catch (error) { state.problem = error; }
      state.busy = false;
    };
    return () => h(Dialog, { title: "Save the query", onClose: () => emit("close") }, {
      default: () => t.form({ class: "stack", id: "save-query", onSubmit: save },
        field({ label: "Name", id: "query-name", problem: state.problem?.text, hint: own ? "With another name it is saved as a new one" : "" }, (p) => input(state, "name", { ...p, required: true, maxlength: 200, autofocus: true, autocomplete: "off", placeholder: "Leads per state" })),
        check(state, "shared", "Share it with your organization")),
      foot: () => [button({ onClick: () => emit("close") }, "Cancel"), button({ kind: "primary", type: "submit", form: "save-query", busy: state.busy }, own && own.name === state.name.trim() ? "Save changes" : "Save")],
    });
  },
};

export default {
  setup() {
    document.title = "SQL · Atlas";
    const state = reactive({ sql: route.query.sql ?? kept("draft", ""), query: null, tables: null, running: false, seconds: 0, result: null, problem: null, wrong: null, saving: false, past: kept("past", []), stamp: 0, told: null });
    const editor = ref(null);
    let abort, timer;
    api.get("/api/v1/tables").then(({ tables }) => { state.tables = tables; }, (error) => { state.problem = error; });
    const openId = async (id) => {
      const found = await attempt(() => api.get(`/api/v1/saved-queries/${encodeURIComponent(id)}`));
      if (found) Object.assign(state, { query: found.saved_query, sql: found.saved_query.sql });
    };
    if (route.query.query) openId(route.query.query);
    watch(() => state.sql, debounce((sql) => keep("draft", sql), 400));
    watch(() => state.sql, () => { state.wrong = null; });
    watch(() => state.query?.id, (id) => keepQuery("/sql", { query: id }));
    const remember = (entry) => { state.past = [entry, ...state.past.filter((one) => one.sql !== entry.sql)].slice(0, MOST_PAST); keep("past", state.past); };
    const run = async (limit) => {
      const sql = state.sql;
      if (state.running || !sql.trim()) return;
      Object.assign(state, { running: true, problem: null, wrong: null, seconds: 0 });
      abort = new AbortController();
      timer = setInterval(() => { state.seconds += 1; }, 1000);
      try {
        const found = await api.post("/api/v1/sql", { sql, ...(limit ? { max_rows: limit } : {}) }, { signal: abort.signal });
        const rows = table(found.data_csv, found.columns);
        state.result = Object.freeze({ ...rows, csv: found.data_csv, sql, truncated: found.truncated, chart: null });
        state.told = { seconds: found.execution_time_seconds, rows: found.rows_returned, tables: found.tables, truncated: found.truncated };
        remember({ sql, at: new Date().toISOString(), rows: found.rows_returned, seconds: found.execution_time_seconds });
      } catch (error) {
        if (error.name === "AbortError") state.problem = "You cancelled this query.";
        else {
          state.problem = error;
          if (error.status === 400) state.wrong = placeOf(error.text, sql);
          remember({ sql, at: new Date().toISOString(), problem: error.text });
        }
      }
      clearInterval(timer);
      state.running = false;
    };
    onBeforeUnmount(() => { abort?.abort(); clearInterval(timer); });
    const open = ({ sql, query }) => Object.assign(state, { sql, query, problem: null });
    const changed = () => state.query && state.query.sql !== state.sql;
    const time = (seconds) => (seconds < 0.01 ? "less than 0.01 s" : `${seconds.toFixed(2)} s`);
    const status = () => t.div({ class: "row small-text", role: "status" },
      state.running ? [spinner(), t.span({ class: "muted" }, state.seconds ? `Running for ${many(state.seconds, "second")}` : "Running")]
        : state.told && !state.problem && t.span({ class: "muted" }, `${many(state.told.rows, "row")}${state.told.truncated ? ", and there are more" : ""} in ${time(state.told.seconds)}`));
    const where = () => state.wrong && [" ", button({ size: "small", onClick: () => editor.value?.show(state.wrong) }, `Line ${state.wrong.line}, column ${state.wrong.column}`)];
    return () => t.div({ class: "page wide sql-page" },
      pageHeader({ title: "SQL", text: "One SELECT on your tables and datasets, whose time is called ts. Nothing is changed.",
        beside: state.query && badge(`${state.query.name}${changed() ? " (changed)" : ""}`, "accent"),
        actions: [button({ icon: "plus", onClick: () => { Object.assign(state, { sql: "", query: null, result: null, told: null, problem: null }); } }, "New query"),
          button({ icon: "check", disabled: !state.sql.trim(), onClick: () => { state.saving = true; } }, "Save")] }),
      t.div({ class: "sql-columns" },
        t.div({ class: "stack" },
          t.section({ class: "card stack", "aria-label": "Query" },
            h(CodeEditor, { ref: editor, value: state.sql, label: "SQL", tall: true, wrong: state.wrong, invalid: Boolean(state.problem && state.wrong), complete: completions(() => state.tables ?? []), onChange: (sql) => { state.sql = sql; }, onRun: () => run() }),
            t.div({ class: "row between" },
              t.div({ class: "row" }, state.running ? button({ icon: "close", onClick: () => abort.abort() }, "Cancel") : button({ kind: "primary", icon: "play", disabled: !state.sql.trim(), title: "Ctrl+Enter", onClick: () => run() }, "Run"), status()),
              t.span({ class: "muted small-text keys" }, t.span(t.kbd("Ctrl"), " + ", t.kbd("Enter"), " run"), t.span(t.kbd("Ctrl"), " + ", t.kbd("Space"), " complete"))),
            state.problem && notice(typeof state.problem === "string" ? "" : "bad", state.problem, where())),
          state.result && t.section({ class: "card", "aria-label": "Rows" }, h(Result, { result: state.result, title: state.query?.name ?? "query", busy: state.running, onMore: () => run(10_000) }))),
        h(SqlSide, { tables: state.tables ?? [], past: state.past, stamp: state.stamp, current: state.query?.id, onOpen: open, onInsert: (text) => editor.value?.insert(text) })),
      state.saving && h(SaveDialog, { sql: state.sql, query: state.query, onClose: () => { state.saving = false; }, onSaved: (query) => { Object.assign(state, { saving: false, query, stamp: state.stamp + 1 }); } }));
  },
};
