// Small pieces, each a function that gives an element.
import { classes, h, nextTick, onMounted, ref, t, uid, watch } from "../dom.js";
import { icon } from "../icons.js";
import { sideways } from "./scroll-box.js";

const still = (event) => { event.preventDefault(); event.stopPropagation(); };

/**
 * `kind`: primary, danger, plain; `size`: small; `icon` before the text; `busy` shows a spinner, and pressing it does nothing.
 * A busy button keeps the focus, which a disabled one would lose.
 * @param {{kind?: string, size?: string, icon?: string, busy?: any, disabled?: any, label?: string, href?: string, [name: string]: any}} props
 * @param {...any} children
 */
export function button({ kind = "", size = "", icon: name, busy = false, disabled = false, label, href, ...rest }, ...children) {
  const iconOnly = name && !children.flat().filter(Boolean).length;
  const props = {
    class: classes(`button ${kind} ${size}`, { icon: iconOnly }), title: label, "aria-label": label,
    ...(href ? { href } : { type: "button", disabled }), ...rest, ...(busy ? { "aria-disabled": "true", onClick: still } : {}),
  };
  return t[href ? "a" : "button"](props, busy ? spinner() : name && icon(name), children);
}

export const spinner = () => t.span({ class: "spinner", role: "status", "aria-label": "Loading" });
export const loading = (text = "Loading") => t.div({ class: "loading" }, spinner(), text);
/** `kind`: good, warn, bad, accent. */
export const badge = (text, kind = "") => t.span({ class: `badge ${kind}` }, text);

/** A message in the page. `error` may be an ApiError, an Error or a text. */
export function notice(kind, error, ...more) {
  const text = error?.text ?? error?.message ?? error;
  const name = { bad: "alert", warn: "alert", good: "check" }[kind] || "info";
  return t.div({ class: `notice ${kind}`, role: kind === "bad" ? "alert" : undefined }, icon(name), t.div({ class: "grow" }, text, more));
}

/** What stands where there is nothing yet; `actions` lead on. */
export const empty = (name, title, text, ...actions) =>
  t.div({ class: "empty" }, icon(name), t.h2(title), t.p(text), t.div({ class: "row" }, actions));

/**
 * `crumbs`: [text, address] pairs that lead back.
 * @param {{title: any, text?: any, crumbs?: any[], actions?: any, beside?: any}} parts
 */
export function pageHeader({ title, text, crumbs = [], actions = [], beside = null }) {
  return t.header({ class: "page-header" },
    t.div(
      crumbs.length > 0 && t.nav({ class: "crumbs", "aria-label": "Breadcrumb" },
        crumbs.map(([name, address], n) => [n > 0 && "/", t.a({ href: address }, name)])),
      t.div({ class: "row" }, t.h1({ tabindex: -1 }, title), beside),
      text && t.p(text)),
    actions.length > 0 && t.div({ class: "row" }, actions));
}

/**
 * A labelled control. `control(props)` gets what ties it to its label, hint and problem.
 * @param {{label: string, hint?: any, problem?: any, id?: string}} names
 * @param {(props: any) => any} control
 */
export function field({ label, hint, problem, id = `f-${label.toLowerCase().replace(/\W+/g, "-")}` }, control) {
  const described = [hint && `${id}-hint`, problem && `${id}-problem`].filter(Boolean).join(" ") || undefined;
  return t.div({ class: "field" },
    t.label({ for: id }, label),
    control({ id, "aria-describedby": described, "aria-invalid": problem ? "true" : undefined }),
    hint && t.span({ class: "hint", id: `${id}-hint` }, hint),
    problem && t.span({ class: "problem", id: `${id}-problem`, role: "alert" }, problem));
}

/** A text input bound to `state[name]`. */
export const input = (state, name, props = {}) =>
  t.input({ class: "input", value: state[name], onInput: (event) => { state[name] = event.target.value; }, ...props });
export const textarea = (state, name, props = {}) =>
  h("textarea", { class: "input", value: state[name], onInput: (event) => { state[name] = event.target.value; }, ...props });
export const select = (state, name, choices, props = {}) =>
  t.select({ class: "input", value: state[name], onChange: (event) => { state[name] = event.target.value; }, ...props },
    choices.map((choice) => {
      const [value, text] = Array.isArray(choice) ? choice : [choice, choice];
      return t.option({ value, selected: state[name] === value }, text);
    }));
export const check = (state, name, text, props = {}) =>
  t.label({ class: "check" },
    t.input({ type: "checkbox", checked: state[name], onChange: (event) => { state[name] = event.target.checked; }, ...props }), text);

export const search = (state, name, label, props = {}) =>
  t.div({ class: "search" }, icon("search"), input(state, name, { type: "search", placeholder: label, "aria-label": label, ...props }));

/** Buttons of which one is chosen. `choices`: [value, text] pairs. */
export const segmented = (label, value, choices, choose) =>
  t.div({ class: "segmented", role: "group", "aria-label": label },
    choices.map(([one, text]) => t.button({ type: "button", "aria-pressed": String(one === value), onClick: () => choose(one) }, text)));

/** Tabs. `choices`: [value, text, badge] each. */
export const tabs = (label, value, choices, choose) => h(Tabs, { label, value, choices, choose });

const Tabs = {
  props: { label: String, value: String, choices: Array, choose: Function },
  setup(props) {
    const list = ref(null);
    const edges = sideways(list);
    const move = (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const n = props.choices.findIndex(([one]) => one === props.value) + step + props.choices.length;
      props.choose(props.choices[n % props.choices.length][0]);
      event.currentTarget.querySelectorAll("button")[n % props.choices.length].focus();
    };
    // On a phone the chosen one may be out of sight.
    const show = () => {
      const chosen = list.value?.querySelector("[aria-selected=true]");
      if (chosen) list.value.scrollLeft = Math.min(chosen.offsetLeft - 24, Math.max(list.value.scrollLeft, chosen.offsetLeft + chosen.offsetWidth + 24 - list.value.clientWidth));
    };
    onMounted(show);
    watch(() => props.value, () => nextTick(show));
    return () => t.div({ class: ["scroll-box", edges.classes] },
      t.div({ class: "tabs", role: "tablist", "aria-label": props.label, ref: list, onKeydown: move, onScrollPassive: edges.look },
        props.choices.map(([one, text, extra]) => t.button({
          type: "button", role: "tab", "aria-selected": String(one === props.value), tabindex: one === props.value ? 0 : -1, onClick: () => props.choose(one),
        }, text, extra !== undefined && [" ", badge(extra)]))));
  },
};

/** Buttons to the pages beside this one; nothing where one page holds all. */
export function pager({ offset, limit, total }, turn) {
  if (total <= limit && offset === 0) return null;
  return t.nav({ class: "row between", "aria-label": "Pages" },
    t.span({ class: "muted small-text" }, `${(offset + 1).toLocaleString()}–${Math.min(offset + limit, total).toLocaleString()} of ${total.toLocaleString()}`),
    t.div({ class: "row" },
      button({ size: "small", icon: "left", disabled: offset === 0, onClick: () => turn(Math.max(0, offset - limit)) }, "Back"),
      button({ size: "small", disabled: offset + limit >= total, onClick: () => turn(offset + limit) }, "Next")));
}

export const progress = (label, value, max) =>
  t.div({ class: "stack tight" }, t.span({ class: "small-text muted" }, label), t.progress({ value: max ? value : undefined, max: max || undefined, "aria-label": label }));

export { uid };
