// One import: what it did, and the review of what it left open.
import { api } from "../api.js";
import { ask, attempt, Menu, toast } from "../components/overlays.js";
import { button, empty, loading, notice, pageHeader, pager, progress, segmented, tabs } from "../components/ui.js";
import { h, latest, nextTick, onBeforeUnmount, onMounted, reactive, t, watch } from "../dom.js";
import { count, many } from "../format.js";
import { visited } from "../kept.js";
import { href } from "../router.js";
import { importTitle, statusBadge } from "./imports.js";
import { BATCH, decide } from "./review-decisions.js";
import { ACTIONS, actionText, IssueCard, issueId, KINDS } from "./review-issue.js";
import { details } from "./review-plan.js";
import { waiting } from "../waiting.js";

const LIMIT = 20;

export default {
  props: { id: String },
  setup(props) {
    const address = `/api/v1/import/${props.id}`;
    const state = reactive({ found: null, problem: null, kind: null, page: null, offset: 0, at: 0, busy: false, chosen: [], problems: {}, status: "pending", progress: null });
    const load = async () => {
      try {
        state.found = (await api.get(`/api/v1/import-history/${props.id}`)).import;
        document.title = `${importTitle(state.found)} · Atlas`;
        visited(`/imports/${props.id}`, importTitle(state.found), "history");
        state.kind ??= KINDS.find(([kind]) => state.found.issues_waiting[kind] > 0)?.[0] ?? "duplicates";
      } catch (error) {
        state.problem = error;
      }
    };
    const fetchIssues = latest(
      (signal) => api.get(`${address}/issues/${state.kind}`, { limit: LIMIT, offset: state.offset, status: state.status }, { signal }),
      (page) => {
        state.page = page;
        if (state.page.issues.length === 0 && state.offset > 0) state.offset = Math.max(0, state.offset - LIMIT);
        state.at = Math.min(state.at, Math.max(0, state.page.issues.length - 1));
        state.chosen = state.chosen.filter((id) => state.page.issues.some((issue) => issueId(state.kind, issue) === id));
      },
      (error) => { state.problem = error; });
    const loadIssues = async () => { if (state.found && !state.found.dataset_id) await fetchIssues(); };
    watch(() => [state.kind, state.offset, state.status], loadIssues);
    const all = async () => { await load(); await loadIssues(); waiting.load(); };
    load();

    /** Carries out decisions on issues; what is refused is shown at the issue itself. Gives that, or null if nothing was decided. */
    const settle = async (work) => {
      state.busy = true;
      let told = null;
      try {
        const { done, refused } = await work();
        told = refused;
        state.problems = { ...state.problems, ...refused };
        const wrong = Object.keys(refused).length;
        if (wrong && done) toast("bad", `${many(done, "issue")} decided; ${count(wrong)} could not be, see the reason at each`);
      } catch (error) {
        toast("bad", error);
      }
      state.progress = null;
      // Until the list is there anew, it has issues that are decided.
      await all();
      state.busy = false;
      // The button that was pressed is gone with its issue; the keyboard goes on at the next one.
      await nextTick();
      if (document.activeElement === document.body) /** @type {HTMLElement} */ (document.querySelector("[data-current]"))?.focus({ preventScroll: true });
      return told;
    };
    // Keys that were pressed while a decision was on its way; they are for the issues behind it.
    let ahead = [];
    const one = async (issue, action, values) => {
      const { kind, status } = state;
      const refused = await settle(() => decide(address, kind, [[issue, action, values]]));
      // What was refused now is to be looked at first; an earlier refusal of the same issue is done with.
      if (!refused || refused[issueId(kind, issue)] || state.kind !== kind || state.status !== status) ahead = [];
      else if (ahead.length) act(ahead.shift());
    };
    const chosen = () => state.page.issues.filter((issue) => issue.status === "pending" && state.chosen.includes(issueId(state.kind, issue)));
    const everything = async (action, text) => {
      const total = state.found.issues_waiting[state.kind];
      if (!await ask({ title: `${text}: all ${many(total, "issue")}?`, text: "This decides every issue of this kind that still waits, on all pages. The import as a whole can be undone afterwards.", confirm: text })) return;
      await settle(async () => {
        const told = { done: 0, refused: {} }, allowed = {};
        state.progress = { done: 0, total, stop: false };
        while (!state.progress.stop) {
          // What was refused still waits, before all others.
          const page = await api.get(`${address}/issues/${state.kind}`, { limit: BATCH, offset: Object.keys(told.refused).length });
          if (!page.issues.length) break;
          const { done, refused } = await decide(address, state.kind, page.issues.map((issue) => [issue, action]), allowed);
          told.done += done;
          Object.assign(told.refused, refused);
          state.progress.done = told.done;
        }
        return told;
      });
    };
    const undo = async () => {
      const planned = await attempt(() => api.post(`${address}/undo?dry_run=true`));
      if (!planned) return;
      const text = planned.complete ? "All of it can be taken back." : "Others have changed the same rows since; those changes stay, and the import counts as taken back in part.";
      if (!await ask({ title: "Undo this import?", text: `${planned.message.replace(/^Nothing was changed\. An undo would give: /, "This would happen: ")} ${text}`, confirm: planned.complete ? "Undo it" : "Undo the rest", danger: true })) return;
      const done = await attempt(() => api.post(`${address}/undo${planned.complete ? "" : "?partial=true"}`));
      if (done) toast(done.complete ? "good" : "bad", done.message);
      await all();
    };
    const redo = async () => {
      if (await ask({ title: "Run this import again?", text: "It is taken back, then the kept file is imported again by the same instruction.", confirm: "Run it again" })
        && await attempt(() => api.post(`${address}/redo`, { auto_execute: true }), "The import ran again")) await all();
    };
    const keys = (event) => {
      const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) || document.querySelector("dialog[open]");
      if (typing || event.ctrlKey || event.metaKey || event.altKey || !means(event.key)) return;
      event.preventDefault();
      if (!state.busy) act(event.key);
      else if (!state.progress && !event.repeat && ahead.length < LIMIT) ahead.push(event.key);
    };
    const simpleOf = (key) => ACTIONS[state.kind]?.find((action) => action.key === key && !action.needs);
    const means = (key) => "jkxe".includes(key) || Boolean(simpleOf(key));
    /** Does what a key says with the current issue. */
    const act = (key) => {
      const step = { j: 1, k: -1 }[key];
      const issue = state.page?.issues[state.at];
      if (!issue) { ahead = []; return; }
      if (step) {
        state.at = Math.max(0, Math.min(state.page.issues.length - 1, state.at + step));
        requestAnimationFrame(() => document.querySelector("[data-current]")?.scrollIntoView({ block: "nearest" }));
      } else if (issue.status === "pending") {
        const card = document.querySelector("[data-current]");
        if (key === "x") /** @type {HTMLElement} */ (card?.querySelector("input[type=checkbox]"))?.click();
        if (key === "e") /** @type {HTMLInputElement} */ (card?.querySelector("input[aria-invalid]") ?? card?.querySelector("input.cell"))?.select();
        const found = simpleOf(key);
        if (found) { one(issue, found.action); return; }
      }
      if (ahead.length) nextTick(() => act(ahead.shift()));
    };
    onMounted(() => addEventListener("keydown", keys));
    onBeforeUnmount(() => removeEventListener("keydown", keys));

    const facts = () => {
      const f = state.found;
      return t.div({ class: "figures" }, [[count(f.records_processed), "records"], [count(f.records_inserted), "rows added"], [count(f.records_updated), "rows updated"],
        // Issues by kind have their numbers at the tabs below.
        ...(f.records_left_out > 0 ? [[count(f.records_left_out), "left out"]] : []), [count(f.issues_open), `open, ${count(f.issues_resolved)} resolved`]]
        .map(([value, name]) => t.div({ class: "figure" }, t.b(value), t.span(name))));
    };
    const header = () => {
      const f = state.found;
      return pageHeader({
        crumbs: [["Imports", href("/imports")]], title: importTitle(f), beside: [statusBadge(f)],
        text: f.file_name ? f.response_summary ?? "" : "",
        actions: [
          f.dataset_id ? button({ icon: "series", href: href(`/datasets/${f.dataset_id}`) }, "Open the dataset")
            : f.table_name && f.status === "success" && button({ icon: "table", href: href(`/tables/${encodeURIComponent(f.table_name)}`) }, "Open the table"),
          ["success", "partially_undone"].includes(f.status) && button({ icon: "undo", onClick: undo }, "Undo"),
          !f.dataset_id && h(Menu, { label: "More", icon: "more", iconOnly: true, items: [
            { icon: "download", text: "Export its rows as CSV", href: `${address}/export`, download: `${props.id}.csv` },
            ...(f.kind === "import" ? [{ icon: "redo", text: "Run it again", run: redo }] : []),
          ] }),
        ].filter(Boolean),
      });
    };
    const simple = () => ACTIONS[state.kind].filter((action) => !action.needs);
    const shortcuts = () => [["j", "next"], ["k", "previous"], ...simple().map((action) => [action.key, actionText(action, state.page.issues).toLowerCase()]), ["e", "edit"], ["x", "choose"]];
    const bulk = () => {
      const waiting = state.page.issues.filter((issue) => issue.status === "pending");
      const picked = chosen();
      return t.div({ class: "bulk" },
        t.div({ class: "row between" },
          t.div({ class: "row" },
            t.label({ class: "check" }, t.input({
              type: "checkbox", checked: picked.length > 0 && picked.length === waiting.length, disabled: !waiting.length,
              onChange: (event) => { state.chosen = event.target.checked ? waiting.map((issue) => issueId(state.kind, issue)) : []; },
            }), picked.length ? `${count(picked.length)} chosen` : "Choose all shown"),
            picked.length > 0 && simple().map((action) => button({ size: "small", icon: action.icon, busy: state.busy,
              onClick: () => settle(() => decide(address, state.kind, picked.map((issue) => [issue, action.action]))) }, `${actionText(action, picked)} (${picked.length})`))),
          t.div({ class: "row" },
            segmented("Which issues", state.status, [["pending", "Waiting"], ["all", "All"]], (status) => { state.status = status; state.offset = 0; }),
            state.found.issues_waiting[state.kind] > 0 && h(Menu, { label: "Decide all", icon: "check", items: simple().map((action) => {
              const text = actionText(action, state.page.issues);
              return { icon: action.icon, text: `${text}: all ${count(state.found.issues_waiting[state.kind])}`, run: () => everything(action.action, text) };
            }) }))),
        state.progress && t.div({ class: "row" }, t.div({ class: "grow" }, progress(`${count(state.progress.done)} of ${count(state.progress.total)} decided`, state.progress.done, state.progress.total)),
          button({ size: "small", onClick: () => { state.progress.stop = true; } }, "Stop")),
        t.div({ class: "muted small-text keys" }, shortcuts().map(([key, text]) => t.span(t.kbd(key), ` ${text}`))));
    };
    const nothing = () => t.div({ class: "card" }, state.status === "all" ? empty("check", "Nothing here", "The import left nothing of this kind open.")
      : empty("check", "Nothing waits here", "Every issue of this kind is decided.", button({ size: "small", onClick: () => { state.status = "all"; } }, "Show decided ones")));
    const cards = () => state.page.issues.map((issue, n) => {
      const id = issueId(state.kind, issue);
      return h(IssueCard, { key: `${state.kind}-${id}`, kind: state.kind, issue, table: state.found.table_name, keys: state.found.plan?.key ?? [], current: n === state.at, busy: state.busy, problem: issue.status === "pending" ? state.problems[id] : undefined, chosen: state.chosen.includes(id),
        onFocus: () => { state.at = n; }, onChoose: (on) => { state.chosen = on ? [...state.chosen, id] : state.chosen.filter((other) => other !== id); },
        onDecide: (action, values) => one(issue, action, values) });
    });
    const choose = (kind) => { Object.assign(state, { offset: 0, at: 0, chosen: [], problems: {}, page: null, kind, status: "pending" }); };
    const review = () => t.section({ class: "stack", "aria-label": "Review" },
      tabs("Kinds of issues", state.kind, KINDS.map(([kind, name]) => [kind, name, count(state.found.issues_waiting[kind])]), choose),
      !state.page ? loading() : state.page.issues.length === 0 && !state.busy ? nothing()
        : [bulk(), cards(), pager({ offset: state.offset, limit: LIMIT, total: state.page.total_count }, (offset) => { state.offset = offset; state.at = 0; scrollTo(0, 0); })]);
    return () => t.div({ class: "page" },
      state.problem && [!state.found && pageHeader({ title: "Import", crumbs: [["Imports", href("/imports")]] }), notice("bad", state.problem)],
      !state.found ? !state.problem && loading() : [header(), facts(), details(state.found), (state.found.status === "success" || state.found.issues_open > 0) && !state.found.dataset_id && review(),
        state.found.status === "failed" && notice("bad", state.found.error ?? "It failed.", t.div({ class: "small-text" }, "Nothing was written."))]);
  },
};
