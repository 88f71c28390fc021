// Heads of columns that sort a list, here or on the server.
import { reactive, t } from "../dom.js";
import { icon } from "../icons.js";

/** What a list is sorted by, of a text such as "name" or "-rows"; `text` gives it back. */
export const sorting = (given = "", standard = "") => reactive({
  standard,
  by: (given || standard).replace(/^-/, ""),
  down: (given || standard).startsWith("-"),
  get text() { return this.by ? `${this.down ? "-" : ""}${this.by}` : ""; },
  /** What belongs in the page's address: nothing for the usual order. */
  get address() { return this.text === this.standard ? "" : this.text; },
});

/** Sorts by a column, or turns the order round. `down`: the greatest first at the first press, as for numbers. */
export function press(sort, by, down) {
  Object.assign(sort, sort.by === by ? { down: !sort.down } : { by, down });
}

/** The head of a column. Without `by` it does not sort. */
export function sortHead(sort, { text, by, kind = "", down = kind.includes("number") }) {
  const label = text || t.span({ class: "visually-hidden" }, "Actions");
  if (!by || !sort) return t.th({ scope: "col", class: kind }, label);
  const on = sort.by === by;
  return t.th({ scope: "col", class: [kind, "sorts"], "aria-sort": on ? (sort.down ? "descending" : "ascending") : undefined },
    t.button({ type: "button", class: { on }, onClick: () => press(sort, by, down) }, text, icon(on && !sort.down ? "up" : "down")));
}

const compare = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" }).compare;

/** A list that is here completely, sorted. `fields`: name to a function of one; nothing comes last. */
export function sorted(list, sort, fields) {
  const value = fields[sort.by];
  if (!value) return list;
  const absent = (one) => one === null || one === undefined || one === "";
  const order = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : compare(String(a), String(b)));
  return [...list].sort((one, other) => {
    const [a, b] = [value(one), value(other)];
    if (absent(a) || absent(b)) return Number(absent(a)) - Number(absent(b));
    return sort.down ? order(b, a) : order(a, b);
  });
}
