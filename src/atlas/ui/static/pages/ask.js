// Asking in plain English: conversations, what was asked before, verified questions and the glossary.
import { api } from "../api.js";
import { Combo } from "../components/combo.js";
import { table } from "../components/result-data.js";
import { button, loading, notice, pageHeader, tabs } from "../components/ui.js";
import { h, latest, nextTick, reactive, ref, t, watch } from "../dom.js";
import { go, keepQuery, route } from "../router.js";
import { History } from "./ask-history.js";
import { Glossary, Verified } from "./ask-knowledge.js";
import { examples } from "./ask-examples.js";
import { Turn } from "./ask-turn.js";

const TABS = [["ask", "Conversation"], ["verified", "Verified questions"], ["glossary", "Glossary"]];
const WORDS = { text: "Ask about your tables and datasets in plain English. Every answer shows the SQL that gave it; nothing is changed." };
let number = 0;

/** A turn: what was asked and what came of it. `state`: working, done, failed, cancelled. */
const makeTurn = (prompt, about) => reactive({
  key: (number += 1), prompt, table: about || null, state: "working", answer: null, problem: null, id: null, rating: null,
  result: null, sql: "", ranSql: "", sqlProblem: null, showSql: true, running: false, seconds: 0, run: null, abort: new AbortController(),
});

function fill(turn, answer) {
  Object.assign(turn, { answer, id: answer.question_id, sql: answer.executed_sql ?? "", seconds: answer.execution_time_seconds, state: "done" });
  if (answer.success && answer.data_csv) turn.result = Object.freeze({ ...table(answer.data_csv), csv: answer.data_csv, sql: answer.executed_sql, truncated: answer.truncated, chart: answer.chart, units: answer.units });
}

/** A turn of a question that was asked earlier; its rows are not stored. */
function pastTurn(asked) {
  const turn = makeTurn(asked.prompt, asked.table_name);
  const answer = { ...asked, success: asked.status === "answered", tables: [], chart: null, assumptions: [], not_understood: [], suggestions: [], notes: [] };
  return Object.assign(turn, { answer, id: asked.question_id, sql: asked.executed_sql ?? "", seconds: asked.execution_time_seconds, rating: asked.rating, state: "done", showSql: false });
}

const Conversation = {
  setup() {
    const state = reactive({ text: route.query.q ?? "", about: route.query.table ?? "", turns: [], thread: null, opening: false, problem: null, tables: null, samples: [], stamp: 0 });
    const box = ref(null);
    const busy = () => state.turns.some((turn) => turn.state === "working");
    const toEnd = () => nextTick(() => [...document.querySelectorAll(".turn")].at(-1)?.scrollIntoView({ block: "start" }));
    const suggest = latest(() => examples(state.tables, state.about), (samples) => { state.samples = samples; }, (error) => { state.problem = error; });
    api.get("/api/v1/tables").then(({ tables }) => { state.tables = tables; suggest(); }, (error) => { state.problem = error; });
    watch(() => state.about, () => { if (state.tables) suggest(); });

    const address = (thread) => keepQuery("/ask", thread ? { thread } : {});
    const send = async (prompt) => {
      const text = prompt.trim();
      if (!text || busy()) return;
      const turn = makeTurn(text, state.about);
      state.turns.push(turn);
      if (state.text.trim() === text) state.text = "";
      toEnd();
      try {
        const body = { prompt: text, ...(turn.table ? { table_name: turn.table } : {}), ...(state.thread ? { thread_id: state.thread } : {}) };
        const answer = await api.post("/api/v1/query", body, { signal: turn.abort.signal });
        fill(turn, answer);
        if (state.turns.includes(turn)) { state.thread = answer.thread_id; address(answer.thread_id); }
        state.stamp += 1;
      } catch (error) {
        if (error.name === "AbortError") turn.state = "cancelled";
        else Object.assign(turn, { state: "failed", problem: error });
        if (!state.text) state.text = text;
      }
      nextTick(() => box.value?.focus({ preventScroll: true }));
      toEnd();
    };
    const cancel = (turn) => turn.abort.abort();
    const fresh = () => {
      state.turns.forEach(cancel);
      Object.assign(state, { turns: [], thread: null, text: "", opening: false, problem: null });
      address(null);
      nextTick(() => box.value?.focus());
    };
    const open = async (thread) => {
      if (!thread || thread === state.thread) return;
      state.turns.forEach(cancel);
      Object.assign(state, { turns: [], thread, opening: true, problem: null });
      address(thread);
      try {
        const { questions } = await api.get("/api/v1/questions", { thread_id: thread, limit: 100 });
        if (state.thread !== thread) return;
        state.turns = questions.reverse().map(pastTurn);
        await nextTick();
        state.turns.at(-1)?.run?.();
        toEnd();
      } catch (error) {
        if (state.thread !== thread) return;
        state.problem = error;
      }
      state.opening = false;
    };
    watch(() => route.query.thread, (thread) => { if (thread && thread !== state.thread) open(thread); });
    open(route.query.thread);

    const keys = (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); send(state.text); }
      if (event.key === "ArrowUp" && !state.text && state.turns.length) state.text = state.turns.at(-1).prompt;
    };
    const composer = () => t.form({ class: "composer card", onSubmit: (event) => { event.preventDefault(); send(state.text); } },
      h("textarea", { ref: box, class: "composer-text", rows: 2, value: state.text, maxlength: 4000, autofocus: true, "aria-label": "Your question",
        placeholder: state.turns.length ? "Ask something that follows on, such as “Only those of last month”" : "What would you like to know?",
        onInput: (event) => { state.text = event.target.value; }, onKeydown: keys }),
      t.div({ class: "row between" },
        h(Combo, { label: "About", value: state.about, choices: [["", "All tables and datasets"], ...(state.tables ?? []).map(({ table_name: name }) => [name, name])], onChange: (name) => { state.about = name; } }),
        button({ kind: "primary", type: "submit", icon: "send", disabled: !state.text.trim() || busy() }, "Ask")));
    const samples = () => state.samples.length > 0 && t.div({ class: "stack tight" }, t.span({ class: "muted small-text" }, "For example"),
      t.div({ class: "row" }, state.samples.map((one) => t.button({ type: "button", class: "chip", onClick: () => send(one) }, one))));
    const nothing = () => state.tables?.length === 0 && notice("", "There are no tables or datasets yet. Import a file or create a dataset first, then ask about it here.");
    const main = () => t.div({ class: "stack conversation" },
      state.problem && notice("bad", state.problem), state.opening && loading(),
      state.turns.map((turn) => h(Turn, { key: turn.key, turn, onAsk: (text) => send(text), onCancel: () => cancel(turn) })),
      state.turns.length === 0 && !state.opening && nothing(),
      t.div({ class: state.turns.length ? "stuck" : "" }, composer()),
      state.turns.length === 0 && !state.opening && samples());
    return () => t.div({ class: "ask-columns" }, main(), h(History, { current: state.thread, stamp: state.stamp, onOpen: open, onNew: fresh }));
  },
};

export default {
  setup() {
    document.title = "Ask · Atlas";
    const choose = (tab) => go("/ask", tab === "ask" ? {} : { tab }, { replace: true });
    const tab = () => (TABS.some(([name]) => name === route.query.tab) ? route.query.tab : "ask");
    return () => t.div({ class: "page ask-page" },
      pageHeader({ title: "Ask", ...WORDS }), tabs("Parts of this page", tab(), TABS, choose),
      tab() === "verified" ? h(Verified) : tab() === "glossary" ? h(Glossary) : h(Conversation));
  },
};
