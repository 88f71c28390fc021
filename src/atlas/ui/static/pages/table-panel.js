// The side panel of one row: its values, what may be done with it, and its past.
import { api } from "../api.js";
import { attempt } from "../components/overlays.js";
import { badge, button, loading, notice } from "../components/ui.js";
import { latest, nextTick, onBeforeUnmount, onMounted, reactive, ref, t, watch } from "../dom.js";
import { ago, cell } from "../format.js";
import { href } from "../router.js";

const ACTIONS = { insert: ["Added", "good"], update: ["Changed", "accent"], archive: ["Archived", "warn"], restore: ["Restored", "good"] };

export const RowPanel = {
  props: { address: String, row: Object, columns: Array, archived: Boolean, version: Number },
  emits: ["close", "changed"],
  setup(props, { emit }) {
    const state = reactive({ changes: null, problem: null, busy: "" });
    const element = ref(null);
    const rowAddress = () => `${props.address}/rows/${props.row._row}`;
    const load = latest(
      (signal) => api.get(`${rowAddress()}/history`, {}, { signal }),
      ({ changes }) => Object.assign(state, { changes, problem: null }),
      (error) => { state.problem = error; });
    watch(() => [props.row._row, props.version], load);
    load();
    const before = document.activeElement;
    const keys = (event) => { if (event.key === "Escape" && !document.querySelector("dialog[open]")) emit("close"); };
    onMounted(() => { addEventListener("keydown", keys); nextTick(() => element.value?.focus({ preventScroll: true })); });
    onBeforeUnmount(() => { removeEventListener("keydown", keys); /** @type {HTMLElement} */ (before)?.focus?.({ preventScroll: true }); });
    const act = async (work, text) => {
      state.busy = text;
      const done = await attempt(work);
      state.busy = "";
      if (done) emit("changed", { text: `Row ${props.row._row} was ${text}.`, importId: done.import_id });
    };
    const archive = () => act(() => api.del(rowAddress()), "archived");
    const restore = () => act(() => api.post(`${rowAddress()}/restore`), "restored");
    const undo = async (change) => {
      state.busy = change.import_id;
      const done = await attempt(() => api.post(`/api/v1/import/${change.import_id}/undo`));
      if (done?.complete) emit("changed", { text: "The change was undone." });
      else if (done) await attempt(() => Promise.reject(new Error(done.message)));
      state.busy = "";
    };
    /** The row's values; those of a row that is known by its number alone come from its history. */
    const values = () => (Object.keys(props.row).length > 1 || !state.changes ? props.row
      : Object.assign({}, ...[...state.changes].reverse().filter((change) => !change.undone).map((change) => change.after ?? {})));
    const archived = () => (Object.keys(props.row).length > 1 ? props.archived : Boolean(values()._archived));
    const shown = (value) => (value === null || value === undefined || value === "" ? t.span({ class: "muted" }, "empty") : cell(value));
    const differences = (change) => t.dl({ class: "facts" }, Object.keys(change.after ?? {}).filter((name) => name !== "_archived").map((name) => [
      t.dt(name), t.dd(change.before ? [t.s(shown(change.before[name])), " → ", t.ins(shown(change.after[name]))] : shown(change.after[name]))]));
    const entry = (change) => {
      const [text, kind] = ACTIONS[change.action] ?? [change.action, ""];
      return t.li({ class: ["change", { undone: change.undone }], key: change.import_id },
        t.div({ class: "row" }, badge(text, kind), change.undone && badge("undone"), t.span({ class: "muted small-text", title: change.at }, `${ago(change.at)}${change.user ? ` by ${change.user}` : ""}`)),
        change.action === "insert" ? t.details(t.summary({ class: "small-text" }, "First values"), differences(change)) : differences(change),
        t.div({ class: "row" }, t.a({ class: "small-text", href: href(`/imports/${change.import_id}`) }, change.kind === "import" ? "The import" : "The update"),
          change.kind === "update" && !change.undone && change.action !== "insert" && button({ size: "small", kind: "plain", icon: "undo", busy: state.busy === change.import_id, onClick: () => undo(change) }, "Undo")));
    };
    return () => t.aside({ class: "side", ref: element, tabindex: -1, "aria-label": `Row ${props.row._row}` },
      t.div({ class: "row between" }, t.div({ class: "row" }, t.h2(`Row ${props.row._row}`), archived() && badge("archived", "warn")),
        button({ kind: "plain", icon: "close", label: "Close", onClick: () => emit("close") })),
      t.dl({ class: "facts" }, props.columns.map((column) => [t.dt(column.name), t.dd(shown(values()[column.name]))])),
      t.div({ class: "row" }, archived()
        ? button({ icon: "reset", busy: state.busy === "restored", onClick: restore }, "Restore this row")
        : button({ icon: "trash", kind: "danger", busy: state.busy === "archived", onClick: archive }, "Archive this row")),
      t.h3("What happened to it"),
      state.problem && notice("bad", state.problem),
      !state.changes ? !state.problem && loading() : state.changes.length === 0 ? t.p({ class: "muted" }, "Nothing is recorded.") : t.ol({ class: "changes" }, state.changes.map(entry)));
  },
};
