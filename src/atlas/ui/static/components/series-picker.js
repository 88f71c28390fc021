// Which series of a dataset are drawn: those chosen, and a search among all others, of which the server has thousands.
import { api } from "../api.js";
import { debounce, onBeforeUnmount, onMounted, reactive, t, uid } from "../dom.js";
import { number } from "../format.js";
import { icon } from "../icons.js";
import { button } from "./ui.js";

// Lines of a chart at most, and those that it begins with.
export const MOST_LINES = 8;
const FIRST_LINES = 5;
const MOST_FOUND = 60;

/** The text of a series: the values of its keys. */
export const seriesName = (key) => Object.values(key).map((value) => (value === "" ? "(empty)" : String(value))).join(" · ");

/** A name or value of `where`, in quotes. */
const quoted = (value) => `"${String(value).replaceAll('"', '""')}"`;

/** The conditions that have at least the rows of these series: of several keys, all combinations of their values. */
export const seriesWhere = (chosen) => Object.keys(chosen[0]?.key ?? {})
  .map((name) => `${quoted(name)}:${[...new Set(chosen.map((one) => one.key[name]))].map(quoted).join(",")}`);

/**
 * `dataset`: its id; `chosen`: [{name, key}] of those that are drawn. Emits `change` with other ones; at first, with the first few of all.
 */
export const SeriesPicker = {
  props: { dataset: Number, chosen: Array },
  emits: ["change"],
  setup(props, { emit }) {
    const id = uid("series");
    const state = reactive({ open: false, text: "", at: 0, found: [], count: 0, total: null, problem: null });
    let request;
    const load = async (limit = MOST_FOUND) => {
      request?.abort();
      request = new AbortController();
      try {
        const page = await api.get("/api/rows/series/", { dataset: props.dataset, search: state.text.trim() || undefined, limit }, { signal: request.signal });
        Object.assign(state, { found: page.results.map(({ key }) => ({ name: seriesName(key), key })), count: page.count, problem: null, at: 0 });
        if (!state.text.trim()) state.total = page.count;
      } catch (error) {
        if (error.name !== "AbortError") state.problem = error;
      }
    };
    const later = debounce(load, 150);
    const isChosen = (one) => props.chosen.some(({ name }) => name === one.name);
    const toggle = (one) => {
      if (isChosen(one)) emit("change", props.chosen.filter(({ name }) => name !== one.name));
      else if (props.chosen.length < MOST_LINES) emit("change", [...props.chosen, one]);
    };
    const keys = (event) => {
      const to = { ArrowDown: Math.min(state.found.length - 1, state.at + 1), ArrowUp: Math.max(0, state.at - 1) }[event.key];
      if (to !== undefined) { event.preventDefault(); if (state.open) state.at = to; else state.open = true; }
      else if (event.key === "Enter" && state.open && state.found[state.at]) { event.preventDefault(); toggle(state.found[state.at]); }
      else if (event.key === "Escape" && state.open) { event.preventDefault(); event.stopPropagation(); state.open = false; }
    };
    onMounted(async () => { await load(); if (!props.chosen.length && state.found.length) emit("change", state.found.slice(0, FIRST_LINES)); });
    onBeforeUnmount(() => request?.abort());

    const rest = (text) => t.li({ class: "muted", role: "option", "aria-disabled": "true", "aria-selected": "false" }, text);
    const list = () => t.ul({ class: "combo-list", role: "listbox", id: `${id}-list`, "aria-label": "Series", "aria-multiselectable": "true", hidden: !state.open },
      state.open && [
        state.found.map((one, n) => t.li({
          role: "option", id: `${id}-${n}`, key: one.name, "aria-selected": String(isChosen(one)), class: { at: n === state.at },
          onMousedown: (event) => { event.preventDefault(); state.at = n; toggle(one); },
        }, one.name)),
        state.problem ? rest(String(state.problem.message ?? state.problem)) : !state.found.length && rest("Nothing found"),
        state.count > state.found.length && rest(`${number(state.count - state.found.length)} more; type to find them`),
      ]);
    const note = () => (state.total === null ? "" : props.chosen.length >= MOST_LINES && state.total > MOST_LINES
      ? `${MOST_LINES} of ${number(state.total)} series, which is as many as a chart shows` : `${props.chosen.length} of ${number(state.total)} series`);
    return () => t.div({ class: "row series-picker", role: "group", "aria-label": "Series" },
      props.chosen.map((one, n) => button({ size: "small", key: one.name, "aria-pressed": "true", title: `Remove ${one.name}`, onClick: () => toggle(one) },
        t.span({ class: `swatch series-${n + 1}` }), one.name)),
      t.div({ class: "combo" },
        t.input({
          class: "input compact", role: "combobox", "aria-label": "Find series", "aria-expanded": String(state.open), "aria-controls": `${id}-list`, "aria-autocomplete": "list",
          "aria-activedescendant": state.open && state.found.length ? `${id}-${state.at}` : undefined, autocomplete: "off", spellcheck: false, placeholder: "Add a series", value: state.text,
          onFocus: () => { state.open = true; }, onClick: () => { state.open = true; }, onBlur: () => { state.open = false; }, onKeydown: keys,
          onInput: (event) => { state.open = true; state.text = event.target.value; later(); },
        }), icon("down"), list()),
      t.span({ class: "muted small-text", "data-series-note": "" }, note()));
  },
};
