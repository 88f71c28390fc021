// Name, description and metadata of a dataset; its columns.
import { api } from "../api.js";
import { FileDrop } from "../components/files.js";
import { metadataEditor, object, pairs } from "../components/metadata.js";
import { attempt, Dialog } from "../components/overlays.js";
import { badge, button, empty, field, input, notice, select, textarea } from "../components/ui.js";
import { h, reactive, t } from "../dom.js";
import { ACCEPT, FILE_HINT, handover } from "./dataset-add.js";

/** Edits a dataset, or makes one where there is no `dataset`. Emits `changed` with it, and `close`. */
export const DetailsDialog = {
  props: { dataset: Object },
  emits: ["close", "changed"],
  setup(props, { emit }) {
    const known = props.dataset;
    const state = reactive({ name: known?.name ?? "", description: known?.description ?? "", metadata: pairs(known?.metadata ?? {}), busy: false, problem: null, file: null });
    const save = async (event) => {
      event?.preventDefault();
      state.busy = true;
      try {
        const body = { name: state.name.trim(), description: state.description, metadata: object(state.metadata) };
        const saved = known ? await api.put(`/api/datasets/${known.id}/`, body) : await api.post("/api/datasets/", body);
        if (state.file) Object.assign(handover, { dataset: saved.id, file: state.file });
        emit("changed", saved);
        emit("close");
      } catch (error) {
        state.problem = error;
      }
      state.busy = false;
    };
    return () => h(Dialog, { title: known ? "Edit details" : "New dataset", onClose: () => emit("close") }, {
      default: () => t.form({ class: "stack", id: "details", onSubmit: save },
        state.problem && notice("bad", state.problem),
        field({ label: "Name" }, (p) => input(state, "name", { ...p, required: true, maxlength: 255, autofocus: true })),
        field({ label: "Description" }, (p) => textarea(state, "description", { ...p, maxlength: 10_000 })),
        metadataEditor(state, "metadata"),
        !known && h(FileDrop, { file: state.file, accept: ACCEPT, hint: FILE_HINT, label: "Drop its first rows here, or choose a file (optional)",
          onFile: (file) => { state.file = file; } })),
      foot: () => [button({ onClick: () => emit("close") }, "Cancel"),
        button({ kind: "primary", type: "submit", form: "details", busy: state.busy, disabled: !state.name.trim() }, known ? "Save" : state.file ? "Create and store" : "Create")],
    });
  },
};

export const ColumnsTab = {
  props: { dataset: Object, summary: Object },
  emits: ["changed"],
  setup(props, { emit }) {
    const state = reactive({ name: "", dtype: "float", busy: false });
    const declare = async (event) => {
      event.preventDefault();
      state.busy = true;
      const made = await attempt(() => api.post("/api/columns/", { dataset: props.dataset.id, name: state.name, dtype: state.dtype }), "The column was declared");
      state.busy = false;
      if (made) { state.name = ""; emit("changed"); }
    };
    return () => t.section({ class: "stack", "aria-label": "Columns" },
      t.p({ class: "muted" }, "Columns appear with the rows that bring them. Declaring one fixes its type."),
      props.dataset.columns.length === 0 ? empty("columns", "No columns yet", "They come with the first rows, or declare one below.")
        : t.div({ class: "card flush" }, t.div({ class: "table-wrap" }, t.table({ class: "table" },
          t.thead(t.tr(["Name", "Type", "Origin"].map((name) => t.th({ scope: "col" }, name)))),
          t.tbody(props.dataset.columns.map((column) => t.tr({ key: column.id }, t.td(t.b(column.name)), t.td(t.code(column.dtype)),
            t.td(column.inferred ? badge("came with data") : badge("declared", "accent")))))))),
      props.summary.is_owner && t.form({ class: "row filters", onSubmit: declare },
        field({ label: "Column name", id: "column-name" }, (p) => input(state, "name", { ...p, required: true })),
        field({ label: "Type", id: "column-type" }, (p) => select(state, "dtype", [["float", "float"], ["int", "int"]], p)),
        button({ type: "submit", icon: "plus", busy: state.busy }, "Declare")));
  },
};
