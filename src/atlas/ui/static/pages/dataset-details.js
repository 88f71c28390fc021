// Name, description and metadata of a dataset; its columns.
import { api } from "../api.js";
import { ColumnNoteDialog } from "../components/column-note.js";
import { DropAnywhere } from "../components/files.js";
import { members, objectOf } from "../components/json-text.js";
import { changed, changes, metadataEditor, pairs } from "../components/metadata.js";
import { attempt, Dialog } from "../components/overlays.js";
import { ScrollBox } from "../components/scroll-box.js";
import { badge, button, empty, field, input, loading, notice, select, textarea } from "../components/ui.js";
import { h, reactive, t, watch } from "../dom.js";
import { many } from "../format.js";
import { nameOf, POLICIES, useRowsFile } from "../components/rows-file.js";

const JSON_BODY = { "Content-Type": "application/json" };
const path = (dataset) => `/api/datasets/${dataset.id}/`;

/** The members of a dataset as JSON texts, as they are on the server at this moment. */
const fresh = async (dataset) => new Map(members(await (await api.response("GET", path(dataset))).text()));

/** Sends only what was changed, so that what others change at the same time stays, and numbers keep their digits. */
async function update(dataset, before, state) {
  const edited = changes(state.metadata, before.get("metadata"));
  /** @type {[string, string][]} */
  const plain = ["name", "description"].filter((name) => state[name] !== dataset[name]).map((name) => [name, JSON.stringify(name === "name" ? state.name.trim() : state[name])]);
  const send = (method, at, list) => api.response(method, at, { body: list, headers: JSON_BODY });
  if (plain.length || edited.gone.length) {
    const now = await fresh(dataset);
    /** @type {[string, string][]} */
    const kept = ["name", "description"].map((name) => [name, now.get(name)]);
    await send("PUT", path(dataset), objectOf([...new Map([...kept, ...plain]), ["metadata", changed(now.get("metadata"), edited)]]));
  } else if (edited.set.length) {
    await send("PATCH", `${path(dataset)}metadata/`, objectOf(edited.set));
  }
  if (state.policy !== dataset.on_conflict) await send("PATCH", path(dataset), objectOf([["on_conflict", JSON.stringify(state.policy)]]));
  return dataset;
}

/** Edits a dataset, or makes one where there is no `dataset`, with the rows of `file`. Emits `changed` with it, and `close`. */
export const DetailsDialog = {
  props: { dataset: Object, file: Object },
  emits: ["close", "changed"],
  setup(props, { emit }) {
    const known = props.dataset;
    const state = reactive({ name: known?.name ?? "", description: known?.description ?? "", metadata: known ? null : [], policy: known?.on_conflict ?? "append", busy: false, problem: null, made: null });
    const rows = known ? null : useRowsFile(() => state.made?.id);
    let before = null, proposed = "";
    /** A file gives its name to a dataset that has none yet. */
    if (rows) watch(() => rows.state.file, (file) => { if (file && !state.made && (!state.name.trim() || state.name === proposed)) state.name = proposed = nameOf(file).slice(0, 255); });
    if (props.file && rows) rows.choose(props.file);
    const load = async () => {
      try {
        before = await fresh(known);
        state.metadata = pairs(before.get("metadata"));
      } catch (error) {
        state.problem = error;
      }
    };
    if (known) load();
    const create = () => api.response("POST", "/api/datasets/", { headers: JSON_BODY, body: objectOf([
      ["name", JSON.stringify(state.name.trim())], ["description", JSON.stringify(state.description)],
      ["metadata", objectOf(changes(state.metadata, "{}").set)], ["on_conflict", JSON.stringify(state.policy)]]) }).then((response) => response.json());
    const save = async (event) => {
      event?.preventDefault();
      state.busy = true;
      try {
        // Where the rows could not be stored, the dataset is there already when that is tried again.
        const saved = known ? await update(known, before, state) : state.made ?? await create();
        if (!known) state.made = saved;
        if (known || !rows.state.file || await rows.send(saved.id)) {
          emit("changed", saved);
          emit("close");
        }
      } catch (error) {
        state.problem = error;
      }
      state.busy = false;
    };
    const close = () => { if (state.made) emit("changed", state.made); emit("close"); };
    const label = () => (known ? "Save" : !rows.state.file ? "Create" : state.made ? "Store the rows" : rows.state.found && !rows.state.part ? `Create and store ${many(rows.state.found.rows, "row")}` : "Create and store");
    return () => h(Dialog, { title: known ? "Edit details" : "New dataset", wide: Boolean(rows?.state.file), onClose: close }, {
      default: () => t.form({ class: "stack", id: "details", onSubmit: save },
        state.problem && notice("bad", state.problem),
        state.made && notice("warn", "The dataset was made; its rows are not stored yet."),
        field({ label: "Name" }, (p) => input(state, "name", { ...p, required: true, maxlength: 255, autofocus: true, disabled: Boolean(state.made) })),
        field({ label: "Description" }, (p) => textarea(state, "description", { ...p, maxlength: 10_000 })),
        field({ label: "If inserted rows are there already", hint: "With the same timestamp, and the same series. Replaced rows are kept in the history" }, (p) => select(state, "policy", POLICIES, { ...p, disabled: Boolean(state.made) })),
        state.metadata ? metadataEditor(state, "metadata") : !state.problem && loading(),
        rows && [h(DropAnywhere, { onFile: rows.choose }), rows.view("Drop a file with its first rows, or choose one (optional)")]),
      foot: () => [button({ onClick: close }, state.made ? "Later" : "Cancel"),
        rows?.state.file && !state.busy && !state.made && button({ onClick: rows.clear }, "Without the file"),
        button({ kind: "primary", type: "submit", form: "details", busy: state.busy, disabled: !state.name.trim() || !state.metadata || (Boolean(rows?.state.file) && !rows.ready()) }, label())],
    });
  },
};

export const ColumnsTab = {
  props: { dataset: Object, summary: Object },
  emits: ["changed"],
  setup(props, { emit }) {
    const state = reactive({ name: "", dtype: "float", unit: "", busy: false, noted: null });
    const note = (said) => api.patch("/api/columns/", { dataset: props.dataset.id, name: state.noted.name, ...said });
    const declare = async (event) => {
      event.preventDefault();
      state.busy = true;
      const made = await attempt(() => api.post("/api/columns/", { dataset: props.dataset.id, name: state.name, dtype: state.dtype, ...(state.unit.trim() && { unit: state.unit }) }), "The column was declared");
      state.busy = false;
      if (made) { Object.assign(state, { name: "", unit: "" }); emit("changed"); }
    };
    return () => t.section({ class: "stack", "aria-label": "Columns" },
      t.p({ class: "muted" }, "Columns appear with the rows that bring them. Declaring one fixes its type."),
      props.dataset.columns.length === 0 ? empty("columns", "No columns yet", "They come with the first rows, or declare one below.")
        : t.div({ class: "card flush" }, h(ScrollBox, { label: "Columns" }, () => t.table({ class: "table" },
          t.thead(t.tr(["Name", "Type", "Unit", "Description", "Origin"].map((name) => t.th({ scope: "col" }, name)), props.summary.is_owner && t.th({ scope: "col" }, t.span({ class: "visually-hidden" }, "Describe")))),
          t.tbody(props.dataset.columns.map((column) => t.tr({ key: column.id }, t.td({ class: "word" }, t.b(column.name)), t.td({ class: "nowrap" }, t.code(column.dtype)),
            t.td({ class: "nowrap" }, column.unit || t.span({ class: "muted" }, "–")), t.td({ class: "said" }, column.description || t.span({ class: "muted" }, "–")),
            t.td(column.inferred ? badge("came with data") : badge("declared", "accent")),
            props.summary.is_owner && t.td({ class: "number" }, button({ size: "small", kind: "plain", icon: "edit", label: `Describe ${column.name}`, onClick: () => { state.noted = column; } })))))))),
      props.summary.is_owner && t.form({ class: "row filters", onSubmit: declare },
        field({ label: "Column name", id: "column-name" }, (p) => input(state, "name", { ...p, required: true })),
        field({ label: "Type", id: "column-type" }, (p) => select(state, "dtype", [["float", "float"], ["int", "int"]], p)),
        field({ label: "Unit (optional)", id: "column-unit" }, (p) => input(state, "unit", { ...p, maxlength: 40, autocomplete: "off" })),
        button({ type: "submit", icon: "plus", busy: state.busy }, "Declare")),
      state.noted && h(ColumnNoteDialog, { column: state.noted, save: note, onClose: () => { state.noted = null; }, onChanged: () => emit("changed") }));
  },
};
