// AG Grid in an element. It is loaded when a grid is first shown.
import { onBeforeUnmount, onMounted, ref, t, watch } from "../dom.js";
import { theme } from "../theme.js";

let library;
function load() {
  library ??= import("/ui/lib/aggrid/index.js").then((module) => {
    module.ModuleRegistry.registerModules([module.AllCommunityModule]);
    return module;
  });
  return library;
}

/** The nonce of this page, for libraries that add their style sheets by script. */
export const nonce = () => /** @type {HTMLScriptElement} */ (document.querySelector("script[nonce]"))?.nonce;

function look(agGrid) {
  return agGrid.themeQuartz.withParams({
    fontFamily: "var(--font)", fontSize: 13.5, backgroundColor: "var(--surface)", foregroundColor: "var(--text)",
    headerBackgroundColor: "var(--sunken)", headerTextColor: "var(--muted)", borderColor: "var(--border)",
    rowHoverColor: "var(--hover)", accentColor: "var(--accent)", selectedRowBackgroundColor: "var(--accent-soft)",
    oddRowBackgroundColor: "var(--surface)", chromeBackgroundColor: "var(--surface)", wrapperBorderRadius: 10,
    menuBackgroundColor: "var(--raised)", inputBackgroundColor: "var(--surface)", browserColorScheme: "inherit",
  });
}

/** Shows a grid. `options` are AG Grid's; columns and rows that change are passed on. Emits `ready` with its API. */
export const Grid = {
  props: { options: Object, label: String, height: { type: [Number, String], default: 520 } },
  emits: ["ready"],
  setup(props, { emit }) {
    const element = ref(null);
    let grid;
    onMounted(async () => {
      const agGrid = await load();
      if (!element.value) return;
      grid = agGrid.createGrid(element.value, {
        theme: look(agGrid), styleNonce: nonce(), suppressCellFocus: false, ensureDomOrder: true,
        ...props.options,
      });
      emit("ready", grid);
    });
    watch(() => props.options?.rowData, (rows) => grid?.setGridOption("rowData", rows));
    watch(() => props.options?.columnDefs, (columns) => grid?.setGridOption("columnDefs", columns));
    watch(() => theme.dark, () => grid?.refreshCells());
    onBeforeUnmount(() => grid?.destroy());
    return () => t.div({
      ref: element, class: "grid", "aria-label": props.label, style: { height: typeof props.height === "number" ? `${props.height}px` : props.height },
    });
  },
};
