// The share tab: tags on a dataset, and what they mean.
import { api } from "../api.js";
import { attempt } from "../components/overlays.js";
import { ScrollBox } from "../components/scroll-box.js";
import { badge, button, field, loading, notice, select } from "../components/ui.js";
import { h, reactive, t } from "../dom.js";

const MODELS = [["nobody", "Nobody's"], ["organization", "The owner's organization's, if it sends values"], ["readers", "Those of everybody who may read it"]];

/** Whose models may be sent values of cells: the owner says so. */
const Samples = {
  props: { dataset: Object, summary: Object },
  setup(props) {
    const address = `/api/datasets/${props.dataset.id}/samples/`;
    const state = reactive({ samples: null, problem: null });
    const load = async () => {
      try { state.samples = (await api.get(address)).samples; } catch (error) { state.problem = error; }
    };
    load();
    const change = async (event) => {
      const made = await attempt(() => api.put(address, { samples: event.target.value }), "Saved");
      if (made) state.samples = made.samples; else { state.samples = null; load(); }
    };
    return () => state.problem ? notice("bad", state.problem) : state.samples && t.div({ class: "card stack" },
      field({ label: "Models that may be sent values of cells", id: "dataset-samples", hint: "With a question, to the model provider that an organization has set. Names of columns are always told." },
        (p) => select(state, "samples", MODELS, { ...p, disabled: !props.summary.is_owner, onChange: change })));
  },
};

export const ShareTab = {
  props: { dataset: Object, summary: Object },
  emits: ["changed"],
  setup(props, { emit }) {
    const state = reactive({ all: null, own: null, problem: null, busy: 0 });
    const address = `/api/datasets/${props.dataset.id}/tags/`;
    const load = async () => {
      try {
        [state.all, state.own] = await Promise.all([api.get("/api/tags/"), api.get(address)]);
      } catch (error) {
        state.problem = error;
      }
    };
    load();
    const change = async (tag, add) => {
      state.busy = tag.id;
      await attempt(async () => {
        if (add) await api.post(address, { tag_id: tag.id });
        else await api.del(`${address}${tag.id}/`);
      }, add ? `Shared with everybody who holds “${tag.name}”` : `“${tag.name}” no longer opens it`);
      state.busy = 0;
      await load();
      emit("changed");
    };
    const row = (tag) => {
      const on = state.own.some((one) => one.id === tag.id);
      return t.tr({ key: tag.id },
        t.td(t.div({ class: "row" }, t.b(tag.name), badge(tag.is_public ? "free to acquire" : "needs a secret", tag.is_public ? "good" : "warn"), on && props.summary.is_owner && badge("on this dataset", "accent")),
          tag.description && t.div({ class: "muted small-text" }, tag.description)),
        props.summary.is_owner && t.td({ class: "actions" }, button({
          size: "small", busy: state.busy === tag.id, kind: on ? "danger" : "", onClick: () => change(tag, !on), label: `${on ? "Remove" : "Add"} ${tag.name}`,
        }, on ? "Remove" : "Add")));
    };
    return () => t.section({ class: "stack", "aria-label": "Share" },
      t.p({ class: "muted" }, props.summary.is_owner
        ? "Whoever holds a tag of this dataset can read it, and nobody else but you. Only you can change it."
        : "You can read this dataset because you hold one of its tags. Only its owner can change it."),
      state.problem ? notice("bad", state.problem) : !state.all ? loading()
        : t.div({ class: "card flush" }, h(ScrollBox, { label: "Tags" }, () => t.table({ class: "table" },
          t.thead(t.tr(t.th({ scope: "col" }, "Tag"), props.summary.is_owner && t.th({ scope: "col" }, t.span({ class: "visually-hidden" }, "Actions")))),
          t.tbody(state.all.filter((tag) => props.summary.is_owner || state.own.some((one) => one.id === tag.id)).map(row))))),
      h(Samples, { dataset: props.dataset, summary: props.summary }));
  },
};
