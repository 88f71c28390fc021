// One of many, chosen by typing a part of it: a combobox with a list, as ARIA's authoring practices have it.
import { computed, nextTick, reactive, ref, t, uid, watch } from "../dom.js";
import { icon } from "../icons.js";

const MOST_SHOWN = 60;

/** `choices`: [value, text] pairs, of which `value` is chosen. Emits `change` with another value. */
export const Combo = {
  props: { value: String, choices: Array, label: String },
  emits: ["change"],
  setup(props, { emit }) {
    const id = uid("combo");
    const list = ref(null);
    const state = reactive({ open: false, text: "", at: 0 });
    const shown = () => props.choices.find(([value]) => value === props.value)?.[1] ?? props.value;
    const found = computed(() => {
      const words = state.text.trim().toLowerCase().split(/\s+/);
      return props.choices.filter(([, text]) => words.every((word) => text.toLowerCase().includes(word)));
    });
    const open = () => {
      if (!state.open) Object.assign(state, { open: true, text: "", at: Math.max(0, props.choices.findIndex(([value]) => value === props.value)) });
    };
    const close = () => { state.open = false; };
    const choose = (choice) => { close(); if (choice && choice[0] !== props.value) emit("change", choice[0]); };
    watch(() => [state.at, state.open], () => nextTick(() => list.value?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" })));
    const keys = (event) => {
      const last = Math.min(found.value.length, MOST_SHOWN) - 1;
      const to = { ArrowDown: Math.min(last, state.at + 1), ArrowUp: Math.max(0, state.at - 1), PageDown: Math.min(last, state.at + 8), PageUp: Math.max(0, state.at - 8) }[event.key];
      if (to !== undefined) { event.preventDefault(); if (state.open) state.at = to; else open(); }
      else if (event.key === "Enter") { event.preventDefault(); if (state.open) choose(found.value[state.at]); else open(); }
      else if (event.key === "Escape" && state.open) { event.preventDefault(); event.stopPropagation(); close(); }
    };
    return () => t.div({ class: "combo" },
      t.input({
        class: "input compact", role: "combobox", "aria-label": props.label, "aria-expanded": String(state.open), "aria-controls": `${id}-list`, "aria-autocomplete": "list",
        "aria-activedescendant": state.open && found.value.length ? `${id}-${state.at}` : undefined, autocomplete: "off", spellcheck: false,
        value: state.open ? state.text : shown(), placeholder: state.open ? "Type to search" : "", title: shown(),
        onClick: open, onBlur: close, onKeydown: keys, onInput: (event) => { open(); state.text = event.target.value; state.at = 0; },
      }), icon("down"),
      t.ul({ class: "combo-list", role: "listbox", id: `${id}-list`, "aria-label": "Choices", ref: list, hidden: !state.open },
        state.open && [
          found.value.slice(0, MOST_SHOWN).map((choice, n) => t.li({
            role: "option", id: `${id}-${n}`, key: choice[0], "aria-selected": String(n === state.at), title: choice[1],
            // Before the input loses the focus, which would close the list.
            onMousedown: (event) => { event.preventDefault(); choose(choice); },
          }, choice[1])),
          found.value.length === 0 && t.li({ class: "muted", role: "option", "aria-disabled": "true", "aria-selected": "false" }, "Nothing found"),
          found.value.length > MOST_SHOWN && t.li({ class: "muted", role: "option", "aria-disabled": "true", "aria-selected": "false" }, `${found.value.length - MOST_SHOWN} more; type to find them`),
        ]));
  },
};
