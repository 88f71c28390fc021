// One import: what it did, and the review of what it left open.
import { api } from "../api.js";
import { ask, attempt, Menu } from "../components/overlays.js";
import { badge, button, empty, loading, notice, pageHeader, pager, tabs } from "../components/ui.js";
import { h, onBeforeUnmount, onMounted, reactive, t, watch } from "../dom.js";
import { bytes, count, many, moment } from "../format.js";
import { href } from "../router.js";
import { statusBadge } from "./imports.js";
import { ACTIONS, decision, IssueCard, issueId, KINDS } from "./review-issue.js";

const LIMIT = 20;
// What one request may decide.
const BATCH = 1000;

export default {
  props: { id: String },
  setup(props) {
    const address = `/api/v1/import/${props.id}`;
    const state = reactive({ found: null, problem: null, kind: null, page: null, offset: 0, at: 0, busy: false, chosen: [], problems: {} });
    const load = async () => {
      try {
        state.found = (await api.get(`/api/v1/import-history/${props.id}`)).import;
        document.title = `${state.found.file_name ?? "Import"} · Atlas`;
        state.kind ??= KINDS.find(([kind]) => state.found.issues_waiting[kind] > 0)?.[0] ?? "duplicates";
      } catch (error) {
        state.problem = error;
      }
    };
    const loadIssues = async () => {
      if (!state.found || state.found.dataset_id) return;
      try {
        state.page = await api.get(`${address}/issues/${state.kind}`, { limit: LIMIT, offset: state.offset });
        if (state.page.issues.length === 0 && state.offset > 0) state.offset = Math.max(0, state.offset - LIMIT);
        state.at = Math.min(state.at, Math.max(0, state.page.issues.length - 1));
        state.chosen = [];
      } catch (error) {
        state.problem = error;
      }
    };
    watch(() => [state.kind, state.offset], loadIssues);
    const all = async () => { await load(); await loadIssues(); };
    load();

    /** Carries out decisions on issues, [[issue, action, values]], and shows what is refused at the issue itself. */
    const decide = async (decisions) => {
      const field = KINDS.find(([kind]) => kind === state.kind)[2];
      const send = (more) => api.post(`${address}/issues/correct`, { [field]: decisions.map(([issue, action, values]) => decision(state.kind, issue, action, values)), ...more });
      state.busy = true;
      try {
        await send();
      } catch (error) {
        if (/allow_type_change/.test(error.text) && await ask({ title: "Make the column a text?", text: `${error.text}. The column would become VARCHAR, for all rows.`, confirm: "Make it a text" })) {
          await attempt(() => send({ allow_type_change: true }));
        } else if (decisions.length === 1) {
          state.problems = { ...state.problems, [issueId(state.kind, decisions[0][0])]: error };
        } else await attempt(() => Promise.reject(error));
      }
      state.busy = false;
      await all();
    };
    const everything = async (action) => {
      const total = state.page.total_count;
      const { text } = ACTIONS[state.kind].find((one) => one.action === action);
      if (!await ask({ title: `${text}: all ${many(total, "issue")}?`, text: "This decides every issue of this kind that still waits. The import itself can be undone afterwards.", confirm: text })) return;
      state.busy = true;
      for (let left = total; left > 0; left -= BATCH) {
        const page = await attempt(() => api.get(`${address}/issues/${state.kind}`, { limit: BATCH }));
        if (!page?.issues.length) break;
        const field = KINDS.find(([kind]) => kind === state.kind)[2];
        const done = await attempt(() => api.post(`${address}/issues/correct`, { [field]: page.issues.map((issue) => decision(state.kind, issue, action)) }));
        if (!done) break;
      }
      state.busy = false;
      await all();
    };
    const undo = async () => {
      if (!await ask({ title: "Undo this import?", text: "Its rows, and its changes of other rows, are taken back. What others have changed since stays.", confirm: "Undo it", danger: true })) return;
      const done = await attempt(() => api.post(`${address}/undo`), "The import was undone");
      if (done && done.complete === false) await attempt(() => Promise.reject(new Error("Some rows have been changed by others since and stay as they are")));
      await all();
    };
    const redo = async () => {
      if (await ask({ title: "Run this import again?", text: "It is taken back, then the kept file is imported again by the same instruction.", confirm: "Run it again" })
        && await attempt(() => api.post(`${address}/redo`, { auto_execute: true }), "The import ran again")) await all();
    };
    const keys = (event) => {
      const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) || document.querySelector("dialog[open]");
      if (typing || state.busy || !state.page?.issues.length || event.ctrlKey || event.metaKey || event.altKey) return;
      const step = { j: 1, k: -1 }[event.key];
      if (step) {
        state.at = Math.max(0, Math.min(state.page.issues.length - 1, state.at + step));
        requestAnimationFrame(() => document.querySelector("[data-current]")?.scrollIntoView({ block: "nearest" }));
        event.preventDefault();
      }
      const found = ACTIONS[state.kind].find((one) => one.key === event.key && !one.needs);
      if (found) { event.preventDefault(); decide([[state.page.issues[state.at], found.action]]); }
    };
    onMounted(() => addEventListener("keydown", keys));
    onBeforeUnmount(() => removeEventListener("keydown", keys));

    const facts = () => {
      const f = state.found;
      return t.div({ class: "figures" }, [[count(f.records_processed), "records"], [count(f.records_inserted), "rows added"], [count(f.records_updated), "rows updated"],
        [count(f.duplicates_found), "duplicates"], [count(f.validation_failures), "failures"], [count(f.value_replacements), "replacements"]]
        .map(([value, name]) => t.div({ class: "figure" }, t.b(value), t.span(name))));
    };
    const header = () => {
      const f = state.found;
      return pageHeader({
        crumbs: [["Imports", href("/imports")]], title: f.file_name ?? (f.kind === "update" ? "An update" : "An instruction"), beside: [statusBadge(f.status)],
        text: f.response_summary ?? f.error ?? "",
        actions: [
          f.dataset_id ? button({ icon: "series", href: href(`/datasets/${f.dataset_id}`) }, "Open the dataset")
            : f.table_name && f.status === "success" && button({ icon: "table", href: href(`/tables/${encodeURIComponent(f.table_name)}`) }, "Open the table"),
          f.status === "success" && !f.dataset_id && button({ icon: "undo", onClick: undo }, "Undo"),
          !f.dataset_id && h(Menu, { label: "More", icon: "more", iconOnly: true, items: [
            { icon: "download", text: "Export its rows as CSV", href: `${address}/export`, download: `${props.id}.csv` },
            ...(f.kind === "import" ? [{ icon: "redo", text: "Run it again", run: redo }] : []),
          ] }),
        ].filter(Boolean),
      });
    };
    const details = () => t.details({ class: "card" }, t.summary("Details"), t.dl({ class: "facts" },
      [["Instruction", state.found.instruction], ["By", state.found.imported_by], ["When (UTC)", moment(state.found.created_at?.slice(0, 19))], ["File", state.found.file_size_bytes && bytes(state.found.file_size_bytes)],
        ["New columns", state.found.new_columns?.join(", ")], ["Key", state.found.plan?.key?.join(", ")], ["Thread", state.found.thread_id], ["Webhook", state.found.callback_url]]
        .filter(([, value]) => value).map(([name, value]) => [t.dt(name), t.dd(value)])));
    const bulk = () => t.div({ class: "row between bulk" },
      t.span({ class: "muted small-text keys" }, "Keys: ", [["j", "next"], ["k", "previous"], ...ACTIONS[state.kind].filter((one) => !one.needs).map((one) => [one.key, one.text.toLowerCase()])]
        .map(([key, text]) => [t.kbd(key), ` ${text}  `])),
      t.div({ class: "row" },
        state.chosen.length > 0 && ACTIONS[state.kind].filter((one) => !one.needs).map((one) => button({ size: "small", busy: state.busy,
          onClick: () => decide(state.page.issues.filter((issue) => state.chosen.includes(issueId(state.kind, issue))).map((issue) => [issue, one.action])) }, `${one.text} (${state.chosen.length})`)),
        h(Menu, { label: "Decide all", icon: "check", items: ACTIONS[state.kind].filter((one) => !one.needs).map((one) => ({ icon: one.icon, text: `${one.text}: all ${count(state.page.total_count)}`, run: () => everything(one.action) })) })));
    const review = () => t.section({ class: "stack", "aria-label": "Review" },
      tabs("Kinds of issues", state.kind, KINDS.map(([kind, name]) => [kind, name, count(state.found.issues_waiting[kind])]), (kind) => { state.offset = 0; state.at = 0; state.kind = kind; }),
      !state.page ? loading() : state.page.issues.length === 0
        ? t.div({ class: "card" }, empty("check", "Nothing waits here", "Every issue of this kind is decided."))
        : [bulk(), state.page.issues.map((issue, n) => {
          const id = issueId(state.kind, issue);
          return h(IssueCard, { key: id, kind: state.kind, issue, current: n === state.at, busy: state.busy, problem: state.problems[id], chosen: state.chosen.includes(id),
            onFocus: () => { state.at = n; }, onChoose: (on) => { state.chosen = on ? [...state.chosen, id] : state.chosen.filter((one) => one !== id); },
            onDecide: (action, values) => decide([[issue, action, values]]) });
        }), pager({ offset: state.offset, limit: LIMIT, total: state.page.total_count }, (offset) => { state.offset = offset; })]);
    watch(() => Boolean(state.found), (there) => there && loadIssues());
    return () => t.div({ class: "page" },
      state.problem && [!state.found && pageHeader({ title: "Import", crumbs: [["Imports", href("/imports")]] }), notice("bad", state.problem)],
      !state.found ? !state.problem && loading() : [header(), facts(), details(), state.found.status === "success" && !state.found.dataset_id && review(),
        state.found.status !== "success" && badge(`This import is ${state.found.status}; there is nothing to review.`)]);
  },
};
