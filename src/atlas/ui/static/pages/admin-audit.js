// Who changed what, and who read whose data.
import { api } from "../api.js";
import { listing, loader, turner } from "../components/listing.js";
import { badge, button, empty, field, input, loading, notice, segmented } from "../components/ui.js";
import { debounce, reactive, t, watch } from "../dom.js";
import { count, moment } from "../format.js";
import { href } from "../router.js";
import { zone } from "../zone.js";

const LIMIT = 50;


export const Audit = {
  setup() {
    const state = reactive({ action: "", user: "", dataset: "", offset: 0 });
    const found = loader(async () => (await api.get("/api/v1/admin/audit", { action: state.action, user: state.user.trim(), dataset_id: /^\d+$/.test(state.dataset.trim()) ? state.dataset.trim() : "", limit: LIMIT, offset: state.offset })).entries);
    const changed = debounce(() => { if (state.offset) state.offset = 0; else found.load(); }, 250);
    watch(() => [state.user, state.dataset, state.action], changed);
    watch(() => state.offset, () => found.load());
    const row = (one, n) => t.tr({ key: `${one.at}-${n}` },
      t.td({ class: "nowrap muted" }, moment(one.at, 19)), t.td(t.b(one.user ?? "–"), t.div({ class: "muted small-text" }, one.organization)),
      t.td(badge(one.action, one.action === "write" ? "accent" : ""), " ", badge(one.status, one.status < 400 ? "good" : "bad")),
      t.td(t.span({ class: "mono" }, `${one.method} ${one.path}`), one.dataset_id && t.div(t.a({ class: "small-text", href: href(`/datasets/${one.dataset_id}`) }, `dataset ${one.dataset_id}`))),
      t.td({ class: "number" }, count(one.requests)), t.td({ class: "number" }, one.rows ? count(one.rows) : "–"));
    const filtered = () => state.user || state.dataset || state.action;
    return () => t.section({ class: "stack", "aria-label": "Audit log" },
      t.div({ class: "row filters" },
        segmented("Action", state.action, [["", "All"], ["write", "Changes"], ["read", "Reads"]], (action) => { state.action = action; }),
        field({ label: "User", id: "audit-user" }, (p) => input(state, "user", { ...p, autocomplete: "off" })),
        field({ label: "Dataset number", id: "audit-dataset" }, (p) => input(state, "dataset", { ...p, inputmode: "numeric", autocomplete: "off" })),
        button({ size: "small", kind: "plain", icon: "redo", onClick: () => found.load() }, "Refresh")),
      found.problem && notice("bad", found.problem),
      !found.data ? !found.problem && loading() : found.data.length === 0 && state.offset === 0
        ? t.div({ class: "card" }, empty("book", "Nothing here", filtered() ? "No entry matches." : "Changes by your users, and reads of your datasets by others, are listed here."))
        : [listing("Audit log", [`When (${zone.label})`, "User", "Action", "Request", ["Requests", "number"], ["Rows", "number"]], found.data.map(row)),
          turner({ offset: state.offset, limit: LIMIT, shown: found.data.length }, (offset) => { state.offset = offset; })]);
  },
};
