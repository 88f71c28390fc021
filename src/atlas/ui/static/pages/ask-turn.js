// One turn of a conversation: the question, its answer, the SQL and the rows.
import { api } from "../api.js";
import { CodeEditor } from "../components/code-editor.js";
import { attempt, toast } from "../components/overlays.js";
import { Result } from "../components/result.js";
import { table } from "../components/result-data.js";
import { copy } from "../components/snippets.js";
import { badge, button, field, notice, spinner, textarea } from "../components/ui.js";
import { h, reactive, t, watch } from "../dom.js";
import { many } from "../format.js";
import { icon } from "../icons.js";

const LOW = 0.7;
const ENGINES = { verified: ["Verified question", "good"], model: ["Answered by the model", "accent"] };

const share = (value) => `${Math.round(value * 100)} % sure`;

/** What was read into the question, and what could not be. */
function reading(answer, again) {
  return [
    answer.not_understood?.length > 0 && t.div({ class: "row" }, t.span({ class: "muted small-text" }, "Not understood:"), answer.not_understood.map((word) => badge(word, "warn"))),
    answer.assumptions?.length > 0 && t.div({ class: "assumptions" }, t.span({ class: "muted small-text" }, "How it was read"), t.ul(answer.assumptions.map((one) => t.li(one)))),
    (answer.notes ?? []).map((note) => notice("", note)),
    answer.suggestions?.length > 0 && t.div({ class: "stack tight" }, t.span({ class: "muted small-text" }, "Try one of these"),
      t.div({ class: "row" }, answer.suggestions.map((one) => t.button({ type: "button", class: "chip", onClick: () => again(one) }, one)))),
  ];
}

/** The SQL, which can be changed and run. */
const Sql = {
  props: { turn: Object },
  setup(props) {
    const { turn } = props;
    const run = async (limit) => {
      if (turn.running || !turn.sql.trim()) return;
      turn.running = true;
      turn.sqlProblem = null;
      try {
        const found = await api.post("/api/v1/sql", { sql: turn.sql, ...(limit ? { max_rows: limit } : {}) });
        turn.result = Object.freeze({ ...table(found.data_csv, found.columns), csv: found.data_csv, sql: turn.sql, truncated: found.truncated, ...(turn.sql === turn.answer.executed_sql ? { chart: turn.answer.chart, units: turn.answer.units } : { chart: null }) });
        turn.ranSql = turn.sql;
        turn.seconds = found.execution_time_seconds;
      } catch (error) {
        turn.sqlProblem = error;
      }
      turn.running = false;
    };
    turn.run = run;
    return () => t.section({ class: "sql-block", "aria-label": "SQL" },
      t.div({ class: "row between" },
        t.button({ type: "button", class: "disclosure", "aria-expanded": String(turn.showSql), onClick: () => { turn.showSql = !turn.showSql; } }, icon(turn.showSql ? "down" : "right"), "SQL"),
        t.div({ class: "row" },
          turn.sql !== turn.answer.executed_sql && button({ size: "small", kind: "plain", icon: "undo", onClick: () => { turn.sql = turn.answer.executed_sql; turn.sqlProblem = null; } }, "Reset"),
          button({ size: "small", kind: "plain", icon: "copy", onClick: () => copy(turn.sql) }, "Copy SQL"),
          turn.showSql && button({ size: "small", icon: "play", busy: turn.running, onClick: () => run() }, "Run SQL"))),
      turn.showSql && h(CodeEditor, { value: turn.sql, label: "SQL", invalid: Boolean(turn.sqlProblem), onChange: (text) => { turn.sql = text; }, onRun: () => run() }),
      turn.sqlProblem && notice("bad", turn.sqlProblem));
  },
};

/** Whether the answer was right; a correction becomes a verified question. */
const Rating = {
  props: { turn: Object },
  setup(props) {
    const { turn } = props;
    const state = reactive({ open: false, comment: "", sql: "", busy: false, suggestion: null, problem: null, accepted: false });
    const rate = async (rating, more = {}) => {
      state.busy = true;
      state.problem = null;
      try {
        const rated = await api.post(`/api/v1/questions/${turn.id}/rating`, { rating, ...more });
        turn.rating = rating;
        state.suggestion = rated.suggestion_id;
        state.accepted = false;
        state.open = false;
        toast("good", "Thank you, your rating was kept");
      } catch (error) {
        state.problem = error;
        if (!state.open) toast("bad", error);
      }
      state.busy = false;
    };
    const correct = (event) => {
      event.preventDefault();
      const sql = state.sql.trim() && state.sql !== turn.answer.executed_sql ? { corrected_sql: state.sql } : {};
      rate("down", { ...(state.comment.trim() ? { comment: state.comment.trim() } : {}), ...sql });
    };
    const accept = async () => {
      const done = await attempt(() => api.put(`/api/v1/verified-questions/${state.suggestion}`, { status: "verified" }), "From now on this question gets that answer");
      if (done) state.accepted = true;
    };
    const form = () => t.form({ class: "stack correction", onSubmit: correct, "aria-label": "Correct the answer" },
      field({ label: "What is wrong with it?", hint: "Optional. It is kept with your question.", id: `why-${turn.key}` }, (p) => textarea(state, "comment", { ...p, rows: 2 })),
      t.div({ class: "field" }, t.span({ class: "label" }, "The right SQL"), h(CodeEditor, { value: state.sql, label: "The right SQL", invalid: Boolean(state.problem), onChange: (text) => { state.sql = text; } }),
        t.span({ class: "hint" }, "If you change it, it becomes a suggestion that your organization can verify.")),
      state.problem && notice("bad", state.problem),
      t.div({ class: "row end" }, button({ size: "small", onClick: () => { state.open = false; } }, "Cancel"), button({ size: "small", kind: "primary", type: "submit", busy: state.busy }, "Send")));
    const down = () => { state.problem = null; state.sql = turn.sql; state.open = !state.open; };
    return () => t.div({ class: "stack tight" },
      t.div({ class: "row" }, t.span({ class: "muted small-text" }, "Is this right?"),
        button({ size: "small", kind: "plain", icon: "thumbUp", label: "The answer is right", "aria-pressed": String(turn.rating === "up"), disabled: state.busy, onClick: () => rate("up") }),
        button({ size: "small", kind: "plain", icon: "thumbDown", label: "The answer is wrong", "aria-pressed": String(turn.rating === "down"), "aria-expanded": String(state.open), disabled: state.busy, onClick: down }),
        turn.ranSql && turn.ranSql !== turn.answer.executed_sql && turn.ranSql === turn.sql && !turn.sqlProblem
          && button({ size: "small", kind: "plain", icon: "check", busy: state.busy, onClick: () => rate("down", { corrected_sql: turn.sql }) }, "My SQL is right")),
      state.suggestion && t.div({ class: "row" }, state.accepted ? badge("Verified", "good")
        : [t.span({ class: "small-text muted" }, "It is suggested as a verified question."), button({ size: "small", icon: "check", onClick: accept }, "Verify it now")]),
      state.open && form());
  },
};

/** `turn` as ask.js makes it. Emits `ask` with a question, `cancel`. */
export const Turn = {
  props: { turn: Object },
  emits: ["ask", "cancel"],
  setup(props, { emit }) {
    const { turn } = props;
    const now = reactive({ seconds: 0 });
    watch(() => turn.state, (state, _, onCleanup) => {
      if (state !== "working") return;
      const timer = setInterval(() => { now.seconds += 1; }, 1000);
      onCleanup(() => clearInterval(timer));
    }, { immediate: true });
    const working = () => t.div({ class: "row working", role: "status" }, spinner(), t.span({ class: "muted" }, now.seconds < 3 ? "Reading your question" : `Working for ${many(now.seconds, "second")}`),
      button({ size: "small", kind: "plain", icon: "close", onClick: () => emit("cancel") }, "Cancel"));
    const meta = (answer) => t.div({ class: "row" },
      ENGINES[answer.engine] && badge(...ENGINES[answer.engine]),
      answer.executed_sql && answer.confidence < LOW && badge(share(answer.confidence), "warn"),
      (answer.tables ?? []).map((name) => badge(name)),
      turn.seconds > 0 && t.span({ class: "muted small-text" }, `${turn.seconds < 0.01 ? "<0.01" : turn.seconds.toFixed(2)} s`));
    const answered = () => {
      const { answer } = turn;
      return [
        t.p({ class: "answer" }, answer.response),
        reading(answer, (text) => emit("ask", text)),
        turn.result ? h(Result, { result: turn.result, title: turn.prompt, busy: turn.running, onMore: () => turn.run(10_000) })
          : answer.executed_sql && t.div(button({ size: "small", icon: "table", busy: turn.running, onClick: () => turn.run() }, "Show the rows")),
        answer.executed_sql && h(Sql, { turn }),
        t.div({ class: "row between top" }, meta(answer), turn.id && answer.executed_sql && h(Rating, { turn })),
      ];
    };
    const again = () => button({ size: "small", icon: "redo", onClick: () => emit("ask", turn.prompt) }, "Ask again");
    return () => t.article({ class: "turn", "aria-label": turn.prompt },
      t.div({ class: "question" }, t.span(turn.prompt), turn.table && badge(`about ${turn.table}`)),
      t.div({ class: "card turn-answer", "aria-busy": String(turn.state === "working") },
        turn.state === "working" ? working()
          : turn.state === "cancelled" ? t.div({ class: "row" }, t.span({ class: "muted" }, "You cancelled this question."), again())
            : turn.state === "failed" ? [notice("bad", turn.problem), t.div(again())]
              : answered()));
  },
};
