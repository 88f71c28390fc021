// Dialogs, questions and messages over the page.
import { h, nextTick, onBeforeUnmount, onMounted, reactive, ref, t } from "../dom.js";
import { icon } from "../icons.js";
import { keepFocus } from "./focus.js";
import { button, field, input } from "./ui.js";

/** A modal dialog, open while it exists. Slots: default, foot. Emits `close`, also for Escape. The focus goes back to where it was. */
export const Dialog = {
  // bare: without a head and space around, for what brings its own.
  props: { title: String, wide: Boolean, bare: Boolean },
  emits: ["close"],
  setup(props, { slots, emit }) {
    const element = ref(null);
    const focus = keepFocus(() => element.value);
    onMounted(() => { focus.opened(); element.value.showModal(); });
    onBeforeUnmount(focus.closed);
    return () => t.dialog({
      ref: element, class: ["dialog", { wide: props.wide, bare: props.bare }], "aria-label": props.title,
      onCancel: (event) => { event.preventDefault(); emit("close"); },
      // Beside the dialog; the browser would move the focus to what lies there.
      onMousedown: (event) => { if (event.target === element.value) { event.preventDefault(); emit("close"); } },
    },
    props.bare ? slots.default?.() : [
      t.div({ class: "dialog-head" }, t.h2(props.title), button({ kind: "plain", icon: "close", label: "Close", onClick: () => emit("close") })),
      t.div({ class: "dialog-body" }, slots.default?.())],
    slots.foot && t.div({ class: "dialog-foot" }, slots.foot()));
  },
};

const open = reactive({ question: null, toasts: [] });
let number = 0;

/** A short message; bad ones stay longer. */
export function toast(kind, error) {
  const one = { id: (number += 1), kind, text: error?.text ?? error?.message ?? error };
  open.toasts.push(one);
  setTimeout(() => dismiss(one.id), kind === "bad" ? 12_000 : 4500);
}
const dismiss = (id) => { open.toasts = open.toasts.filter((one) => one.id !== id); };

/** Runs `work` and shows what goes wrong; gives its result, or undefined. */
export async function attempt(work, done) {
  try {
    const result = await work();
    if (done) toast("good", done);
    return result;
  } catch (error) {
    if (error.name !== "AbortError") toast("bad", error);
    return undefined;
  }
}

/** Asks; gives true or false. `typed`: a text that must be typed first, for what cannot be taken back. */
export function ask({ title, text, confirm = "Continue", danger = false, typed = "" }) {
  return new Promise((resolve) => { open.question = { title, text, confirm, danger, typed, given: "", resolve }; });
}

const Question = {
  setup() {
    const answer = (value) => { const { resolve } = open.question; open.question = null; resolve(value); };
    return () => {
      const q = open.question;
      const ready = !q.typed || q.given === q.typed;
      return h(Dialog, { title: q.title, onClose: () => answer(false) }, {
        default: () => [
          t.p(q.text),
          q.typed && field({ label: `Type ${q.typed} to confirm`, id: "confirm-text" }, (props) =>
            input(q, "given", { ...props, autocomplete: "off", onKeydown: (event) => event.key === "Enter" && ready && answer(true) })),
        ],
        foot: () => [
          button({ onClick: () => answer(false) }, "Cancel"),
          button({ kind: q.danger ? "danger solid" : "primary", disabled: !ready, autofocus: !q.typed, onClick: () => answer(true) }, q.confirm),
        ],
      });
    };
  },
};

/** Where questions and messages appear; once, at the end of the page. */
export const Overlays = {
  setup: () => () => [
    open.question && h(Question, { key: open.question.title }),
    t.div({ class: "toasts", role: "status", "aria-live": "polite" }, open.toasts.map((one) =>
      t.div({ class: `toast ${one.kind}`, key: one.id }, icon(one.kind === "good" ? "check" : "alert"), t.div(one.text),
        button({ kind: "plain", size: "small", icon: "close", label: "Dismiss", onClick: () => dismiss(one.id) })))),
  ],
};

/** A button that opens a list. `items`: {icon, text, label, run, href, download, danger}, or {heading}. */
export const Menu = {
  props: { label: String, icon: String, items: Array, kind: String, iconOnly: Boolean },
  setup(props) {
    const shown = ref(false);
    const root = ref(null);
    const away = (event) => { if (!root.value?.contains(event.target)) close(); };
    const close = () => { shown.value = false; document.removeEventListener("click", away, true); };
    // The chosen line is gone before what it does begins; a dialog that it opens comes back to the button.
    const choose = (item) => { root.value.querySelector("button").focus(); close(); item.run?.(); };
    const toggle = async () => {
      if (shown.value) return close();
      shown.value = true;
      document.addEventListener("click", away, true);
      await nextTick();
      // A list opens towards the left, unless it would leave the page there.
      const list = root.value.querySelector(".menu-list");
      list.classList.toggle("from-left", list.getBoundingClientRect().left < 4);
      const { top, bottom, height } = list.getBoundingClientRect();
      list.classList.toggle("above", bottom > innerHeight && top > height + 100);
      root.value.querySelector("[role=menuitem]")?.focus();
    };
    const keys = (event) => {
      if (event.key === "Escape" && shown.value) { close(); root.value.querySelector("button").focus(); event.stopPropagation(); }
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (step && shown.value) {
        const all = [...root.value.querySelectorAll("[role=menuitem]")];
        all[(all.indexOf(document.activeElement) + step + all.length) % all.length].focus();
        event.preventDefault();
      }
    };
    return () => t.div({ class: "menu", ref: root, onKeydown: keys },
      button({ kind: props.kind, icon: props.icon, label: props.label, "aria-haspopup": "menu", "aria-expanded": String(shown.value), onClick: toggle },
        props.iconOnly ? null : props.label),
      shown.value && t.div({ class: "menu-list", role: "menu" }, props.items.map((item) => item.heading ? t.div({ class: "menu-heading", role: "presentation" }, item.heading)
        : t[item.href ? "a" : "button"]({
          role: "menuitem", type: item.href ? undefined : "button", href: item.href, download: item.download,
          "aria-label": item.label, class: item.danger ? "danger" : "", onClick: () => choose(item),
        }, item.icon && icon(item.icon), item.text))));
  },
};
