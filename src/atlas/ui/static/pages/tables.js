// Tables of the organization, and the datasets that may be read.
import { api } from "../api.js";
import { ScrollBox } from "../components/scroll-box.js";
import { sortHead, sorted, sorting } from "../components/sorting.js";
import { badge, button, empty, loading, notice, pageHeader, search, segmented } from "../components/ui.js";
import { debounce, h, reactive, t, watch } from "../dom.js";
import { count, many } from "../format.js";
import { icon } from "../icons.js";
import { href, keepQuery, route } from "../router.js";

// More than this many lines make a page slow; the search finds the others.
const MOST_SHOWN = 300;
const FIELDS = { name: (one) => one.table_name, kind: (one) => one.kind, rows: (one) => one.row_count };

export default {
  setup() {
    document.title = "Tables · Atlas";
    const state = reactive({ tables: null, problem: null, text: route.query.search ?? "", kind: route.query.kind ?? "" });
    const sort = sorting(route.query.sort, "name");
    const load = async () => {
      state.problem = null;
      try { state.tables = (await api.get("/api/v1/tables")).tables; } catch (error) { state.problem = error; }
    };
    load();
    watch(() => [state.text, state.kind, sort.text], debounce(() => keepQuery("/tables", { search: state.text, kind: state.kind, sort: sort.address }), 200));
    const of = (kind) => state.tables.filter((one) => !kind || one.kind === kind);
    const found = () => sorted(of(state.kind).filter((one) => one.table_name.toLowerCase().includes(state.text.trim().toLowerCase())), sort, FIELDS);
    const address = (one) => (one.kind === "dataset" ? href(`/datasets/${one.dataset_id}`) : href(`/tables/${encodeURIComponent(one.table_name)}`));
    const row = (one) => t.tr({ key: `${one.kind}-${one.table_name}` },
      t.td({ class: "name" }, t.a({ class: "entry", href: address(one), title: one.table_name }, icon(one.kind === "dataset" ? "series" : "table"), t.b(one.table_name))),
      t.td(badge(one.kind === "dataset" ? "time series" : "table", one.kind === "dataset" ? "accent" : "")),
      t.td({ class: "number" }, count(one.row_count)),
      t.td({ class: "actions" }, one.kind === "table" && t.a({ class: "small-text", href: href("/imports", { table: one.table_name }), "aria-label": `Imports of ${one.table_name}` }, "Imports")));
    const nothing = () => (state.tables.length
      ? empty("search", "Nothing found", "No name fits this search.", button({ onClick: () => { state.text = ""; state.kind = ""; } }, "Show all"))
      : empty("table", "No tables yet", "Import a file, and Atlas makes a clean table of it.", button({ kind: "primary", icon: "upload", href: href("/import") }, "Import a file")));
    const list = () => {
      const all = found();
      return all.length === 0 ? t.div({ class: "card" }, nothing()) : [
        t.div({ class: "card flush" }, h(ScrollBox, { label: "Tables" }, () => t.table({ class: "table" },
          t.thead(t.tr(sortHead(sort, { text: "Name", by: "name" }), sortHead(sort, { text: "Kind", by: "kind" }), sortHead(sort, { text: "Rows", by: "rows", kind: "number" }),
            t.th({ scope: "col" }, t.span({ class: "visually-hidden" }, "More")))),
          t.tbody(all.slice(0, MOST_SHOWN).map(row))))),
        all.length > MOST_SHOWN && t.p({ class: "muted small-text" }, `${many(all.length - MOST_SHOWN, "more table")}; search to find them.`)];
    };
    return () => t.div({ class: "page" },
      pageHeader({ title: "Tables", text: "Tables of your organization, and the datasets that you can read.",
        actions: [button({ kind: "primary", icon: "upload", href: href("/import") }, "Import a file")] }),
      state.tables?.length > 0 && t.div({ class: "row" }, search(state, "text", "Search tables"),
        segmented("Kind", state.kind, [["", "All"], ["table", `Tables ${count(of("table").length)}`], ["dataset", `Datasets ${count(of("dataset").length)}`]], (kind) => { state.kind = kind; })),
      state.problem && notice("bad", state.problem, " ", button({ size: "small", onClick: load }, "Try again")),
      !state.tables ? !state.problem && loading() : list());
  },
};
