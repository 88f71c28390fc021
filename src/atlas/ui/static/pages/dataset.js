// One dataset: what it is, its chart, its rows, and what its owner may do with it.
import { api, url } from "../api.js";
import { useLive } from "../components/live.js";
import { asText, filterOf } from "../components/metadata.js";
import { ask, attempt, Menu } from "../components/overlays.js";
import { badge, button, loading, notice, pageHeader, tabs } from "../components/ui.js";
import { debounce, h, onBeforeUnmount, reactive, t, watch } from "../dom.js";
import { bytes, count, many, moment } from "../format.js";
import { star } from "../components/star.js";
import { forget, visited } from "../kept.js";
import { go, href, route } from "../router.js";
import { zone } from "../zone.js";
import { AddData } from "./dataset-add.js";
import { ChartTab, NoRows } from "./dataset-chart.js";
import { ColumnsTab, DetailsDialog } from "./dataset-details.js";
import { RowsTab } from "./dataset-rows.js";
import { ShareTab } from "./dataset-share.js";

// While rows arrive, the figures are asked for so often, in milliseconds.
const EVERY = 1000;
const FORMATS = [["csv", "CSV"], ["json", "JSON"], ["ndjson", "NDJSON"], ["parquet", "Parquet"], ["arrow", "Arrow"], ["xlsx", "Excel"]];

export default {
  props: { id: String },
  setup(props) {
    const id = Number(props.id);
    const state = reactive({ dataset: null, summary: null, problem: null, tab: route.query.tab ?? "chart", editing: false, range: null, fresh: 0 });
    const partly = () => state.range && !state.range.all;
    const load = async (quiet = false) => {
      try {
        [state.dataset, state.summary] = await Promise.all([api.get(`/api/datasets/${id}/`), api.get(`/api/datasets/${id}/summary/`)]);
        document.title = `${state.dataset.name} · Atlas`;
        visited(`/datasets/${id}`, state.dataset.name, "series");
        if (state.summary.row_count === 0 && state.summary.is_owner && !route.query.tab && !quiet) state.tab = "add";
      } catch (error) {
        if (quiet) attempt(() => Promise.reject(error));
        else state.problem = error;
        if ([403, 404].includes(error.status)) forget(`/datasets/${id}`);
      }
    };
    load();
    // While live, the figures follow what arrives, on every tab; `fresh` has the first page of rows asked for again.
    const live = useLive(id);
    let refreshing = null;
    const seen = () => [live.state.on, live.state.received, live.state.joined].join();
    const refresh = async () => {
      const before = seen();
      await load(true);
      state.fresh += 1;
      refreshing = seen() === before ? null : setTimeout(refresh, EVERY);
    };
    watch(seen, () => { refreshing ??= setTimeout(refresh, live.state.on ? EVERY : 0); });
    onBeforeUnmount(() => clearTimeout(refreshing));
    const pulse = () => live.state.on && t.span({ role: "status" }, live.state.connected
      ? t.span({ class: "badge good" }, t.span({ class: "dot pulse" }), `Live · ${live.state.rate.toFixed(1)} rows/s · ${many(live.state.received, "new row")}`)
      : badge(live.state.lost ? "Connection lost, trying again" : "Connecting", "warn"));
    const remember = () => {
      const { start, end, all } = state.range ?? { all: true };
      if (route.params.id === props.id) go(`/datasets/${id}`, { tab: state.tab, ...(all ? {} : { start, end }) }, { replace: true });
    };
    const rememberLater = debounce(remember, 400);
    const choose = (tab) => { state.tab = tab; remember(); };
    const inUrl = route.query.start && route.query.end ? { start: route.query.start, end: route.query.end } : null;
    const remove = async () => {
      const sure = await ask({
        title: "Delete this dataset?", text: `All ${many(state.summary.row_count, "row")} are deleted for good. This cannot be undone.`,
        confirm: "Delete it", danger: true, typed: state.dataset.name,
      });
      if (sure && await attempt(async () => { await api.del(`/api/datasets/${id}/`); return true; }, "The dataset was deleted")) go("/datasets");
    };
    const downloads = () => {
      const list = (range, more) => FORMATS.map(([output, name]) => ({
        icon: "file", text: name, label: `${name}${more}`, download: `${state.dataset.name}.${output}`,
        href: url("/api/rows/bulk_download/", { dataset: id, output, ...range }),
      }));
      if (!partly()) return list({}, "");
      const { start, end } = state.range;
      return [{ heading: `${moment(start, 16)} – ${moment(end, 16)}` }, ...list({ start, end }, " of the shown range"),
        { heading: `All ${many(state.summary.row_count, "row")}` }, ...list({}, " of everything")];
    };
    const header = () => {
      const { dataset, summary } = state;
      return pageHeader({
        crumbs: [["Datasets", href("/datasets")]], title: dataset.name, text: dataset.description,
        beside: [star("dataset", id, dataset.name), summary.is_owner ? badge("Yours", "accent") : badge(`Shared by ${summary.owner}`), summary.tags.map((tag) => badge(tag, tag === "public" ? "good" : "")), pulse()],
        actions: [
          h(Menu, { label: "Download", icon: "download", items: downloads() }),
          summary.is_owner && button({ icon: "plus", onClick: () => choose("add") }, "Add rows"),
          summary.is_owner && h(Menu, { label: "More", icon: "more", iconOnly: true, items: [
            { icon: "edit", text: "Edit details", run: () => { state.editing = true; } },
            { icon: "share", text: "Share", run: () => choose("share") },
            { icon: "trash", text: "Delete", danger: true, run: remove },
          ] }),
        ].filter(Boolean),
      });
    };
    const figures = () => t.div({ class: "figures" }, [
      [count(state.summary.row_count), "rows"], [count(state.dataset.columns.length), "columns"], [bytes(state.summary.bytes), "on disk"],
      [moment(state.summary.first_timestamp, 16), `first (${zone.label})`], [moment(state.summary.last_timestamp, 16), `last (${zone.label})`],
    ].map(([value, name]) => t.div({ class: "figure" }, t.b({ class: value.length > 12 ? "long" : "" }, value), t.span(name))));
    const metadata = () => Object.keys(state.dataset.metadata).length > 0 && t.div({ class: "row", "aria-label": "Metadata" },
      Object.entries(state.dataset.metadata).map(([name, value]) => t.a({ class: "badge link", title: "Find others like this", href: href("/datasets", { metadata: filterOf(name, value) }) }, `${name}: ${asText(value)}`)));
    const body = () => {
      const shared = { dataset: state.dataset, summary: state.summary, onChanged: () => load(true) };
      switch (state.tab) {
        case "rows": return h(RowsTab, { ...shared, fresh: state.fresh });
        case "columns": return h(ColumnsTab, shared);
        case "share": return h(ShareTab, shared);
        case "add": return h(AddData, { ...shared, onChart: () => choose("chart") });
        default: return state.summary.row_count
          ? h(ChartTab, { ...shared, live, shown: partly() ? state.range : inUrl, onRange: (range) => { state.range = range; rememberLater(); } })
          : h(NoRows, { ...shared, onAdd: () => choose("add") });
      }
    };
    const choices = () => [["chart", "Chart"], ["rows", "Rows"], ["columns", "Columns"], ["share", "Share"],
      ...(state.summary.is_owner ? [["add", "Add rows"]] : [])];
    return () => t.div({ class: "page" },
      state.problem ? [pageHeader({ title: "Dataset", crumbs: [["Datasets", href("/datasets")]] }), notice("bad", state.problem),
        state.problem.status === 403 && t.p({ class: "muted" }, "Acquire one of its tags on the ", t.a({ href: href("/tags") }, "tags page"), ", or ask its owner.")]
        : !state.summary ? loading() : [
          header(), live.state.problem && notice("bad", live.state.problem), metadata(), figures(), tabs("Parts of the dataset", state.tab, choices(), choose), body(),
          state.editing && h(DetailsDialog, { dataset: state.dataset, onClose: () => { state.editing = false; }, onChanged: () => load(true) }),
        ]);
  },
};
