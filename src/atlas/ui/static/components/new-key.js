// Making a key, and showing it the one time that it can be seen.
import { h, reactive, t } from "../dom.js";
import { Dialog } from "./overlays.js";
import { snippet } from "./snippets.js";
import { button, field, input, notice, select } from "./ui.js";

const EXPIRIES = [["", "Never"], ["30", "In 30 days"], ["90", "In 90 days"], ["365", "In a year"], ["date", "On a date"]];

/** ISO 8601 of a choice, or null for never. */
function expiry({ expires, date }) {
  if (!expires) return null;
  if (expires === "date") return `${date}T23:59:59Z`;
  return new Date(Date.now() + Number(expires) * 86_400_000).toISOString().replace(/\.\d+Z$/, "Z");
}

/** Shows a key once. */
export const KeyShown = {
  props: { made: Object, text: String },
  emits: ["close"],
  setup: (props, { emit }) => () => h(Dialog, { title: "Copy your new key", onClose: () => emit("close") }, {
    default: () => [notice("warn", "This is the only time that it is shown. Keep it where you keep passwords."), props.text && t.p(props.text), snippet(props.made.key, "Copy the key")],
    foot: () => button({ kind: "primary", onClick: () => emit("close") }, "I have kept it"),
  }),
};

/** `create({name, expires_at})` makes the key. `users`: names to choose from, where it is for somebody else. Emits `made`. */
export const NewKeyDialog = {
  props: { create: Function, users: Array, user: String },
  emits: ["close", "made"],
  setup(props, { emit }) {
    const state = reactive({ user: props.user ?? props.users?.[0] ?? "", name: "", expires: "", date: "", busy: false, problem: null });
    const submit = async (event) => {
      event.preventDefault();
      Object.assign(state, { busy: true, problem: null });
      try {
        const body = { name: state.name.trim(), expires_at: expiry(state), ...(props.users ? { user: state.user } : {}) };
        emit("made", await props.create(body));
      } catch (error) { state.problem = error; }
      state.busy = false;
    };
    const tomorrow = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
    return () => h(Dialog, { title: "New key", onClose: () => emit("close") }, {
      default: () => t.form({ class: "stack", id: "key-form", onSubmit: submit },
        props.users && field({ label: "User", id: "key-user" }, (p) => select(state, "user", props.users, p)),
        field({ label: "Name", id: "key-name", hint: "What it is for, so that you know it again" }, (p) => input(state, "name", { ...p, maxlength: 200, autofocus: true, placeholder: "laptop", autocomplete: "off" })),
        field({ label: "Expires", id: "key-expires" }, (p) => select(state, "expires", EXPIRIES, p)),
        state.expires === "date" && field({ label: "Last day (UTC)", id: "key-date" }, (p) => input(state, "date", { ...p, type: "date", min: tomorrow, required: true })),
        state.problem && notice("bad", state.problem)),
      foot: () => [button({ onClick: () => emit("close") }, "Cancel"), button({ kind: "primary", type: "submit", form: "key-form", busy: state.busy }, "Create key")],
    });
  },
};
