// What an organization teaches: verified questions and its words.
import { api } from "../api.js";
import { CodeEditor } from "../components/code-editor.js";
import { listing, loader } from "../components/listing.js";
import { Dialog, ask, attempt } from "../components/overlays.js";
import { badge, button, empty, field, input, loading, notice, pager, segmented, textarea } from "../components/ui.js";
import { h, reactive, t, watch } from "../dom.js";
import { ago } from "../format.js";

const LIMIT = 50;

/** A form in a dialog that stays open, with what was typed, until the server takes it. */
const Editor = {
  props: { title: String, given: Object, save: Function, done: String },
  emits: ["close", "saved"],
  setup(props, { emit, slots }) {
    const state = reactive({ ...props.given, busy: false, problem: null });
    const submit = async (event) => {
      event.preventDefault();
      Object.assign(state, { busy: true, problem: null });
      try {
        await props.save(state);
        await attempt(async () => {}, props.done);
        emit("saved");
        emit("close");
      } catch (error) { state.problem = error; }
      state.busy = false;
    };
    return () => h(Dialog, { title: props.title, wide: true, onClose: () => emit("close") }, {
      default: () => t.form({ class: "stack", id: "editor-form", onSubmit: submit }, slots.default(state), state.problem && notice("bad", state.problem)),
      foot: () => [button({ onClick: () => emit("close") }, "Cancel"), button({ kind: "primary", type: "submit", form: "editor-form", busy: state.busy }, "Save")],
    });
  },
};

export const Verified = {
  setup() {
    const state = reactive({ status: "", offset: 0, editing: null });
    const list = loader(() => api.get("/api/v1/verified-questions", { status: state.status, limit: LIMIT, offset: state.offset }));
    watch(() => [state.status, state.offset], () => list.load());
    const remove = async (one) => {
      const sure = await ask({ title: "Delete this question?", text: `“${one.question}” is answered by the engine again.`, confirm: "Delete it", danger: true });
      if (sure && await attempt(() => api.del(`/api/v1/verified-questions/${one.id}`), "It was deleted")) list.load();
    };
    const accept = async (one) => {
      if (await attempt(() => api.put(`/api/v1/verified-questions/${one.id}`, { status: "verified" }), "From now on this question gets that answer")) list.load();
    };
    const save = ({ id, question, sql }) => (id ? api.put(`/api/v1/verified-questions/${id}`, { question, sql }) : api.post("/api/v1/verified-questions", { question, sql }));
    const row = (one) => t.tr({ key: one.id },
      t.td(t.b(one.question), t.div({ class: "mono muted clamp" }, one.sql)),
      t.td(badge(one.status === "verified" ? "verified" : "suggested", one.status === "verified" ? "good" : "warn")),
      t.td({ class: "muted nowrap" }, one.created_by ?? "–", t.div({ class: "small-text" }, ago(one.updated_at))),
      t.td({ class: "actions" }, t.div({ class: "row end" },
        one.status === "suggested" && button({ size: "small", icon: "check", label: `Accept ${one.question}`, onClick: () => accept(one) }, "Accept"),
        button({ size: "small", kind: "plain", icon: "edit", label: `Edit ${one.question}`, onClick: () => { state.editing = one; } }),
        button({ size: "small", kind: "plain", icon: "trash", label: `Delete ${one.question}`, onClick: () => remove(one) }))));
    const add = (kind) => button({ kind, icon: "plus", onClick: () => { state.editing = { question: "", sql: "" }; } }, "Add a question");
    const nothing = () => t.div({ class: "card" }, state.status
      ? empty("book", `Nothing ${state.status}`, "Choose “All” to see the others.")
      : empty("book", "No verified questions yet", "Save SQL that you know to be right, and its question gets that answer from then on. Answers that you rate as right are suggested here.", add("primary")));
    return () => t.section({ class: "stack", "aria-label": "Verified questions" },
      t.div({ class: "row between" }, segmented("Status", state.status, [["", "All"], ["verified", "Verified"], ["suggested", "Suggested"]], (status) => { Object.assign(state, { status, offset: 0 }); }), list.data?.total_count > 0 && add("")),
      list.problem && notice("bad", list.problem),
      !list.data ? !list.problem && loading() : list.data.total_count === 0 ? nothing() : [
        listing("Verified questions", ["Question", "Status", "By", ""], list.data.verified_questions.map(row)),
        pager({ offset: state.offset, limit: LIMIT, total: list.data.total_count }, (offset) => { state.offset = offset; })],
      state.editing && h(Editor, { title: state.editing.id ? "Edit the question" : "Add a verified question", given: { id: state.editing.id, question: state.editing.question, sql: state.editing.sql },
        save, done: "It was saved", onClose: () => { state.editing = null; }, onSaved: () => list.load() }, {
        default: (form) => [
          field({ label: "Question" }, (p) => input(form, "question", { ...p, required: true, maxlength: 4000, placeholder: "What is our win rate?" })),
          t.div({ class: "field" }, t.span({ class: "label" }, "SQL that answers it"), h(CodeEditor, { value: form.sql, label: "SQL that answers it", onChange: (text) => { form.sql = text; } }),
            t.span({ class: "hint" }, "One SELECT on your tables and datasets. It is checked before it is saved."))],
      }));
  },
};

export const Glossary = {
  setup() {
    const state = reactive({ offset: 0, editing: null });
    const list = loader(() => api.get("/api/v1/glossary", { limit: LIMIT, offset: state.offset }));
    const tables = loader(async () => (await api.get("/api/v1/tables")).tables);
    watch(() => state.offset, () => list.load());
    const remove = async (one) => {
      const sure = await ask({ title: "Delete this term?", text: `“${one.term}” means nothing special any more.`, confirm: "Delete it", danger: true });
      if (sure && await attempt(() => api.del(`/api/v1/glossary/${one.id}`), "It was deleted")) list.load();
    };
    const save = ({ id, term, meaning, table_name: table }) => {
      const body = { term, meaning, table_name: table || null };
      return id ? api.put(`/api/v1/glossary/${id}`, body) : api.post("/api/v1/glossary", body);
    };
    const row = (one) => t.tr({ key: one.id },
      t.td(t.b(one.term)), t.td({ class: one.table_name ? "mono" : "" }, one.meaning), t.td(one.table_name ? badge(one.table_name) : t.span({ class: "muted" }, "plain words")),
      t.td({ class: "actions" }, t.div({ class: "row end" },
        button({ size: "small", kind: "plain", icon: "edit", label: `Edit ${one.term}`, onClick: () => { state.editing = one; } }),
        button({ size: "small", kind: "plain", icon: "trash", label: `Delete ${one.term}`, onClick: () => remove(one) }))));
    const add = (kind) => button({ kind, icon: "plus", onClick: () => { state.editing = { term: "", meaning: "", table_name: "" }; } }, "Add a term");
    const choices = () => [t.option({ value: "" }, "None: plain words, which only models read"), (tables.data ?? []).map((one) => t.option({ value: one.table_name }, one.table_name))];
    return () => t.section({ class: "stack", "aria-label": "Glossary" },
      t.div({ class: "row between" }, t.p({ class: "muted intro" }, "Words of your organization and what they mean. Questions that use them are understood."), list.data?.total_count > 0 && add("")),
      list.problem && notice("bad", list.problem),
      !list.data ? !list.problem && loading() : list.data.total_count === 0
        ? t.div({ class: "card" }, empty("book", "No terms yet", "Tell Atlas, say, that “active” means status in ('active', 'trial') in the table customers.", add("primary"))) : [
          listing("Glossary", ["Term", "Meaning", "Table", ""], list.data.terms.map(row)),
          pager({ offset: state.offset, limit: LIMIT, total: list.data.total_count }, (offset) => { state.offset = offset; })],
      state.editing && h(Editor, { title: state.editing.id ? "Edit the term" : "Add a term", given: { id: state.editing.id, term: state.editing.term, meaning: state.editing.meaning, table_name: state.editing.table_name ?? "" },
        save, done: "It was saved", onClose: () => { state.editing = null; }, onSaved: () => list.load() }, {
        default: (form) => [
          field({ label: "Term" }, (p) => input(form, "term", { ...p, required: true, maxlength: 200, placeholder: "active" })),
          field({ label: "Table", id: "term-table" }, (p) => t.select({ ...p, class: "input", value: form.table_name, onChange: (event) => { form.table_name = event.target.value; } }, choices())),
          field({ label: "Meaning", hint: form.table_name ? `A condition on the columns of ${form.table_name}, such as status in ('active', 'trial')` : "In your own words" },
            (p) => textarea(form, "meaning", { ...p, required: true, maxlength: 2000, rows: 3 }))],
      }));
  },
};
