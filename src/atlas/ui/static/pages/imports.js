// Past imports and updates.
import { api } from "../api.js";
import { ScrollBox } from "../components/scroll-box.js";
import { sortHead, sorting } from "../components/sorting.js";
import { badge, button, empty, field, loading, notice, pageHeader, pager, segmented, select } from "../components/ui.js";
import { debounce, h, latest, reactive, t, watch } from "../dom.js";
import { ago, count, many } from "../format.js";
import { href, keepQuery, route } from "../router.js";
import { waiting } from "../waiting.js";

const LIMIT = 25;
/** @type {[string, string, string?, boolean?][]} */
const HEADS = [["What", "", "file_name"], ["Table", "", "table_name"], ["Status", "", "status"], ["Added", "number", "records_inserted"], ["Updated", "number", "records_updated"],
  ["Issues", "number", "issues_open"], ["Who and when", "", "created_at", true]];
const COLOURS = { success: "good", failed: "bad", running: "accent", pending: "accent", undone: "warn", partially_undone: "warn", reset: "warn" };

/** An import is known by its file, an update by what it did. */
export const importTitle = (one) => one.file_name ?? one.response_summary ?? (one.kind === "update" ? "An update" : "An instruction");
const STATUSES = { success: "done", partially_undone: "partly undone" };
export const statusText = (status) => STATUSES[status] ?? status;
/** What became of an import: one with open issues is not done. */
export const statusBadge = (one) => (one.issues_open > 0 ? badge("waits for review", "warn") : badge(statusText(one.status), COLOURS[one.status] ?? ""));

/** How many issues of an import wait, as a link to them, and how many were decided on. */
const issues = (one) => {
  if (!one.issues_open && !one.issues_resolved) return t.span({ class: "muted" }, "none");
  return [
    one.issues_open > 0 && t.a({ href: href(`/imports/${one.import_id}`), "aria-label": `Review ${many(one.issues_open, "open issue")} of ${importTitle(one)}` }, `${count(one.issues_open)} open`),
    one.issues_resolved > 0 && t.div({ class: "muted small-text" }, `${count(one.issues_resolved)} resolved`),
  ];
};

export default {
  setup() {
    document.title = "Imports · Atlas";
    const state = reactive({ table: route.query.table ?? "", status: route.query.status ?? "", which: route.query.waiting === "true" ? "waiting" : "all", offset: 0, page: null, problem: null, tables: [] });
    const sort = sorting(route.query.sort, "-created_at");
    api.get("/api/v1/tables").then((found) => { state.tables = found.tables.filter((one) => one.kind === "table").map((one) => one.table_name); }, () => {});
    const load = latest(
      (signal) => api.get("/api/v1/import-history", { limit: LIMIT, offset: state.offset, table_name: state.table, status: state.status, waiting: state.which === "waiting" ? true : null, sort: sort.text }, { signal }),
      (page) => {
        Object.assign(state, { page, problem: null });
        waiting.count = page.waiting_count;
      },
      (error) => { state.problem = error; });
    // The filters that the page itself wrote to the address. The address follows a moment later, when others may be chosen.
    let written = "";
    const filters = (query) => JSON.stringify([query.table ?? "", query.status ?? "", query.waiting ?? ""]);
    watch(() => [state.table, state.status, state.which, sort.text], debounce(() => {
      if (state.offset > 0) state.offset = 0;
      else load();
      const query = { table: state.table, status: state.status, waiting: state.which === "waiting" ? "true" : "", sort: sort.address };
      written = filters(query);
      keepQuery("/imports", query);
    }, 50));
    watch(() => state.offset, load);
    load();
    // The link of the navigation leads here from a filtered list, too.
    watch(() => route.query, (query) => {
      if (filters(query) === written) return;
      Object.assign(state, { table: query.table ?? "", status: query.status ?? "", which: query.waiting === "true" ? "waiting" : "all" });
    });
    const filtered = () => state.table || state.status || state.which !== "all";
    const row = (one) => t.tr({ key: one.import_id },
      t.td({ class: "what" }, t.a({ href: href(`/imports/${one.import_id}`) }, t.b(importTitle(one))),
        (one.file_name || one.error) && t.div({ class: "muted small-text clamp" }, one.error ?? one.response_summary ?? "")),
      t.td({ class: "name-cell" }, one.table_name ? t.a({ href: href(`/tables/${encodeURIComponent(one.table_name)}`) }, one.table_name) : "–"), t.td({ class: "nowrap" }, statusBadge(one)),
      t.td({ class: "number" }, count(one.records_inserted)), t.td({ class: "number" }, count(one.records_updated)),
      t.td({ class: "number" }, issues(one)),
      t.td({ class: "nowrap" }, one.imported_by ?? "–", t.div({ class: "muted small-text", title: one.created_at }, ago(one.created_at))));
    return () => t.div({ class: "page" },
      pageHeader({ title: "Imports", text: "Everything that changed tables: files, updates and single records. Each can be looked into and undone.",
        actions: [button({ kind: "primary", icon: "upload", href: href("/import") }, "Import a file")] }),
      t.div({ class: "row filters" },
        segmented("Which imports", state.which, [["all", "All"], ["waiting", `Waiting for review${waiting.count ? ` (${count(waiting.count)})` : ""}`]], (which) => { state.which = which; }),
        field({ label: "Table" }, (p) => select(state, "table", [["", "any"], ...new Set([...state.tables, state.table].filter(Boolean))], p)),
        field({ label: "Status" }, (p) => select(state, "status", [["", "any"], ...["success", "failed", "running", "pending", "undone", "partially_undone", "reset"].map((one) => [one, statusText(one)])], p))),
      state.problem && notice("bad", state.problem),
      !state.page ? !state.problem && loading() : state.page.imports.length === 0
        ? t.div({ class: "card" }, state.which === "waiting" && !state.table && !state.status ? empty("check", "Nothing waits", "Every issue of every import is decided.", button({ onClick: () => { state.which = "all"; } }, "Show all"))
          : empty("history", "Nothing here", filtered() ? "Nothing matches these filters." : "Import a file, and it appears here.",
          filtered() ? button({ onClick: () => Object.assign(state, { table: "", status: "", which: "all" }) }, "Show all") : button({ icon: "upload", href: href("/import") }, "Import a file")))
        : t.div({ class: "card flush" }, h(ScrollBox, { label: "Imports" }, () => t.table({ class: "table" },
          t.thead(t.tr(HEADS.map(([text, kind, by, down]) => sortHead(sort, { text, kind, by, down })))),
          t.tbody(state.page.imports.map(row))))),
      state.page && pager({ offset: state.offset, limit: LIMIT, total: state.page.total_count }, (offset) => { state.offset = offset; }));
  },
};
