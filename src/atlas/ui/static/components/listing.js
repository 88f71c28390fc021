// Tables of things, and what is loaded for them.
import { h, latest, reactive, shallowReactive, t } from "../dom.js";
import { ScrollBox } from "./scroll-box.js";
import { sortHead } from "./sorting.js";
import { button } from "./ui.js";

/** Loads by `fetch()`: `data` null until it came, `problem` where it did not; `load()` does it again. */
export function loader(fetch) {
  const state = shallowReactive({ data: null, problem: null, load: null });
  state.load = latest(fetch, (data) => Object.assign(state, { data, problem: null }), (error) => { state.problem = error; });
  state.load();
  return state;
}

/**
 * A table in a card. `heads`: texts, [text, class] pairs, or [text, class, field] where the list sorts by it; "" is the column of
 * actions. `sort`: what `sorting` gives.
 */
export const listing = (label, heads, rows, foot = null, sort = null) => t.div({ class: "card flush" },
  h(ScrollBox, { label }, () => t.table({ class: "table listing", "aria-label": label },
    t.thead(t.tr(heads.map((head) => {
      const [text, kind, by] = Array.isArray(head) ? head : [head, ""];
      return sortHead(sort, { text, kind, by });
    }))),
    t.tbody(rows))), foot);

/** Buttons to newer and older pages of a list whose length is not known. */
export function turner({ offset, limit, shown }, turn) {
  if (offset === 0 && shown < limit) return null;
  return t.nav({ class: "row between", "aria-label": "Pages" },
    t.span({ class: "muted small-text" }, shown ? `${offset + 1}–${offset + shown}` : "No more"),
    t.div({ class: "row" },
      button({ size: "small", icon: "left", disabled: offset === 0, onClick: () => turn(Math.max(0, offset - limit)) }, "Newer"),
      button({ size: "small", disabled: shown < limit, onClick: () => turn(offset + limit) }, "Older")));
}

/** Text and offset of a list that is here completely: `found(list, text)` and `page(list)` of what is found. */
export const browsing = (limit = 50) => reactive({
  text: "", offset: 0, limit,
  found(list, words) {
    const wanted = this.text.trim().toLowerCase();
    return wanted ? list.filter((one) => words(one).toLowerCase().includes(wanted)) : list;
  },
  page(list) {
    const offset = this.offset < list.length ? this.offset : 0;
    return list.slice(offset, offset + this.limit);
  },
});
