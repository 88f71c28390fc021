// The command palette: anything that can be opened or done, found by typing a part of its name.
import { api } from "../api.js";
import { computed, debounce, h, nextTick, onMounted, reactive, ref, t, watch } from "../dom.js";
import { icon } from "../icons.js";
import { favourites, placeOf, recent } from "../kept.js";
import { go } from "../router.js";
import { session } from "../session.js";
import { theme } from "../theme.js";
import { fits } from "./fuzzy.js";
import { attempt, Dialog } from "./overlays.js";

const page = (path, name, text, words = "") => ({ id: `page ${path}`, icon: name, text, words, kind: "Page", run: () => { const [at, query] = path.split("?"); go(at, Object.fromEntries(new URLSearchParams(query))); } });
/** Pages and what can be done from anywhere. */
const fixed = (help) => [
  page("/", "home", "Home", "start"), page("/datasets", "series", "Datasets", "time series"), page("/tables", "table", "Tables"), page("/imports", "history", "Imports", "history undo"),
  page("/imports?waiting=true", "check", "Imports that wait for review", "issues"), page("/ask", "ask", "Ask", "question english"), page("/sql", "code", "SQL", "query select"), page("/tags", "tag", "Tags", "share"),
  page("/keys", "key", "Keys and usage", "account api settings"), page("/keys?tab=connect", "bolt", "Connect a program", "python curl"), page("/keys?tab=model", "ask", "Model provider", "settings llm"),
  ...(session.isAdmin ? [page("/admin", "admin", "Administration", "users"), page("/admin?tab=audit", "book", "Audit log")] : []),
  { ...page("/datasets?new=1", "plus", "New dataset", "create"), kind: "Action" }, { ...page("/import", "upload", "New import", "file upload csv excel"), kind: "Action" },
  { id: "theme", icon: theme.dark ? "sun" : "moon", text: theme.dark ? "Light theme" : "Dark theme", words: "appearance mode", kind: "Action", run: () => theme.set(theme.dark ? "light" : "dark") },
  { id: "help", icon: "info", text: "Keyboard shortcuts", words: "help keys", kind: "Action", run: help },
  { id: "docs", icon: "book", text: "API reference", words: "documentation openapi", kind: "Action", run: () => window.open("/docs", "_blank", "noopener") },
  { id: "out", icon: "out", text: "Sign out", words: "log out leave", kind: "Action", run: () => attempt(() => session.signOut()) },
];
const opens = ({ path, text, icon: name }, kind) => ({ id: path, icon: name, text, words: "", kind, run: () => go(path) });

export const Palette = {
  emits: ["close", "help"],
  setup(_, { emit }) {
    const state = reactive({ text: "", at: 0, found: [], searching: false });
    const list = ref(null), box = ref(null);
    let request;
    // Thousands of datasets and imports are searched by the server, so that none is out of reach.
    const search = debounce(async (text) => {
      request?.abort();
      request = new AbortController();
      const { signal } = request;
      /** @type {(path: string, params: object, options?: {signal?: AbortSignal}) => Promise<any>} */
      const got = (path, params, options = { signal }) => api.get(path, params, options).catch(() => null);
      // By the longest word, as the others may stand elsewhere; and what changed last, for letters that lie apart.
      const word = text.split(/\s+/).sort((a, b) => b.length - a.length)[0];
      const [datasets, changed, tables, imports] = await Promise.all([got("/api/datasets/", { text: word, limit: 50 }), changedOnce ?? (changedOnce = got("/api/datasets/", { sort: "-updated_at", limit: 200 }, {})), tablesOnce ?? (tablesOnce = got("/api/v1/tables", {}, {})), got("/api/v1/import-history", { search: word, limit: 50 })]);
      if (signal.aborted) return;
      state.found = [
        ...[...(datasets?.results ?? []), ...(changed?.results ?? [])].map((one, n) => ({ ...opens({ path: `/datasets/${one.id}`, text: one.name, icon: "series" }, "Dataset"), known: text === word && n < (datasets?.results.length ?? 0) })),
        ...(tables?.tables ?? []).filter((one) => one.kind === "table").map((one) => opens({ path: `/tables/${encodeURIComponent(one.table_name)}`, text: one.table_name, icon: "table" }, "Table")),
        ...(imports?.imports ?? []).filter((one) => one.file_name).map((one) => ({ ...opens({ path: `/imports/${one.import_id}`, text: one.file_name, icon: "history" }, "Import"), words: one.table_name ?? "" })),
      ];
      state.searching = false;
    }, 120);
    let tablesOnce = null, changedOnce = null;
    watch(() => state.text, (text) => { state.at = 0; state.searching = Boolean(text.trim()); if (text.trim()) search(text.trim()); else state.found = []; });
    if (favourites.list === null) favourites.load();
    const commands = fixed(() => emit("help"));
    const shown = computed(() => {
      const typed = state.text.trim();
      const marked = (favourites.list ?? []).map((one) => opens(placeOf(one), "Favourite"));
      const last = recent().map((one) => opens(one, "Recent"));
      const unique = new Map();
      if (!typed) {
        for (const one of [...last.slice(0, 6), ...marked.slice(0, 6), ...commands]) if (!unique.has(one.id)) unique.set(one.id, one);
        return [...unique.values()];
      }
      const score = (one, n) => Math.max(fits(typed, one.text), fits(typed, `${one.words} ${one.text}`) * 0.6, one.known ? 0.2 : 0) * (one.kind === "Recent" || one.kind === "Favourite" ? 1.15 : 1) - n / 10_000;
      for (const one of [...marked, ...last, ...commands, ...state.found]) unique.set(one.id, unique.has(one.id) ? { ...unique.get(one.id), known: unique.get(one.id).known || one.known } : one);
      return [...unique.values()].map((one, n) => [score(one, n), one]).filter(([points]) => points > 0).sort((a, b) => b[0] - a[0]).slice(0, 40).map(([, one]) => one);
    });
    const choose = (one) => { if (!one) return; emit("close"); nextTick(() => nextTick(one.run)); };
    const keys = (event) => {
      const last = shown.value.length - 1;
      const to = { ArrowDown: state.at >= last ? 0 : state.at + 1, ArrowUp: state.at <= 0 ? last : state.at - 1, PageDown: Math.min(last, state.at + 8), PageUp: Math.max(0, state.at - 8) }[event.key];
      if (to !== undefined) { event.preventDefault(); state.at = to; } else if (event.key === "Enter" && !event.isComposing) { event.preventDefault(); choose(shown.value[state.at]); }
    };
    watch(() => state.at, () => nextTick(() => list.value?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" })));
    onMounted(() => box.value.focus());
    return () => h(Dialog, { title: "Go to or do anything", bare: true, onClose: () => emit("close") }, { default: () => t.div({ class: "palette" },
      t.div({ class: "palette-box" }, icon("search"), t.input({
        ref: box, role: "combobox", "aria-label": "Go to or do", "aria-expanded": "true", "aria-controls": "palette-list", "aria-autocomplete": "list", "aria-activedescendant": shown.value.length ? `palette-${state.at}` : undefined,
        placeholder: "Datasets, tables, imports, pages, actions", autocomplete: "off", spellcheck: false, value: state.text, onInput: (event) => { state.text = event.target.value; }, onKeydown: keys,
      }), t.kbd("Esc")),
      t.ul({ role: "listbox", id: "palette-list", "aria-label": "Found", ref: list }, shown.value.map((one, n) => t.li({
        role: "option", id: `palette-${n}`, key: one.id, "aria-selected": String(n === state.at), onMousemove: () => { state.at = n; }, onClick: () => choose(one),
      }, icon(one.icon), t.span({ class: "grow truncate", title: one.text }, one.text), t.span({ class: "muted small-text" }, one.kind)))),
      t.div({ class: "palette-foot muted small-text", role: "status" }, shown.value.length ? `${shown.value.length} found` : state.searching ? "Searching" : "Nothing found",
        t.span({ class: "keys" }, t.span(t.kbd("↑"), t.kbd("↓"), " move"), t.span(t.kbd("Enter"), " open")))) });
  },
};
