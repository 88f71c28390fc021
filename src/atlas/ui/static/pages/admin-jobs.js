// Asynchronous imports and webhook deliveries that wait, run or failed.
import { api } from "../api.js";
import { listing, loader } from "../components/listing.js";
import { ask, attempt } from "../components/overlays.js";
import { badge, button, empty, loading, notice, pager, segmented } from "../components/ui.js";
import { onBeforeUnmount, reactive, t, watch } from "../dom.js";
import { ago, moment } from "../format.js";
import { href } from "../router.js";
import { zone } from "../zone.js";

const LIMIT = 50;
const STATUSES = [["", "All"], ["todo", "Waiting"], ["doing", "Running"], ["failed", "Failed"], ["cancelled", "Cancelled"], ["aborted", "Ended"]];
const KINDS = { todo: "warn", doing: "accent", aborting: "warn", failed: "bad" };
const WORDS = { aborting: "ending" };
const TASKS = { import: "Import", deliver: "Webhook" };

export const Jobs = {
  // across: whether they are of all organizations.
  props: { across: Boolean },
  setup(props) {
    const state = reactive({ status: "", offset: 0, busy: null });
    const list = loader(() => api.get("/api/v1/admin/jobs", { status: state.status, limit: LIMIT, offset: state.offset }));
    watch(() => [state.status, state.offset], () => list.load());
    const timer = setInterval(() => !document.hidden && list.load(), 5000);
    onBeforeUnmount(() => clearInterval(timer));
    const act = async (job, what, told) => {
      state.busy = job.id;
      await attempt(() => api.post(`/api/v1/admin/jobs/${job.id}/${what}`), told);
      await list.load();
      state.busy = null;
    };
    const cancel = async (job) => {
      if (await ask({ title: "Cancel this job?", text: job.status === "doing" ? "It is ended where it runs; its import leaves no rows and counts as failed." : "It is taken off the queue, and its import or delivery counts as failed.", confirm: "Cancel it", danger: true })) act(job, "cancel", "The job was cancelled");
    };
    const word = (status) => STATUSES.find(([one]) => one === status)?.[1].toLowerCase() ?? WORDS[status] ?? status;
    const row = (job) => t.tr({ key: job.id },
      t.td(t.b(TASKS[job.task] ?? job.task), " ", t.span({ class: "muted" }, `#${job.id}`), props.across && t.div({ class: "small-text muted" }, job.organization), job.import_id && t.div(t.a({ class: "small-text", href: href(`/imports/${job.import_id}`) }, "its import"))),
      t.td(badge(word(job.status), KINDS[job.status])), t.td({ class: "number" }, job.attempts),
      t.td({ class: "nowrap muted" }, ago(job.created_at)),
      t.td({ class: "nowrap muted" }, job.status === "todo" && job.scheduled_at ? `due ${moment(job.scheduled_at, 19)}` : job.ended_at ? `ended ${ago(job.ended_at)}` : job.started_at ? `started ${ago(job.started_at)}` : "–"),
      t.td({ class: "actions" },
        ["todo", "doing"].includes(job.status) && button({ size: "small", kind: "danger", busy: state.busy === job.id, label: `Cancel job ${job.id}`, onClick: () => cancel(job) }, "Cancel"),
        job.status === "failed" && button({ size: "small", icon: "redo", busy: state.busy === job.id, label: `Retry job ${job.id}`, onClick: () => act(job, "retry", "The job runs again") }, "Retry")));
    return () => t.section({ class: "stack", "aria-label": "Jobs" },
      t.div({ class: "row between" }, segmented("Status", state.status, STATUSES, (status) => { Object.assign(state, { status, offset: 0 }); }),
        button({ size: "small", kind: "plain", icon: "redo", onClick: () => list.load() }, "Refresh")),
      list.problem && notice("bad", list.problem),
      !list.data ? !list.problem && loading() : list.data.total_count === 0
        ? t.div({ class: "card" }, empty("check", state.status ? `No ${word(state.status)} jobs` : "Nothing waits, runs or has failed", "Imports with a callback URL and the webhooks that tell of them are listed here until they succeed."))
        : [listing("Jobs", ["Job", "Status", ["Attempts", "number"], "Made", `When (${zone.label})`, ""], list.data.jobs.map(row)),
          pager({ offset: state.offset, limit: LIMIT, total: list.data.total_count }, (offset) => { state.offset = offset; })]);
  },
};
