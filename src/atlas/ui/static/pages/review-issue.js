// One issue of an import: the record beside the row that it matches, a failure with its reasons, or a replaced value.
import { ScrollBox } from "../components/scroll-box.js";
import { badge, button, input, notice } from "../components/ui.js";
import { h, reactive, t } from "../dom.js";
import { cell } from "../format.js";
import { href } from "../router.js";

// [issue type of the API, name, field of the correction]
export const KINDS = [["duplicates", "Duplicates", "duplicates"], ["validations", "Failures", "validation_failures"], ["replacements", "Replacements", "value_replacements"]];

// `there`: the words for a record that is a row already. `needs`: only with a value that was typed.
export const ACTIONS = {
  duplicates: [
    { action: "insert", text: "Insert anyway", there: "Keep both", key: "i", icon: "plus" },
    { action: "skip", text: "Skip", there: "Remove this one", key: "s", icon: "close" },
  ],
  validations: [
    { action: "insert_corrected", text: "Insert corrected", key: "c", icon: "check", needs: true },
    { action: "insert_as_is", text: "Insert as it is", key: "a", icon: "plus" },
    { action: "discarded", text: "Discard", key: "d", icon: "trash" },
  ],
  replacements: [
    { action: "set_custom", text: "Set this value", key: "c", icon: "edit", needs: true },
    { action: "restore_original", text: "Restore the original", key: "r", icon: "undo" },
    { action: "keep_replacement", text: "Leave it so", key: "p", icon: "check" },
  ],
};
const DECIDED = {
  insert: "inserted", skip: "skipped", insert_corrected: "inserted, corrected", insert_as_is: "inserted as it is", discarded: "discarded",
  set_custom: "set to another value", restore_original: "original restored", keep_replacement: "left so",
};

export const issueId = (kind, issue) => ({ duplicates: issue.record_number, validations: issue.failure_id, replacements: issue.replacement_id })[kind];

/** What an action is called for issues: a record that is a row already is kept or removed. */
export function actionText(action, issues) {
  const there = issues.filter((issue) => issue.row_id).length;
  if (!action.there || there === 0) return action.text;
  return there === issues.length ? action.there : `${action.text}, ${action.there.toLowerCase()}`;
}

/** A decision as the API takes it. */
export function decision(kind, issue, action, values) {
  if (kind === "duplicates") return { record_number: issue.record_number, action, ...(values && { data: values }) };
  if (kind === "validations") return { failure_id: issue.failure_id, action, ...(values && { corrected_data: values }) };
  return { replacement_id: issue.replacement_id, action, ...(action === "set_custom" && { custom_value: values }) };
}

const sameValue = (a, b) => cell(a) === cell(b);
/** The number of a row, which its id ends with. */
const rowNumber = (id) => Number.parseInt(id.slice(24), 16);

export const IssueCard = {
  props: { kind: String, issue: Object, table: String, keys: { type: Array, default: () => [] }, current: Boolean, busy: Boolean, problem: Object, chosen: Boolean },
  emits: ["decide", "choose", "focus"],
  setup(props, { emit }) {
    const edited = reactive({ values: {}, custom: "" });
    const open = () => props.issue.status === "pending";
    const names = () => [...new Set([...Object.keys(props.issue.record ?? {}), ...Object.keys(props.issue.existing_row ?? {}).filter((name) => name !== "id")])];
    // What a reason may be about.
    const fields = () => (props.kind === "replacements" ? [props.issue.column] : names());
    const incoming = (name) => props.issue.record?.[name];
    const changed = () => Object.fromEntries(Object.entries(edited.values).filter(([name, value]) => value !== cell(incoming(name))));
    const value = () => (props.kind === "replacements" ? edited.custom : Object.keys(changed()).length ? changed() : undefined);
    const ready = (one) => !one.needs || (props.kind === "replacements" ? edited.custom.trim() !== "" : value() !== undefined);
    const act = (one) => ready(one) && emit("decide", one.action, ["insert_as_is", "skip", "discarded", "restore_original", "keep_replacement"].includes(one.action) ? undefined : value());
    const enter = (event) => {
      if (event.key === "Escape") event.target.blur();
      if (event.key === "Enter") act(ACTIONS[props.kind].find((one) => one.needs) ?? ACTIONS[props.kind][0]);
    };
    /** What the server said of a decision: reasons by column, and the rest. */
    const refused = () => {
      const found = {}, other = [];
      if (!props.problem) return { found, other: "" };
      for (const part of props.problem.text.replace(/^Invalid [a-z]+: \w+\[\d+\]: /, "").split("; ")) {
        const name = fields().find((one) => part.startsWith(`${one}: `));
        if (name) found[name] = part.slice(name.length + 2);
        else other.push(part);
      }
      return { found, other: other.join("; ") };
    };
    const editor = (name, wrong) => (open() ? [
      t.input({
        class: "input cell", value: edited.values[name] ?? cell(incoming(name)), "aria-label": name, "aria-invalid": wrong ? "true" : undefined, disabled: props.busy,
        onInput: (event) => { edited.values[name] = event.target.value; }, onKeydown: enter,
      }), wrong && t.div({ class: "problem small-text" }, wrong)] : cell(incoming(name)));
    const match = () => {
      const { match: kind, score, key_columns: keys } = props.issue;
      if (kind === "fuzzy") return badge(`similar ${keys.join(", ")}${score ? `, ${Math.round(score)} %` : ""}`, "warn");
      return badge(`same ${keys.join(", ") || "values"}`, "warn");
    };
    // Of a look-alike the column that was compared is no key.
    const keys = () => (props.issue.match === "fuzzy" ? props.keys : props.issue.key_columns);
    const duplicate = (problems) => {
      const { issue } = props;
      const other = issue.existing_row;
      const differing = names().filter((name) => other && !sameValue(incoming(name), other[name]));
      const beside = issue.duplicate_of_record ? `Record ${issue.duplicate_of_record} of the file` : "In the table";
      return [
        t.div({ class: "row" }, t.b(`Record ${issue.record_number}`), match(), other && badge(differing.length ? `${differing.length} of ${names().length} differ` : "no difference"),
          issue.row_id && badge("in the table already", "accent"), !other && badge("what it matches is gone")),
        h(ScrollBox, { label: `Record ${issue.record_number} beside its match` }, () => t.table({ class: "table compare" },
          t.thead(t.tr(t.th({ scope: "col" }, "Column"), t.th({ scope: "col" }, `Record ${issue.record_number}`), other && t.th({ scope: "col" }, beside))),
          t.tbody(names().map((name) => t.tr({ class: differing.includes(name) || problems[name] ? "differs" : "" },
            t.th({ scope: "row" }, name, keys().includes(name) && [" ", badge("key")], issue.match === "fuzzy" && issue.key_columns.includes(name) && [" ", badge("alike", "warn")]), t.td(editor(name, problems[name])),
            other && t.td(differing.includes(name) ? t.mark(cell(other[name]) || "empty") : cell(other[name]))))))),
      ];
    };
    const failure = (problems) => {
      const { errors } = props.issue;
      const wrong = { ...Object.fromEntries(errors.map((error) => [error.column, error.reason])), ...problems };
      const loose = errors.filter((error) => !names().includes(error.column));
      return [
        t.div({ class: "row" }, t.b(`Record ${props.issue.record_number}`), badge(errors.length === 1 ? "1 problem" : `${errors.length} problems`, "bad")),
        loose.map((error) => notice("warn", error.reason, error.value && t.pre({ class: "small-text" }, error.value))),
        h(ScrollBox, { label: `Record ${props.issue.record_number}` }, () => t.table({ class: "table compare" }, t.tbody(names().map((name) => t.tr({ class: wrong[name] ? "differs" : "" },
          t.th({ scope: "row" }, name), t.td(editor(name, wrong[name]))))))),
      ];
    };
    const replacement = (problems) => {
      const { issue } = props;
      const reason = problems[issue.column];
      return [
        t.div({ class: "row" }, t.b(`Record ${issue.record_number}`), badge(issue.column, "accent"),
          issue.row_id && t.a({ class: "small-text", href: href(`/tables/${encodeURIComponent(props.table)}`, { row: rowNumber(issue.row_id) }) }, "Show the row")),
        t.div({ class: "row replaced" }, t.span({ class: "muted" }, "The file says"), t.code(cell(issue.original_value)), t.span({ class: "muted" }, "which became"),
          t.code(issue.new_value === null ? "empty" : cell(issue.new_value))),
        open() && t.div(input(edited, "custom", { class: "input cell", placeholder: "another value", "aria-label": "Another value", "aria-invalid": reason ? "true" : undefined, disabled: props.busy, onKeydown: enter }),
          reason && t.div({ class: "problem small-text" }, reason)),
      ];
    };
    const body = { duplicates: duplicate, validations: failure, replacements: replacement };
    const actions = () => t.div({ class: "row" }, ACTIONS[props.kind].map((one, n) => button({
      size: "small", icon: one.icon, kind: n === 0 && ready(one) ? "primary" : "", disabled: props.busy || !ready(one), onClick: () => act(one),
    }, props.kind === "duplicates" && one.action === "insert" && value() ? "Save with changes" : actionText(one, [props.issue]))));
    return () => {
      const { found, other } = refused();
      return t.article({ class: ["card issue", { current: props.current }], tabindex: -1, "data-current": props.current ? "" : undefined, onFocusin: () => emit("focus"), onMousedown: () => emit("focus"), "aria-label": `Record ${props.issue.record_number}` },
        t.label({ class: "check pick" }, t.input({ type: "checkbox", checked: props.chosen, disabled: !open(), onChange: (event) => emit("choose", event.target.checked) }), t.span({ class: "visually-hidden" }, `Choose record ${props.issue.record_number}`)),
        t.div({ class: "stack grow" }, body[props.kind](found), other && notice("bad", other),
          open() ? actions() : t.div(badge(DECIDED[props.issue.action] ?? props.issue.status, "good"))));
    };
  },
};
