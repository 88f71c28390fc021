// Tags: which there are, which one holds, and how to get one.
import { api } from "../api.js";
import { Dialog, attempt } from "../components/overlays.js";
import { ScrollBox } from "../components/scroll-box.js";
import { sortHead, sorted, sorting } from "../components/sorting.js";
import { badge, button, field, input, loading, notice, pageHeader, search } from "../components/ui.js";
import { h, reactive, t } from "../dom.js";
import { many } from "../format.js";
import { href } from "../router.js";
import { session } from "../session.js";

export default {
  setup() {
    document.title = "Tags · Atlas";
    const state = reactive({ tags: null, uses: {}, problem: null, text: "", asking: null, secret: "", refused: null, busy: 0 });
    const sort = sorting("", "name");
    const fields = { name: (tag) => tag.name, kind: (tag) => Number(!tag.is_public), held: (tag) => Number(!session.me.tags.includes(tag.name)) };
    const load = async () => {
      try { state.tags = await api.get("/api/tags/"); } catch (error) { state.problem = error; return; }
      // How much each opens is known to administrators alone.
      if (session.isAdmin) state.uses = await api.get("/api/v1/admin/tags").then(({ tags }) => Object.fromEntries(tags.map((one) => [one.name, one])), () => ({}));
    };
    load();
    const acquire = async (tag, secret) => {
      state.busy = tag.id;
      state.refused = null;
      try {
        await api.post("/api/tags/acquire/", secret === undefined ? { tag_name: tag.name } : { tag_name: tag.name, secret });
        await session.load();
        state.asking = null;
        await attempt(async () => {}, `You hold “${tag.name}” now`);
      } catch (error) {
        if (state.asking) state.refused = error; else await attempt(() => Promise.reject(error));
      }
      state.busy = 0;
    };
    const row = (tag) => {
      const held = session.me.tags.includes(tag.name);
      return t.tr({ key: tag.id },
        t.td(t.b(tag.name), tag.description && t.div({ class: "muted small-text" }, tag.description),
          state.uses[tag.name] && t.div({ class: "muted small-text" }, `${many(state.uses[tag.name].datasets, "dataset")}, ${many(state.uses[tag.name].holders, "holder")}`)),
        t.td(badge(tag.is_public ? "free to acquire" : "needs a secret", tag.is_public ? "good" : "warn")),
        t.td(held ? t.div({ class: "row" }, badge("You hold it", "accent"), t.a({ class: "small-text", href: href("/datasets", { owned: "false" }) }, "What is shared")) : t.span({ class: "muted" }, "–")),
        t.td({ class: "actions" }, !held && button({ size: "small", busy: state.busy === tag.id, label: `Acquire ${tag.name}`,
          onClick: () => { if (tag.is_public) acquire(tag); else { state.secret = ""; state.refused = null; state.asking = tag; } } }, "Acquire")));
    };
    const shown = () => sorted(state.tags.filter((tag) => `${tag.name} ${tag.description}`.toLowerCase().includes(state.text.toLowerCase())), sort, fields);
    return () => t.div({ class: "page" },
      pageHeader({ title: "Tags", text: "A tag on a dataset lets everybody who holds the tag read it. Public tags are free; for a private one, ask whoever provides the data for its secret." }),
      state.problem && notice("bad", state.problem),
      !state.tags ? !state.problem && loading() : [
        state.tags.length > 8 && search(state, "text", "Search tags"),
        t.div({ class: "card flush" }, h(ScrollBox, { label: "Tags" }, () => t.table({ class: "table" },
          t.thead(t.tr([["Tag", "name"], ["Kind", "kind"], ["You", "held"], [""]].map(([text, by]) => sortHead(sort, { text, by })))),
          t.tbody(shown().map(row))))),
        t.p({ class: "muted small-text" }, "To share a dataset of yours, open it and go to Share. ",
          session.role === "operator" ? t.a({ class: "underlined", href: href("/admin", { tab: "tags" }) }, "Make a new tag") : "New tags are made by the operator of this server.", "")],
      state.asking && h(Dialog, { title: `Acquire “${state.asking.name}”`, onClose: () => { state.asking = null; } }, {
        default: () => t.form({ class: "stack", id: "secret-form", onSubmit: (event) => { event.preventDefault(); acquire(state.asking, state.secret); } },
          t.p("This tag is private. Enter the secret that you got from whoever provides the data."),
          field({ label: "Secret", problem: state.refused?.text }, (p) => input(state, "secret", { ...p, type: "password", required: true, autofocus: true, autocomplete: "off" }))),
        foot: () => [button({ onClick: () => { state.asking = null; } }, "Cancel"),
          button({ kind: "primary", type: "submit", form: "secret-form", busy: state.busy === state.asking.id, disabled: !state.secret }, "Acquire")],
      }));
  },
};
