// The log of webhook deliveries with their attempts.
import { api } from "../api.js";
import { onBeforeUnmount, reactive, t, watch } from "../dom.js";
import { ago, many, moment } from "../format.js";
import { icon } from "../icons.js";
import { href } from "../router.js";
import { listing, loader, turner } from "./listing.js";
import { attempt } from "./overlays.js";
import { badge, button, empty, loading, notice } from "./ui.js";

const LIMIT = 25;
const KINDS = { delivered: "good", failed: "bad", pending: "warn" };

export const Deliveries = {
  setup() {
    const state = reactive({ offset: 0, open: null, busy: null });
    const list = loader(async () => (await api.get("/api/v1/webhooks/deliveries", { limit: LIMIT, offset: state.offset })).deliveries);
    watch(() => state.offset, () => list.load());
    // Attempts are made by the server, whenever they are due.
    const timer = setInterval(() => !document.hidden && list.load(), 5000);
    onBeforeUnmount(() => clearInterval(timer));
    const again = async (one) => {
      state.busy = one.id;
      if (await attempt(() => api.post(`/api/v1/webhooks/deliveries/${one.id}/redeliver`), "It is sent again")) {
        await list.load();
        setTimeout(() => list.load(), 2000);
      }
      state.busy = null;
    };
    const attempts = (one) => t.tr({ key: `${one.id}-more`, class: "inner" }, t.td({ colspan: 5 },
      one.attempts.length === 0 ? t.span({ class: "muted" }, "Not tried yet.") : t.ol({ class: "attempts" }, one.attempts.map((a) =>
        t.li(t.span({ class: "muted" }, moment(a.at, 19)), " ", badge(a.status ?? "no answer", a.status >= 200 && a.status < 300 ? "good" : "bad"), " ",
          t.span({ class: "muted" }, `${Number(a.seconds).toFixed(2)} s`), a.error && t.span(` ${a.error}`))))));
    const row = (one) => [t.tr({ key: one.id },
      t.td(t.button({ type: "button", class: "disclosure", "aria-expanded": String(state.open === one.id), "aria-label": `Attempts to ${one.url}`, onClick: () => { state.open = state.open === one.id ? null : one.id; } },
        icon(state.open === one.id ? "down" : "right"), many(one.attempts.length, "attempt"))),
      t.td({ class: "mono" }, one.url, t.div(t.a({ class: "small-text", href: href(`/imports/${one.import_id}`) }, "import"))),
      t.td(badge(one.status, KINDS[one.status])),
      t.td({ class: "nowrap muted" }, ago(one.created_at)),
      t.td({ class: "actions" }, button({ size: "small", icon: "redo", busy: state.busy === one.id, onClick: () => again(one) }, "Send again"))),
    state.open === one.id && attempts(one)];
    return () => t.section({ class: "stack", "aria-label": "Deliveries" },
      t.div({ class: "row between" }, t.h2("Deliveries"), button({ size: "small", kind: "plain", icon: "redo", onClick: () => list.load() }, "Refresh")),
      list.problem && notice("bad", list.problem),
      !list.data ? !list.problem && loading() : list.data.length === 0 && state.offset === 0
        ? t.div({ class: "card" }, empty("bolt", "No deliveries yet", "An import with a callback URL runs later and posts its result there; each attempt is listed here."))
        : [listing("Deliveries", ["Attempts", "Address", "Status", "Made", ""], list.data.map(row)),
          turner({ offset: state.offset, limit: LIMIT, shown: list.data.length }, (offset) => { state.offset = offset; })]);
  },
};
