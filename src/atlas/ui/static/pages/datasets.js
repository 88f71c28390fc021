// All datasets that may be read: search by text and by metadata, create.
import { api } from "../api.js";
import { badge, button, empty, loading, notice, pageHeader, pager, search } from "../components/ui.js";
import { debounce, reactive, t, watch } from "../dom.js";
import { moment } from "../format.js";
import { go, href, route } from "../router.js";

const LIMIT = 50;

export default {
  setup() {
    const state = reactive({ text: route.query.search ?? "", offset: 0, page: null, problem: null });
    const load = async () => {
      try {
        state.page = await api.get("/api/datasets/", { search: state.text, limit: LIMIT, offset: state.offset });
        state.problem = null;
      } catch (error) {
        state.problem = error;
      }
    };
    watch(() => state.text, debounce(() => {
      state.offset = 0;
      go("/datasets", { search: state.text }, { replace: true });
      load();
    }, 200));
    watch(() => state.offset, load);
    load();
    const row = (d) => t.tr({ key: d.id },
      t.td(t.a({ href: href(`/datasets/${d.id}`) }, t.b(d.name)), d.description && t.div({ class: "muted small-text" }, d.description)),
      t.td(t.div({ class: "row" }, Object.entries(d.metadata).slice(0, 4).map(([name, value]) => badge(`${name}: ${value}`)))),
      t.td({ class: "number" }, d.columns.length), t.td({ class: "nowrap muted" }, moment(d.updated_at.slice(0, 16))));
    return () => t.div({ class: "page" },
      pageHeader({ title: "Datasets", text: "Timestamped rows that you own, or that are shared with you by a tag.",
        actions: [button({ kind: "primary", icon: "plus", href: href("/datasets", { new: 1 }) }, "New dataset")] }),
      search(state, "text", "Search by name or description"),
      state.problem && notice("bad", state.problem),
      !state.page ? !state.problem && loading() : state.page.count === 0
        ? empty("series", "Nothing found", "Create a dataset, or acquire the tag of one that is shared.")
        : t.div({ class: "card flush" }, t.div({ class: "table-wrap" }, t.table({ class: "table" },
          t.thead(t.tr(["Dataset", "Metadata", "Columns", "Changed"].map((name, n) => t.th({ scope: "col", class: n === 2 ? "number" : "" }, name)))),
          t.tbody(state.page.results.map(row))))),
      state.page && pager({ offset: state.offset, limit: LIMIT, total: state.page.count }, (offset) => { state.offset = offset; }));
  },
};
