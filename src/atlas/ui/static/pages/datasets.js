// All datasets that may be read: search by text or by metadata, create.
import { api } from "../api.js";
import { badge, button, empty, loading, notice, pageHeader, pager, search, segmented } from "../components/ui.js";
import { DropAnywhere } from "../components/files.js";
import { asText, filterOf } from "../components/metadata.js";
import { attempt } from "../components/overlays.js";
import { ScrollBox } from "../components/scroll-box.js";
import { sortHead, sorting } from "../components/sorting.js";
import { debounce, h, reactive, t, watch } from "../dom.js";
import { count, moment } from "../format.js";
import { go, href, keepQuery, route } from "../router.js";
import { session } from "../session.js";
import { zone } from "../zone.js";
import { DetailsDialog } from "./dataset-details.js";
import { useFigures } from "./datasets-figures.js";

const LIMIT = 25;
const CHIPS = 2;
// Text, class and field of each column.
/** @type {[string, string, string?, boolean?][]} */
const HEADS = [["Dataset", "", "name"], ["Metadata", ""], ["Owner", "", "owner"], ["Rows", "number", "row_count"], ["Columns", "number", "columns"], ["Last row", "", "last_timestamp", true]];

/** "source=tiingo, frequency=1h" as an object. */
function filters(text) {
  const parts = text.matchAll(/([^=,]+)=\s*(?:"([^"]*)"|([^,]*))/g);
  return Object.fromEntries([...parts].map(([, name, quoted, plain]) => [name.trim(), quoted ?? plain.trim()]).filter(([, value]) => value));
}

export default {
  setup() {
    document.title = "Datasets · Atlas";
    const state = reactive({
      by: route.query.metadata ? "metadata" : "text", text: route.query.search ?? "", metadata: route.query.metadata ?? "", owned: route.query.owned ?? "",
      offset: 0, page: null, problem: null, creating: Boolean(route.query.new), dropped: null,
    });
    const sort = sorting(route.query.sort, "id");
    const figures = useFigures();
    let request;
    const load = async () => {
      request?.abort();
      request = new AbortController();
      const wanted = state.by === "metadata"
        ? { metadata: Object.entries(filters(state.metadata)).map(([name, value]) => `${name}=${value}`) }
        : { text: state.text, owned: state.owned };
      try {
        state.page = await api.get("/api/datasets/", { ...wanted, sort: sort.text, limit: LIMIT, offset: state.offset }, { signal: request.signal });
        state.problem = null;
        figures.want(state.page.results.map((one) => one.id));
      } catch (error) {
        if (error.name !== "AbortError") state.problem = error;
      }
    };
    const changed = debounce(() => {
      state.offset = 0;
      keepQuery("/datasets", { ...(state.by === "text" ? { search: state.text, owned: state.owned } : { metadata: state.metadata }), sort: sort.address });
      load();
    }, 200);
    watch(() => [state.text, state.metadata, state.by, state.owned, sort.text], changed);
    watch(() => state.offset, load);
    load();

    const searched = () => (state.by === "text" ? state.text : state.metadata).trim();
    const reset = () => Object.assign(state, { text: "", metadata: "", owned: "" });
    const acquire = async () => {
      if (await attempt(() => api.post("/api/tags/acquire/", { tag_name: "public" }), "You can read public datasets now")) { session.load(); load(); }
    };
    const nothing = () => searched()
      ? empty("search", "Nothing found", `No dataset that you can read matches “${searched()}”.`, button({ onClick: reset }, "Show all"))
      : state.by === "text" && state.owned === "false" ? empty("tag", "Nothing is shared with you", "Datasets of others appear here once you hold one of their tags.",
        session.me.tags.includes("public") ? button({ kind: "primary", href: href("/tags") }, "Look at the tags") : button({ kind: "primary", onClick: acquire }, "Acquire the public tag"),
        button({ onClick: reset }, "Show all"))
      : empty("series", "No datasets yet", "Create one and drop a file on it, or acquire a tag that opens somebody else's.",
        button({ kind: "primary", icon: "plus", onClick: () => { state.creating = true; } }, "New dataset"),
        session.me.tags.includes("public") ? button({ href: href("/tags") }, "Look at the tags") : button({ onClick: acquire }, "Acquire the public tag"));
    const owner = (summary) => summary && (summary.is_owner ? badge("Yours", "accent") : t.span({ class: "muted" }, summary.owner));
    const last = (summary) => !summary ? "…" : summary.last_timestamp ? moment(summary.last_timestamp, 16) : "no rows yet";
    const told = ([name, value]) => `${name}: ${asText(value)}`;
    const chips = (fields) => t.div({ class: "line-of-badges" }, fields.slice(0, CHIPS).map(([name, value]) =>
      t.button({ type: "button", class: "badge link", title: `${told([name, value])} (find others like this)`,
        onClick: () => { state.by = "metadata"; state.metadata = filterOf(name, value); } }, told([name, value]))),
    fields.length > CHIPS && t.span({ class: "badge rest", title: fields.slice(CHIPS).map(told).join("\n") }, `+${fields.length - CHIPS}`));
    const row = (d) => t.tr({ key: d.id },
      t.td({ class: "name" }, t.a({ href: href(`/datasets/${d.id}`), title: d.name }, t.b(d.name)), d.description && t.div({ class: "muted small-text truncate", title: d.description }, d.description)),
      t.td({ class: "fields" }, chips(Object.entries(d.metadata))),
      t.td({ class: "owner" }, owner(figures.known[d.id])),
      t.td({ class: "number" }, figures.known[d.id] ? count(figures.known[d.id].row_count) : "…"), t.td({ class: "number" }, d.columns.length),
      t.td({ class: "nowrap muted", title: figures.known[d.id]?.last_timestamp ?? undefined }, last(figures.known[d.id])));
    return () => t.div({ class: "page" },
      pageHeader({ title: "Datasets", text: "Timestamped rows that you own, or that are shared with you by a tag.",
        actions: [button({ kind: "primary", icon: "plus", onClick: () => { state.creating = true; } }, "New dataset")] }),
      t.div({ class: "row" },
        segmented("Search by", state.by, [["text", "Text"], ["metadata", "Metadata"]], (by) => { state.by = by; }),
        state.by === "text" ? search(state, "text", "Search names, descriptions, metadata")
          : search(state, "metadata", "source=tiingo, frequency=1h", { "aria-label": "Search by metadata" }),
        t.div({ class: "grow" }),
        state.by === "text" && segmented("Whose", state.owned, [["", "All"], ["true", "Yours"], ["false", "Shared with you"]], (owned) => { state.owned = owned; })),
      state.problem && notice("bad", state.problem),
      !state.page ? !state.problem && loading() : state.page.count === 0 ? t.div({ class: "card" }, nothing())
        : t.div({ class: "card flush" }, h(ScrollBox, { label: "Datasets" }, () => t.table({ class: "table" },
          t.thead(t.tr(HEADS.map(([text, kind, by, down]) => sortHead(sort, { text: by === "last_timestamp" ? `${text} (${zone.label})` : text, kind, by, down })))),
          t.tbody(state.page.results.map(row))))),
      state.page && pager({ offset: state.offset, limit: LIMIT, total: state.page.count }, (offset) => { state.offset = offset; }),
      !state.creating && h(DropAnywhere, { text: "Drop the file to make a dataset of it", onFile: (file) => Object.assign(state, { creating: true, dropped: file }) }),
      state.creating && h(DetailsDialog, { file: state.dropped ?? undefined,
        onClose: () => { state.creating = false; state.dropped = null; if (route.query.new) keepQuery("/datasets", {}); },
        onChanged: (made) => go(`/datasets/${made.id}`),
      }));
  },
};
