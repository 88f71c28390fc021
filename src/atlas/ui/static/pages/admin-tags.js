// Tags with their use; operators make and delete them.
import { api } from "../api.js";
import { browsing, listing, loader } from "../components/listing.js";
import { sorted, sorting } from "../components/sorting.js";
import { Dialog, ask, attempt, toast } from "../components/overlays.js";
import { badge, button, check, empty, field, input, loading, notice, pager, search, textarea } from "../components/ui.js";
import { h, reactive, t } from "../dom.js";
import { count, many } from "../format.js";
import { session } from "../session.js";

// They exist from the start and stay.
const FIXED = ["public", "test"];

const NewTag = {
  emits: ["close", "made"],
  setup(_, { emit }) {
    const state = reactive({ name: "", description: "", isPrivate: true, secret: "", busy: false, problem: null });
    const submit = async (event) => {
      event.preventDefault();
      Object.assign(state, { busy: true, problem: null });
      try {
        await api.post("/api/v1/admin/tags", { name: state.name.trim(), description: state.description.trim(), secret: state.isPrivate ? state.secret : null });
        emit("made", state.name.trim());
      } catch (error) { state.problem = error; }
      state.busy = false;
    };
    return () => h(Dialog, { title: "New tag", onClose: () => emit("close") }, {
      default: () => t.form({ class: "stack", id: "tag-form", onSubmit: submit },
        field({ label: "Name", id: "tag-name" }, (p) => input(state, "name", { ...p, required: true, maxlength: 255, autofocus: true, autocomplete: "off", placeholder: "premium" })),
        field({ label: "Description", id: "tag-description" }, (p) => textarea(state, "description", { ...p, rows: 2 })),
        check(state, "isPrivate", "Private: acquiring it takes a secret"),
        state.isPrivate ? field({ label: "Secret", id: "tag-secret", hint: "It is never shown again. Give it to whoever may read what has this tag." }, (p) => input(state, "secret", { ...p, type: "password", required: true, autocomplete: "new-password", maxlength: 1000 }))
          : notice("warn", "Everybody on this server can acquire a public tag, and then read what has it."),
        state.problem && notice("bad", state.problem)),
      foot: () => [button({ onClick: () => emit("close") }, "Cancel"), button({ kind: "primary", type: "submit", form: "tag-form", busy: state.busy }, "Create tag")],
    });
  },
};

export const AdminTags = {
  setup() {
    const view = browsing();
    const sort = sorting("", "name");
    const fields = { name: (tag) => tag.name, kind: (tag) => Number(!tag.is_public), datasets: (tag) => tag.datasets, holders: (tag) => tag.holders };
    const state = reactive({ creating: false });
    const operator = session.role === "operator";
    const list = loader(async () => (await api.get("/api/v1/admin/tags")).tags);
    const remove = async (tag) => {
      const sure = await ask({ title: `Delete the tag “${tag.name}”?`, confirm: "Delete it", danger: true, typed: tag.datasets || tag.holders ? tag.name : "",
        text: `It is on ${many(tag.datasets, "dataset")} and ${many(tag.holders, "user")} hold it. Who reads those datasets by it alone loses access at once. This cannot be undone.` });
      if (sure && await attempt(() => api.del(`/api/v1/admin/tags/${tag.id}`), "The tag was deleted")) list.load();
    };
    const row = (tag) => t.tr({ key: tag.id },
      t.td(t.b(tag.name), tag.description && t.div({ class: "muted small-text clamp" }, tag.description)),
      t.td(badge(tag.is_public ? "free to acquire" : "needs a secret", tag.is_public ? "good" : "warn")),
      t.td({ class: "number" }, count(tag.datasets)), t.td({ class: "number" }, count(tag.holders)),
      t.td({ class: "actions" }, operator && !FIXED.includes(tag.name) && button({ size: "small", kind: "danger", label: `Delete ${tag.name}`, onClick: () => remove(tag) }, "Delete")));
    return () => {
      const found = sorted(view.found(list.data ?? [], (tag) => `${tag.name} ${tag.description}`), sort, fields);
      return t.section({ class: "stack", "aria-label": "Tags" },
        t.div({ class: "row between" }, search(view, "text", "Search tags"),
          operator ? button({ kind: "primary", icon: "plus", onClick: () => { state.creating = true; } }, "New tag") : t.span({ class: "muted small-text" }, "Tags are made by the operator of this server.")),
        list.problem && notice("bad", list.problem),
        !list.data ? !list.problem && loading() : found.length === 0 ? t.div({ class: "card" }, empty("tag", "Nothing found", `No tag matches “${view.text}”.`))
          : [listing("Tags", [["Tag", "", "name"], ["Kind", "", "kind"], ["Datasets", "number", "datasets"], ["Holders", "number", "holders"], ""], view.page(found).map(row), null, sort),
            pager({ offset: view.offset, limit: view.limit, total: found.length }, (offset) => { view.offset = offset; })],
        state.creating && h(NewTag, { onClose: () => { state.creating = false; }, onMade: (name) => { state.creating = false; toast("good", `The tag ${name} was created`); list.load(); } }));
    };
  },
};
