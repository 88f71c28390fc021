// An editor of SQL: CodeMirror, loaded when one is first shown.
import { onBeforeUnmount, onMounted, ref, t, watch } from "../dom.js";
import { theme } from "../theme.js";
import { nonce } from "./grid.js";

let library;
function load() {
  library ??= import("/ui/lib/codemirror/index.js").then((module) => ({ ...module, sql: module.sql({ dialect: module.PostgreSQL }) }));
  return library;
}

const look = (cm) => cm.EditorView.theme({
  "&": { fontSize: "13px", backgroundColor: "var(--surface)", color: "var(--text)" },
  "&.cm-focused": { outline: "2px solid var(--accent)", outlineOffset: "-1px" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.6", maxHeight: "320px" },
  ".cm-content": { caretColor: "var(--text)", padding: "8px 0" },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  ".cm-gutters": { backgroundColor: "var(--sunken)", color: "var(--faint)", border: "0" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "transparent" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "var(--accent-soft)" },
  ".cm-tooltip": { backgroundColor: "var(--raised)", border: "1px solid var(--border-strong)", color: "var(--text)" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]": { backgroundColor: "var(--accent-soft)", color: "var(--accent-strong)" },
}, { dark: theme.dark });

const colours = (cm) => [look(cm), cm.syntaxHighlighting(theme.dark ? cm.oneDarkHighlightStyle : cm.defaultHighlightStyle)];

/**
 * Replaces what is selected by what is typed. The browser itself would carry the old text's colours over in inline styles,
 * which the content security policy forbids.
 */
function replace(cm, event, view) {
  if (event.inputType !== "insertText" || !event.data || event.isComposing) return false;
  // What the browser is about to replace; the editor may not have seen yet what was selected last.
  const selected = getSelection();
  const range = event.getTargetRanges()[0] ?? (selected.rangeCount ? selected.getRangeAt(0) : null);
  if (!range || range.collapsed) return false;
  const from = view.posAtDOM(range.startContainer, range.startOffset);
  const to = view.posAtDOM(range.endContainer, range.endOffset);
  const change = () => view.state.update({
    changes: { from, to, insert: event.data }, selection: { anchor: from + event.data.length }, userEvent: "input.type", scrollIntoView: true,
  });
  const handled = view.state.facet(cm.EditorView.inputHandler).some((handle) => handle(view, from, to, event.data, change));
  if (!handled) view.dispatch(change());
  event.preventDefault();
  return true;
}

let marked;
/** A mark under a part of the text: `set.of({from, to})` puts it there, `set.of(null)` takes it away. */
function marks(cm) {
  if (marked) return marked;
  const set = cm.StateEffect.define();
  const field = cm.StateField.define({
    create: () => cm.Decoration.none,
    update: (found, transaction) => {
      for (const effect of transaction.effects) if (effect.is(set)) return effect.value ? cm.Decoration.set([cm.Decoration.mark({ class: "cm-wrong" }).range(effect.value.from, effect.value.to)]) : cm.Decoration.none;
      return found.map(transaction.changes);
    },
    provide: (one) => cm.EditorView.decorations.from(one),
  });
  marked = { set, field };
  return marked;
}

/** Edits `value`. Emits `change` with the text, and `run` for Ctrl+Enter. A plain text area until it is loaded. */
export const CodeEditor = {
  // complete: a source of completions; wrong: {from, to} to mark; tall: as much room as there is.
  props: { value: String, label: String, invalid: Boolean, complete: Function, wrong: Object, tall: Boolean },
  emits: ["change", "run"],
  setup(props, { emit, expose }) {
    const element = ref(null);
    const ready = ref(false);
    let view;
    onMounted(async () => {
      let cm;
      try { cm = await load(); } catch { return; } // the text area does as well
      if (!element.value) return;
      const paint = new cm.Compartment();
      // Somebody may have begun to type already.
      const typing = element.value.parentElement.contains(document.activeElement);
      ready.value = true;
      view = new cm.EditorView({
        parent: element.value,
        state: cm.EditorState.create({
          doc: props.value,
          extensions: [
            cm.EditorView.cspNonce.of(nonce() ?? ""),
            cm.Prec.highest(cm.keymap.of([{ key: "Mod-Enter", run: () => { emit("run"); return true; } }])),
            cm.Prec.highest(cm.EditorView.domEventHandlers({ beforeinput: (event, editor) => replace(cm, event, editor) })),
            cm.basicSetup, marks(cm).field,
            // The language's own words are more than queries may use.
            props.complete ? [cm.sql.language, cm.sql.language.data.of({ autocomplete: props.complete })] : cm.sql, cm.EditorView.lineWrapping, paint.of(colours(cm)),
            cm.EditorView.contentAttributes.of({ "aria-label": props.label }),
            cm.EditorView.updateListener.of((update) => update.docChanged && emit("change", update.state.doc.toString())),
          ],
        }),
      });
      if (typing) { view.focus(); view.dispatch({ selection: { anchor: view.state.doc.length } }); }
      watch(() => props.wrong, (wrong) => view?.dispatch({ effects: marks(cm).set.of(wrong) }));
      watch(() => theme.dark, () => view?.dispatch({ effects: paint.reconfigure(colours(cm)) }));
    });
    watch(() => props.value, (text) => {
      if (view && text !== view.state.doc.toString()) view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
    });
    onBeforeUnmount(() => { view?.destroy(); view = null; });
    expose({
      /** Puts a text where the cursor is. */
      insert: (text) => { if (view) { view.dispatch(view.state.replaceSelection(text)); view.focus(); } else emit("change", props.value + text); },
      /** Selects a part and brings it into sight. */
      show: ({ from, to }) => { view?.dispatch({ selection: { anchor: from, head: to }, scrollIntoView: true }); view?.focus(); },
    });
    return () => t.div({ class: ["code-editor", { invalid: props.invalid }] },
      !ready.value && t.textarea({
        class: "input mono", rows: 5, value: props.value, "aria-label": props.label, spellcheck: false,
        onInput: (event) => emit("change", event.target.value),
        onKeydown: (event) => event.key === "Enter" && (event.ctrlKey || event.metaKey) && emit("run"),
      }),
      t.div({ ref: element, key: "editor" }));
  },
};
