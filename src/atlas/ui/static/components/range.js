// A range of time, typed.
import { h, reactive, t } from "../dom.js";
import { instant, moment } from "../format.js";
import { zone } from "../zone.js";
import { Dialog } from "./overlays.js";
import { button, field, input } from "./ui.js";

const WRONG = "Write it like 2026-01-31 or 2026-01-31 10:00";

/**
 * The ISO range of two texts, either of which may be empty, or `{problems}` by field. A day alone as the end includes
 * all of that day.
 */
export function readRange(startText, endText) {
  const start = startText.trim() ? instant(startText) : "";
  const end = endText.trim() ? instant(endText, { end: true }) : "";
  const problems = {};
  if (start === null) problems.start = WRONG;
  if (end === null) problems.end = WRONG;
  if (start && end && Date.parse(end) < Date.parse(start)) problems.end = "This is before the start";
  return Object.keys(problems).length ? { problems } : { start, end };
}

/** Asks for a range; emits `chosen` with {start, end} in ISO, and `close`. */
export const RangeDialog = {
  props: { start: String, end: String },
  emits: ["chosen", "close"],
  setup(props, { emit }) {
    const state = reactive({ start: moment(props.start, 19), end: moment(props.end, 19), problems: {} });
    const done = (event) => {
      event.preventDefault();
      const found = readRange(state.start, state.end);
      state.problems = found.problems ?? {};
      for (const name of ["start", "end"]) if (!state[name].trim()) state.problems[name] = WRONG;
      if (Object.keys(state.problems).length) return;
      emit("chosen", found);
      emit("close");
    };
    return () => h(Dialog, { title: "Choose a range", onClose: () => emit("close") }, {
      default: () => t.form({ class: "stack", id: "range-form", onSubmit: done },
        field({ label: `From (${zone.label})`, id: "range-from", problem: state.problems.start }, (p) => input(state, "start", { ...p, autofocus: true, autocomplete: "off" })),
        field({ label: `To (${zone.label})`, id: "range-to", problem: state.problems.end }, (p) => input(state, "end", { ...p, autocomplete: "off" }))),
      foot: () => [button({ onClick: () => emit("close") }, "Cancel"), button({ kind: "primary", type: "submit", form: "range-form" }, "Show")],
    });
  },
};
