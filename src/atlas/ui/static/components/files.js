// A place to drop a file on, or to choose one.
import { onBeforeUnmount, onMounted, ref, t, uid } from "../dom.js";
import { bytes } from "../format.js";
import { icon } from "../icons.js";

/** Emits `file` with a File. `accept` as for an input; `file` is the one chosen already. */
export const FileDrop = {
  props: { accept: String, hint: String, file: Object, label: { type: String, default: "Drop a file here, or choose one" } },
  emits: ["file"],
  setup(props, { emit }) {
    const over = ref(false);
    const id = uid("file");
    const take = (files) => files?.[0] && emit("file", files[0]);
    return () => t.label({
      class: ["drop", { over: over.value, filled: Boolean(props.file) }], for: id,
      onDragover: (event) => { event.preventDefault(); over.value = true; },
      onDragleave: () => { over.value = false; },
      onDrop: (event) => { event.preventDefault(); event.stopPropagation(); over.value = false; dispatchEvent(new Event("atlas-dropped")); take(event.dataTransfer.files); },
    },
    icon(props.file ? "file" : "upload"),
    t.b(props.file ? props.file.name : props.label),
    t.span({ class: "small-text" }, props.file ? `${bytes(props.file.size)} · choose another` : props.hint),
    t.input({ id, type: "file", class: "visually-hidden", accept: props.accept, onChange: (event) => { take(event.target.files); event.target.value = ""; } }));
  },
};

const withFiles = (event) => event.dataTransfer?.types.includes("Files");

/** Takes a file that is dropped anywhere on the page while it is there, and says so while one is held over it. Emits `file`. */
export const DropAnywhere = {
  props: { text: { type: String, default: "Drop the file to look into it" } },
  emits: ["file"],
  setup(props, { emit }) {
    const over = ref(false);
    let depth = 0;
    const end = () => { depth = 0; over.value = false; };
    const handlers = {
      dragenter: (event) => { if (withFiles(event)) { depth += 1; over.value = true; } },
      dragleave: (event) => { if (withFiles(event) && (depth -= 1) <= 0) end(); },
      dragover: (event) => { if (withFiles(event)) event.preventDefault(); },
      drop: (event) => { if (!withFiles(event)) return; event.preventDefault(); end(); if (event.dataTransfer.files[0]) emit("file", event.dataTransfer.files[0]); },
      "atlas-dropped": end,
    };
    onMounted(() => Object.entries(handlers).forEach(([name, handle]) => addEventListener(name, handle)));
    onBeforeUnmount(() => Object.entries(handlers).forEach(([name, handle]) => removeEventListener(name, handle)));
    return () => over.value && t.div({ class: "drop-veil", "aria-hidden": "true" }, t.div(icon("upload"), props.text));
  },
};
