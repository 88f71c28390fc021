// One table: its rows, its columns, what changed it, and what may be done with it.
import { api, ApiError } from "../api.js";
import { ask, attempt, Menu } from "../components/overlays.js";
import { badge, button, loading, notice, pageHeader, tabs } from "../components/ui.js";
import { h, reactive, t } from "../dom.js";
import { many } from "../format.js";
import { star } from "../components/star.js";
import { forget, visited } from "../kept.js";
import { go, href, keepQuery, route } from "../router.js";
import { ColumnsTab, ImportsTab } from "./table-about.js";
import { AddRowDialog, UpdateDialog } from "./table-dialogs.js";
import { RowsTab } from "./table-rows.js";

const FORMATS = [["csv", "CSV"], ["ndjson", "NDJSON"], ["json", "JSON"], ["parquet", "Parquet"], ["arrow", "Arrow"], ["xlsx", "Excel"]];
const CRUMBS = [["Tables", href("/tables")]];

export default {
  props: { name: String },
  setup(props) {
    const address = `/api/v1/tables/${encodeURIComponent(props.name)}`;
    const state = reactive({
      about: null, problem: null, tab: route.query.tab ?? "rows", dialog: null, filter: route.query.filter ?? "", last: null, undoing: false, version: 0,
    });
    const load = async () => {
      try {
        const { tables } = await api.get("/api/v1/tables");
        const here = tables.filter((one) => one.table_name === props.name);
        if (here.length && here.every((one) => one.kind === "dataset")) return go(`/datasets/${here[0].dataset_id}`, {}, { replace: true });
        state.about = await api.get(`${address}/stats`);
        document.title = `${state.about.table_name} · Atlas`;
        visited(`/tables/${encodeURIComponent(props.name)}`, state.about.table_name, "table");
      } catch (error) {
        state.problem = error;
        if (error.status === 404) forget(`/tables/${encodeURIComponent(props.name)}`);
      }
      return undefined;
    };
    load();
    const keep = () => keepQuery(`/tables/${encodeURIComponent(props.name)}`, { tab: state.tab === "rows" ? "" : state.tab, filter: state.filter });
    const choose = (tab) => { state.tab = tab; keep(); };
    /**
     * Something changed: `text` says what, `importId` undoes it. The grid loads anew unless it shows the change already.
     * @param {{text?: string, importId?: string, reload?: boolean}} change
     */
    const changed = ({ text, importId, reload = true }) => {
      state.last = importId ? { text, importId } : null;
      load();
      if (reload) state.version += 1;
    };
    const undo = async () => {
      state.undoing = true;
      const done = await attempt(() => api.post(`/api/v1/import/${state.last.importId}/undo`));
      state.undoing = false;
      if (!done) return;
      if (done.complete) await attempt(async () => {}, "Undone");
      else await attempt(() => Promise.reject(new ApiError(0, done.message)));
      changed({});
    };
    const drop = async () => {
      const sure = await ask({
        title: "Delete this table?", danger: true, confirm: "Delete it", typed: props.name,
        text: `The table and its ${many(state.about.row_count, "row")} are deleted for good. This cannot be undone.`,
      });
      if (sure && await attempt(() => api.del(address, { confirm: props.name }), `The table ${props.name} was deleted`)) go("/tables");
    };
    const header = () => pageHeader({
      crumbs: CRUMBS, title: state.about.table_name,
      beside: [star("table", props.name, state.about.table_name), badge(many(state.about.row_count, "row")), badge(many(state.about.column_count, "column"))],
      actions: [
        button({ kind: "primary", icon: "plus", onClick: () => { state.dialog = "add"; } }, "Add a row"),
        h(Menu, { label: "Download", icon: "download", items: FORMATS.map(([format, text]) => ({
          icon: "file", text: `${text}${state.filter ? " of the filtered rows" : ""}`, download: `${props.name}.${format}`,
          href: `${address}/export?${new URLSearchParams({ format, ...(state.filter && { filter: state.filter }) })}`,
        })) }),
        h(Menu, { label: "More", icon: "more", iconOnly: true, items: [
          { icon: "edit", text: "Update many rows", run: () => { state.dialog = "update"; } },
          { icon: "upload", text: "Import into this table", run: () => go("/import", { instruction: `Import this into my ${props.name} table` }) },
          { icon: "trash", text: "Delete this table", danger: true, run: drop },
        ] }),
      ],
    });
    const lastChange = () => state.last && t.div({ class: "last-change", role: "status" }, t.div({ class: "grow" }, state.last.text),
      button({ size: "small", icon: "undo", busy: state.undoing, onClick: undo }, "Undo"),
      button({ size: "small", kind: "plain", icon: "close", label: "Dismiss", onClick: () => { state.last = null; } }));
    const body = () => {
      const shared = { address, about: state.about };
      if (state.tab === "columns") return h(ColumnsTab, shared);
      if (state.tab === "imports") return h(ImportsTab, { ...shared, key: state.version });
      return h(RowsTab, { ...shared, version: state.version, filter: state.filter, row: Number(route.query.row) || undefined, onChanged: changed, onFilter: (filter) => { state.filter = filter; keep(); } });
    };
    const dialogs = () => {
      const shared = { address, about: state.about, onClose: () => { state.dialog = null; }, onChanged: changed };
      if (state.dialog === "add") return h(AddRowDialog, shared);
      return state.dialog === "update" && h(UpdateDialog, { ...shared, filter: state.filter });
    };
    return () => t.div({ class: "page wide" },
      state.problem && !state.about ? [pageHeader({ title: props.name, crumbs: CRUMBS }), notice("bad", state.problem),
        t.p({ class: "muted" }, "It may have been deleted, undone with the import that made it, or belong to another organization. ", t.a({ href: href("/tables") }, "Show all tables"))]
        : !state.about ? loading() : [
          header(), state.problem && notice("bad", state.problem),
          tabs("Parts of the table", state.tab, [["rows", "Rows"], ["columns", "Columns"], ["imports", "History"]], choose),
          lastChange(), body(), dialogs()]);
  },
};
