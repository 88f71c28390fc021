// One issue of an import: the record beside the row that it matches, a failure with its reasons, or a replaced value.
import { badge, button, input, notice } from "../components/ui.js";
import { reactive, t } from "../dom.js";
import { cell } from "../format.js";

// [issue type of the API, name, field of the correction]
export const KINDS = [["duplicates", "Duplicates", "duplicates"], ["validations", "Failures", "validation_failures"], ["replacements", "Replacements", "value_replacements"]];

export const ACTIONS = {
  duplicates: [
    { action: "insert", text: "Insert anyway", key: "i", icon: "plus" },
    { action: "skip", text: "Skip", key: "s", icon: "close" },
  ],
  validations: [
    { action: "insert_corrected", text: "Insert corrected", key: "c", icon: "check", needs: true },
    { action: "insert_as_is", text: "Insert as it is", key: "a", icon: "plus" },
    { action: "discarded", text: "Discard", key: "d", icon: "trash" },
  ],
  replacements: [
    { action: "set_custom", text: "Set another", key: "e", icon: "edit", needs: true },
    { action: "restore_original", text: "Restore the original", key: "r", icon: "undo" },
    { action: "keep_replacement", text: "Keep it empty", key: "p", icon: "check" },
  ],
};

export const issueId = (kind, issue) => ({ duplicates: issue.record_number, validations: issue.failure_id, replacements: issue.replacement_id })[kind];

/** A decision as the API takes it. */
export function decision(kind, issue, action, values) {
  if (kind === "duplicates") return { record_number: issue.record_number, action, ...(values && { data: values }) };
  if (kind === "validations") return { failure_id: issue.failure_id, action, ...(values && { corrected_data: values }) };
  return { replacement_id: issue.replacement_id, action, ...(action === "set_custom" && { custom_value: values }) };
}

const sameValue = (a, b) => cell(a) === cell(b);

export const IssueCard = {
  props: { kind: String, issue: Object, current: Boolean, busy: Boolean, problem: Object, chosen: Boolean },
  emits: ["decide", "choose", "focus"],
  setup(props, { emit }) {
    const edited = reactive({ values: {}, custom: "" });
    const names = () => Object.keys(props.issue.record ?? {});
    const changed = () => Object.fromEntries(Object.entries(edited.values).filter(([name, value]) => value !== cell(props.issue.record[name])));
    const editor = (name, wrong) => t.input({
      class: "input cell", value: edited.values[name] ?? cell(props.issue.record[name]), "aria-label": name, "aria-invalid": wrong ? "true" : undefined,
      onInput: (event) => { edited.values[name] = event.target.value; },
    });
    const duplicate = () => {
      const other = props.issue.existing_row;
      const differing = names().filter((name) => other && !sameValue(props.issue.record[name], other[name]));
      return [
        t.div({ class: "row" }, t.b(`Record ${props.issue.record_number}`),
          props.issue.match === "similar" ? badge(`looks alike${props.issue.score ? `, ${Math.round(props.issue.score)} %` : ""}`, "warn") : badge(`same ${props.issue.key_columns.join(", ") || "values"}`, "warn"),
          other && badge(differing.length ? `${differing.length} of ${names().length} differ` : "no difference"),
          props.issue.duplicate_of_record && badge(`repeats record ${props.issue.duplicate_of_record} of the file`)),
        t.div({ class: "table-wrap" }, t.table({ class: "table compare" },
          t.thead(t.tr(t.th({ scope: "col" }, "Column"), t.th({ scope: "col" }, "In the file"), other && t.th({ scope: "col" }, "In the table"))),
          t.tbody(names().map((name) => t.tr({ class: differing.includes(name) ? "differs" : "" },
            t.th({ scope: "row" }, name, props.issue.key_columns.includes(name) && [" ", badge("key")]), t.td(editor(name)), other && t.td(cell(other[name]))))))),
      ];
    };
    const failure = () => {
      const wrong = Object.fromEntries(props.issue.errors.map((error) => [error.column, error.reason]));
      return [
        t.div({ class: "row" }, t.b(`Record ${props.issue.record_number}`), badge(`${props.issue.errors.length === 1 ? "1 problem" : `${props.issue.errors.length} problems`}`, "bad")),
        props.issue.errors.filter((error) => !names().includes(error.column)).map((error) => notice("bad", error.reason)),
        t.div({ class: "table-wrap" }, t.table({ class: "table compare" }, t.tbody(names().map((name) => t.tr({ class: wrong[name] ? "differs" : "" },
          t.th({ scope: "row" }, name), t.td(editor(name, wrong[name]), wrong[name] && t.div({ class: "problem small-text" }, wrong[name]))))))),
      ];
    };
    const replacement = () => [
      t.div({ class: "row" }, t.b(`Record ${props.issue.record_number}`), badge(props.issue.column, "accent")),
      t.div({ class: "row replaced" }, t.span({ class: "muted" }, "The file says"), t.code(cell(props.issue.original_value)), t.span({ class: "muted" }, "which became"),
        t.code(props.issue.new_value === null ? "empty" : cell(props.issue.new_value))),
      t.div({ class: "row" }, input(edited, "custom", { class: "input cell", placeholder: "another value", "aria-label": "Another value" })),
    ];
    const body = { duplicates: duplicate, validations: failure, replacements: replacement };
    const act = (action) => {
      const values = props.kind === "replacements" ? edited.custom : Object.keys(changed()).length ? changed() : undefined;
      emit("decide", action, action === "insert_as_is" || action === "skip" || action === "discarded" ? undefined : values);
    };
    const ready = (one) => !one.needs || (props.kind === "replacements" ? edited.custom !== "" : Object.keys(changed()).length > 0);
    return () => t.article({ class: ["card issue", { current: props.current }], "data-current": props.current ? "" : undefined, onFocusin: () => emit("focus"), "aria-label": `Record ${props.issue.record_number}` },
      t.label({ class: "check pick" }, t.input({ type: "checkbox", checked: props.chosen, onChange: (event) => emit("choose", event.target.checked) }), t.span({ class: "visually-hidden" }, "Choose")),
      t.div({ class: "stack grow" }, body[props.kind](),
        props.problem && notice("bad", props.problem),
        t.div({ class: "row" }, ACTIONS[props.kind].map((one, n) => button({
          size: "small", icon: one.icon, kind: n === 0 && ready(one) ? "primary" : "", disabled: props.busy || !ready(one), onClick: () => act(one.action),
        }, one.text)))));
  },
};
