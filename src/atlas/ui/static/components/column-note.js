// What people say of a column: the unit of its values, and what they mean.
import { h, reactive, t } from "../dom.js";
import { Dialog } from "./overlays.js";
import { button, field, input, notice, textarea } from "./ui.js";

/** A column's name with its unit, as axes and headers show it. */
export const titled = (name, unit) => (unit ? `${name} (${unit})` : name);

/** A text with a unit behind it. */
export const measured = (text, unit) => (unit && text !== "" ? `${text} ${unit}` : text);

/** Asks for unit and description of `column`, {name, unit, description}. `save({unit, description})` stores them. Emits `close` and `changed`. */
export const ColumnNoteDialog = {
  props: { column: Object, save: Function },
  emits: ["close", "changed"],
  setup(props, { emit }) {
    const state = reactive({ unit: props.column.unit, description: props.column.description, busy: false, problem: null });
    const done = async (event) => {
      event.preventDefault();
      state.busy = true;
      try {
        await props.save({ unit: state.unit, description: state.description });
        emit("changed");
        emit("close");
      } catch (error) {
        state.problem = error;
      }
      state.busy = false;
    };
    return () => h(Dialog, { title: `Describe ${props.column.name}`, onClose: () => emit("close") }, {
      default: () => t.form({ class: "stack", id: "column-note", onSubmit: done },
        state.problem && notice("bad", state.problem),
        field({ label: "Unit", id: "note-unit", hint: "Shown on axes, in tooltips and answers, such as °C, EUR or kWh" }, (p) =>
          input(state, "unit", { ...p, maxlength: 40, autofocus: true, autocomplete: "off" })),
        field({ label: "What its values mean", id: "note-description" }, (p) => textarea(state, "description", { ...p, maxlength: 1000, rows: 3 }))),
      foot: () => [button({ onClick: () => emit("close") }, "Cancel"), button({ kind: "primary", type: "submit", form: "column-note", busy: state.busy }, "Save")],
    });
  },
};
