// A place to drop a file on, or to choose one.
import { ref, t, uid } from "../dom.js";
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
      onDrop: (event) => { event.preventDefault(); over.value = false; take(event.dataTransfer.files); },
    },
    icon(props.file ? "file" : "upload"),
    t.b(props.file ? props.file.name : props.label),
    t.span({ class: "small-text" }, props.file ? `${bytes(props.file.size)} · choose another` : props.hint),
    t.input({ id, type: "file", class: "visually-hidden", accept: props.accept, onChange: (event) => { take(event.target.files); event.target.value = ""; } }));
  },
};
