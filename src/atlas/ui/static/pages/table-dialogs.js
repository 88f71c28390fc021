// Adding a row, and changing all rows that a condition holds for.
import { api } from "../api.js";
import { ConditionBuilder } from "../components/condition.js";
import { Dialog } from "../components/overlays.js";
import { badge, button, check, field, input, notice, select } from "../components/ui.js";
import { debounce, h, latest, reactive, t, watch } from "../dom.js";
import { count, many } from "../format.js";
import { TYPES } from "./table-about.js";
import { typed } from "./table-rows.js";

/** Problems by column of an answer such as "values: age: not a whole number ('x'); …", and what names no column. */
function problems(error, names) {
  const found = {}, other = [];
  for (const part of (error.message ?? "").replace(/^[^:]*: (values|updates)(\.|: )/, "").split("; ")) {
    const name = names.find((one) => part.startsWith(`${one}: `));
    if (name) found[name] = part.slice(name.length + 2);
    else other.push(part);
  }
  return { found, other: other.join("; ") };
}

const control = (state, name, type, props) => (type === "BOOLEAN"
  ? select(state, name, [["", "empty"], ["true", "true"], ["false", "false"]], props)
  : input(state, name, { ...props, placeholder: { DATE: "2026-01-31", "TIMESTAMP WITH TIME ZONE": "2026-01-31T10:00:00Z", JSON: '{"a": 1}' }[type], autocomplete: "off" }));

export const AddRowDialog = {
  props: { address: String, about: Object },
  emits: ["close", "changed"],
  setup(props, { emit }) {
    const names = Object.keys(props.about.columns);
    const values = reactive(Object.fromEntries(names.map((name) => [name, ""])));
    const state = reactive({ busy: false, problem: "", problems: {} });
    const save = async (event) => {
      event.preventDefault();
      const given = {};
      state.problems = {};
      state.problem = "";
      for (const [name, text] of Object.entries(values)) {
        try {
          const value = typed(props.about.columns[name], text);
          if (value !== null) given[name] = value;
        } catch (error) {
          state.problems[name] = error.message;
        }
      }
      if (Object.keys(state.problems).length) return;
      state.busy = true;
      try {
        const done = await api.post(`${props.address}/rows`, { values: given });
        emit("changed", { text: [`Row ${done.row} was added.`, ...done.notes.map((note) => `${note}.`)].join(" "), importId: done.import_id });
        emit("close");
      } catch (error) {
        const { found, other } = problems(error, names);
        Object.assign(state, { problems: found, problem: other });
      }
      state.busy = false;
    };
    return () => h(Dialog, { title: "Add a row", wide: true, onClose: () => emit("close") }, {
      default: () => t.form({ class: "stack", id: "add-row", onSubmit: save },
        state.problem && notice("bad", state.problem),
        t.div({ class: "form-grid" }, names.map((name, n) => field({ label: name, id: `add-${n}`, problem: state.problems[name], hint: `${TYPES[props.about.columns[name]] ?? props.about.columns[name]}${props.about.key_columns.includes(name) ? ", part of the key" : ""}` },
          (p) => control(values, name, props.about.columns[name], { ...p, autofocus: n === 0 }))))),
      foot: () => [button({ onClick: () => emit("close") }, "Cancel"), button({ kind: "primary", type: "submit", form: "add-row", busy: state.busy, disabled: names.every((name) => !values[name]) }, "Add")],
    });
  },
};

export const UpdateDialog = {
  props: { address: String, about: Object, filter: String },
  emits: ["close", "changed"],
  setup(props, { emit }) {
    const columns = Object.entries(props.about.columns).map(([name, type]) => ({ name, type }));
    const state = reactive({ condition: props.filter, busy: false, problem: "", conditionProblem: "", matched: null, everything: false });
    const changes = reactive([{ column: columns[0].name, value: "", empty: false }]);
    const matched = latest(
      async (signal) => (state.condition.trim() ? (await api.get(`${props.address}/rows`, { filter: state.condition, limit: 1 }, { signal })).total_count : null),
      (found) => Object.assign(state, { matched: found, conditionProblem: "" }),
      (error) => Object.assign(state, { matched: null, conditionProblem: error.message.replace(/^Invalid filter: filter: /, "") }));
    const countLater = debounce(matched, 300);
    // What was counted is not of the condition as it stands now.
    watch(() => state.condition, () => { state.matched = null; countLater(); });
    matched();
    const all = () => state.matched !== null && state.matched > 0 && state.matched === props.about.row_count;
    const save = async (event) => {
      event.preventDefault();
      Object.assign(state, { busy: true, problem: "" });
      try {
        const updates = Object.fromEntries(changes.map((one) => [one.column, one.empty ? null : typed(props.about.columns[one.column], one.value)]));
        const done = await api.post(`${props.address}/update`, { mode: "condition", condition: state.condition, updates, confirm_all: state.everything });
        emit("changed", { text: `${many(done.rows_changed, "row")} changed${done.rows_updated > done.rows_changed ? `; ${count(done.rows_updated - done.rows_changed)} had these values already` : ""}.${(done.notes ?? []).map((note) => ` ${note}.`).join("")}`, importId: done.import_id });
        emit("close");
      } catch (error) {
        state.problem = error;
      }
      state.busy = false;
    };
    const change = (one, n) => t.div({ class: "row filters", key: n },
      field({ label: "Set", id: `set-column-${n}` }, (p) => select(one, "column", columns.map((column) => column.name), p)),
      t.div({ class: "grow" }, field({ label: "To", id: `set-value-${n}` }, (p) => control(one, "value", props.about.columns[one.column], { ...p, disabled: one.empty }))),
      check(one, "empty", "empty", { "aria-label": `Empty ${one.column}` }),
      changes.length > 1 && button({ kind: "plain", icon: "close", label: "Remove", onClick: () => changes.splice(n, 1) }));
    const ready = () => state.matched > 0 && changes.every((one) => one.empty || String(one.value).trim() !== "") && (!all() || state.everything);
    return () => h(Dialog, { title: "Update many rows", wide: true, onClose: () => emit("close") }, {
      default: () => t.form({ class: "stack", id: "update-rows", onSubmit: save },
        t.h3("Rows where"),
        h(ConditionBuilder, { columns, state }),
        field({ label: "Condition", id: "update-condition", problem: state.conditionProblem }, (p) => input(state, "condition", { ...p, class: "input mono", required: true, spellcheck: false, autocomplete: "off", placeholder: "country = 'France' AND amount > 100" })),
        t.div({ class: "row", role: "status" }, state.matched !== null && badge(`${many(state.matched, "row")} of ${count(props.about.row_count)}`, state.matched ? "accent" : "warn")),
        t.h3("Change"),
        changes.map(change),
        t.div(button({ size: "small", icon: "plus", onClick: () => changes.push({ column: columns[Math.min(changes.length, columns.length - 1)].name, value: "", empty: false }) }, "Another column")),
        all() && notice("warn", "This condition holds for every row of the table. ", check(state, "everything", "Change them all")),
        state.problem && notice("bad", state.problem)),
      foot: () => [button({ onClick: () => emit("close") }, "Cancel"), button({ kind: "primary", type: "submit", form: "update-rows", busy: state.busy, disabled: !ready() }, state.matched ? `Update ${many(state.matched, "row")}` : "Update")],
    });
  },
};
