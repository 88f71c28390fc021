// Past imports and updates.
import { api } from "../api.js";
import { badge, button, empty, field, loading, notice, pageHeader, pager, select } from "../components/ui.js";
import { debounce, reactive, t, watch } from "../dom.js";
import { ago, count } from "../format.js";
import { href, keepQuery, route } from "../router.js";

const LIMIT = 25;
const COLOURS = { success: "good", failed: "bad", running: "accent", pending: "accent", undone: "warn", partially_undone: "warn", reset: "warn" };

/** An import is known by its file, an update by what it did. */
export const importTitle = (one) => one.file_name ?? one.response_summary ?? (one.kind === "update" ? "An update" : "An instruction");
export const statusBadge = (status) => badge(status, COLOURS[status] ?? "");

export default {
  setup() {
    document.title = "Imports · Atlas";
    const state = reactive({ table: route.query.table ?? "", status: route.query.status ?? "", offset: 0, page: null, problem: null, tables: [] });
    api.get("/api/v1/tables").then((found) => { state.tables = found.tables.filter((one) => one.kind === "table").map((one) => one.table_name); }, () => {});
    const load = async () => {
      try {
        state.page = await api.get("/api/v1/import-history", { limit: LIMIT, offset: state.offset, table_name: state.table, status: state.status });
        state.problem = null;
      } catch (error) {
        state.problem = error;
      }
    };
    watch(() => [state.table, state.status], debounce(() => {
      if (state.offset > 0) state.offset = 0;
      else load();
      keepQuery("/imports", { table: state.table, status: state.status });
    }, 50));
    watch(() => state.offset, load);
    load();
    const row = (one) => t.tr({ key: one.import_id },
      t.td(t.a({ href: href(`/imports/${one.import_id}`) }, t.b(importTitle(one))),
        (one.file_name || one.error) && t.div({ class: "muted small-text clamp" }, one.error ?? one.response_summary ?? "")),
      t.td({ class: "name-cell" }, one.table_name ? t.a({ href: href(`/tables/${encodeURIComponent(one.table_name)}`) }, one.table_name) : "–"), t.td(statusBadge(one.status)),
      t.td({ class: "number" }, count(one.records_inserted)), t.td({ class: "number" }, count(one.records_updated)),
      t.td({ class: "number" }, count(one.duplicates_found + one.validation_failures + one.value_replacements)),
      t.td({ class: "nowrap" }, one.imported_by ?? "–", t.div({ class: "muted small-text", title: one.created_at }, ago(one.created_at))));
    return () => t.div({ class: "page" },
      pageHeader({ title: "Imports", text: "Everything that changed tables: files, updates and single records. Each can be looked into and undone.",
        actions: [button({ kind: "primary", icon: "upload", href: href("/import") }, "Import a file")] }),
      t.div({ class: "row filters" },
        field({ label: "Table" }, (p) => select(state, "table", [["", "any"], ...new Set([...state.tables, state.table].filter(Boolean))], p)),
        field({ label: "Status" }, (p) => select(state, "status", [["", "any"], "success", "failed", "running", "pending", "undone", "partially_undone", "reset"], p))),
      state.problem && notice("bad", state.problem),
      !state.page ? !state.problem && loading() : state.page.imports.length === 0
        ? t.div({ class: "card" }, empty("history", "Nothing here", state.table || state.status ? "Nothing matches these filters." : "Import a file, and it appears here.",
          state.table || state.status ? button({ onClick: () => { state.table = ""; state.status = ""; } }, "Show all") : button({ icon: "upload", href: href("/import") }, "Import a file")))
        : t.div({ class: "card flush" }, t.div({ class: "table-wrap" }, t.table({ class: "table" },
          t.thead(t.tr(["What", "Table", "Status", "Added", "Updated", "Issues", "Who and when"].map((name, n) => t.th({ scope: "col", class: n > 2 && n < 6 ? "number" : "" }, name)))),
          t.tbody(state.page.imports.map(row))))),
      state.page && pager({ offset: state.offset, limit: LIMIT, total: state.page.total_count }, (offset) => { state.offset = offset; }));
  },
};
