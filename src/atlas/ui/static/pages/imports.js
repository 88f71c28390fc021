// Past imports and updates.
import { api } from "../api.js";
import { badge, button, empty, field, input, loading, notice, pageHeader, pager, select } from "../components/ui.js";
import { debounce, reactive, t, watch } from "../dom.js";
import { ago, count } from "../format.js";
import { href, keepQuery, route } from "../router.js";

const LIMIT = 25;
const COLOURS = { success: "good", failed: "bad", running: "accent", pending: "accent", undone: "warn", reset: "warn" };

export const statusBadge = (status) => badge(status, COLOURS[status] ?? "");

export default {
  setup() {
    document.title = "Imports · Atlas";
    const state = reactive({ table: route.query.table ?? "", status: route.query.status ?? "", offset: 0, page: null, problem: null });
    const load = async () => {
      try {
        state.page = await api.get("/api/v1/import-history", { limit: LIMIT, offset: state.offset, table_name: state.table.trim(), status: state.status });
        state.problem = null;
      } catch (error) {
        state.problem = error;
      }
    };
    watch(() => [state.table, state.status], debounce(() => {
      state.offset = 0;
      keepQuery("/imports", { table: state.table, status: state.status });
      load();
    }, 200));
    watch(() => state.offset, load);
    load();
    const row = (one) => t.tr({ key: one.import_id },
      t.td(t.a({ href: href(`/imports/${one.import_id}`) }, t.b(one.file_name ?? (one.kind === "update" ? "An update" : "An instruction"))),
        t.div({ class: "muted small-text clamp" }, one.response_summary ?? one.error ?? "")),
      t.td(one.table_name ? t.a({ href: href(`/tables/${encodeURIComponent(one.table_name)}`) }, one.table_name) : "–"), t.td(statusBadge(one.status)),
      t.td({ class: "number" }, count(one.records_inserted)), t.td({ class: "number" }, count(one.records_updated)),
      t.td({ class: "number" }, count(one.duplicates_found + one.validation_failures + one.value_replacements)),
      t.td({ class: "nowrap muted", title: one.created_at }, ago(one.created_at)));
    return () => t.div({ class: "page" },
      pageHeader({ title: "Imports", text: "Everything that changed tables: files, updates and single records. Each can be looked into and undone.",
        actions: [button({ kind: "primary", icon: "upload", href: href("/import") }, "Import a file")] }),
      t.div({ class: "row filters" },
        field({ label: "Table" }, (p) => input(state, "table", { ...p, type: "search", placeholder: "any" })),
        field({ label: "Status" }, (p) => select(state, "status", [["", "any"], "success", "failed", "running", "pending", "undone", "reset"], p))),
      state.problem && notice("bad", state.problem),
      !state.page ? !state.problem && loading() : state.page.imports.length === 0
        ? t.div({ class: "card" }, empty("history", "Nothing here", state.table || state.status ? "Nothing matches these filters." : "Import a file, and it appears here.",
          button({ icon: "upload", href: href("/import") }, "Import a file")))
        : t.div({ class: "card flush" }, t.div({ class: "table-wrap" }, t.table({ class: "table" },
          t.thead(t.tr(["What", "Table", "Status", "Added", "Updated", "Issues", "When"].map((name, n) => t.th({ scope: "col", class: n > 2 && n < 6 ? "number" : "" }, name)))),
          t.tbody(state.page.imports.map(row))))),
      state.page && pager({ offset: state.offset, limit: LIMIT, total: state.page.total_count }, (offset) => { state.offset = offset; }));
  },
};
