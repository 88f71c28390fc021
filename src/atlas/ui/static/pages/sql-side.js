// Beside the SQL: saved queries, what ran last, and the tables with their columns.
import { api } from "../api.js";
import { columnName, columnsOf } from "../components/sql-words.js";
import { ask, attempt } from "../components/overlays.js";
import { badge, button, loading, notice, search, tabs } from "../components/ui.js";
import { debounce, latest, onMounted, reactive, t, watch } from "../dom.js";
import { ago, count, many } from "../format.js";
import { icon } from "../icons.js";

const first = (sql) => sql.replace(/\s+/g, " ").trim().slice(0, 120);

/** `past`: what ran. Emits `open` with {sql, query}, `insert` with a text. `stamp` changes when a query was saved. */
export const SqlSide = {
  props: { tables: Array, past: Array, stamp: Number, current: String },
  emits: ["open", "insert"],
  setup(props, { emit }) {
    const state = reactive({ tab: "saved", text: "", saved: null, total: 0, problem: null, shown: {} });
    const load = latest(
      (signal) => api.get("/api/v1/saved-queries", { search: state.text, limit: 200 }, { signal }),
      (page) => Object.assign(state, { saved: page.saved_queries, total: page.total_count, problem: null }),
      (error) => { state.problem = error; });
    watch(() => state.text, debounce(load, 200));
    watch(() => props.stamp, load);
    onMounted(load);
    const remove = async (one) => {
      if (await ask({ title: `Delete “${one.name}”?`, text: one.shared ? "Others of your organization lose it as well." : "The saved query is gone for good.", confirm: "Delete it", danger: true })
        && await attempt(() => api.del(`/api/v1/saved-queries/${one.id}`), "The query was deleted")) load();
    };
    const entry = (one) => t.div({ class: "entry-row", key: one.id },
      t.button({ type: "button", class: "thread grow", "aria-current": one.id === props.current ? "true" : undefined, title: one.sql, onClick: () => emit("open", { sql: one.sql, query: one }) },
        t.span(one.name, one.shared && [" ", badge(one.is_owner ? "shared" : one.owner, "accent")]), t.small(t.code(first(one.sql)))),
      one.is_owner && button({ kind: "plain", size: "small", icon: "trash", label: `Delete ${one.name}`, onClick: () => remove(one) }));
    const saved = () => [
      (state.total > 8 || state.text) && search(state, "text", "Search saved queries"),
      state.problem && notice("bad", state.problem),
      !state.saved ? !state.problem && loading() : state.saved.length ? state.saved.map(entry) : t.p({ class: "muted small-text" }, state.text ? "Nothing found." : "Queries that you save stand here, and those that others of your organization share."),
      state.total > (state.saved?.length ?? 0) && t.p({ class: "muted small-text" }, `${many(state.total - state.saved.length, "more query", "more queries")}; search to find them.`)];
    const past = () => (props.past.length ? props.past.map((one, n) => t.button({ type: "button", class: "thread", key: n, title: one.sql, onClick: () => emit("open", { sql: one.sql, query: null }) },
      t.code(first(one.sql)), t.small(one.problem ? "refused" : many(one.rows, "row"), ` · ${ago(one.at)}`))) : t.p({ class: "muted small-text" }, "The last 50 queries that you run in this browser stand here."));
    const unfold = async (name) => {
      if (state.shown[name]) delete state.shown[name];
      else state.shown[name] = await columnsOf(name);
    };
    const table = (one) => t.div({ key: one.table_name },
      t.button({ type: "button", class: "thread", "aria-expanded": String(Boolean(state.shown[one.table_name])), onClick: () => unfold(one.table_name) },
        t.span({ class: "row entry" }, icon(state.shown[one.table_name] ? "down" : "right"), one.table_name), t.small(`${one.kind === "dataset" ? "dataset" : "table"} · ${count(one.row_count)} rows`)),
      state.shown[one.table_name] && t.ul({ class: "columns-of" },
        t.li(t.button({ type: "button", onClick: () => emit("insert", columnName(one.table_name)) }, "insert the name")),
        state.shown[one.table_name].map((column) => t.li({ key: column.name }, t.button({ type: "button", title: "Insert", onClick: () => emit("insert", columnName(column.name)) }, column.name, t.span({ class: "muted" }, column.type.toLowerCase()))))));
    const tables = () => {
      const words = state.text.trim().toLowerCase();
      const found = (props.tables ?? []).filter((one) => one.table_name.toLowerCase().includes(words));
      return [search(state, "text", "Search tables"), found.slice(0, 100).map(table), found.length > 100 && t.p({ class: "muted small-text" }, `${count(found.length - 100)} more; search to find them.`)];
    };
    return () => t.aside({ class: "card sql-side", "aria-label": "Queries and tables" },
      tabs("Beside the editor", state.tab, [["saved", "Saved"], ["history", "History"], ["tables", "Tables"]], (tab) => { state.tab = tab; state.text = ""; }),
      t.div({ class: "scroll", tabindex: 0, role: "region", "aria-label": { saved: "Saved queries", history: "What ran last", tables: "Tables" }[state.tab] }, state.tab === "saved" ? saved() : state.tab === "history" ? past() : tables()));
  },
};
