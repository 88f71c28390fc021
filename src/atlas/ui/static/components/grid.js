// AG Grid in an element. It is loaded when a grid is first shown.
import { onBeforeUnmount, onMounted, reactive, ref, t, watch } from "../dom.js";
import { icon } from "../icons.js";
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

// What may change how far the columns reach.
const REACHING = ["bodyScroll", "bodyScrollEnd", "gridSizeChanged", "displayedColumnsChanged", "displayedColumnsWidthChanged", "firstDataRendered", "columnResized"];

/**
 * Shows a grid. `options` are AG Grid's; columns and rows that change are passed on. Emits `ready` with its API. Where there are
 * more columns at a side, that side fades, and a phone says so below.
 */
export const Grid = {
  props: { options: Object, label: String, height: { type: [Number, String], default: 520 } },
  emits: ["ready"],
  setup(props, { emit }) {
    const element = ref(null);
    const more = reactive({ left: false, right: false, pinned: 0 });
    let grid;
    const measure = () => {
      if (!grid || grid.isDestroyed()) return;
      const { left, right } = grid.getHorizontalPixelRange();
      const shown = grid.getAllDisplayedColumns().filter((column) => !column.getPinned());
      const end = shown.reduce((widest, column) => Math.max(widest, (column.getLeft() ?? 0) + column.getActualWidth()), 0);
      more.left = left > 1;
      more.right = right < end - 1;
      more.pinned = grid.getDisplayedLeftColumns().reduce((sum, column) => sum + column.getActualWidth(), 0);
    };
    onMounted(async () => {
      const agGrid = await load();
      if (!element.value) return;
      grid = agGrid.createGrid(element.value, {
        theme: look(agGrid), styleNonce: nonce(), suppressCellFocus: false, ensureDomOrder: true,
        ...props.options,
      });
      for (const event of REACHING) grid.addEventListener(event, measure);
      measure();
      emit("ready", grid);
    });
    watch(() => props.options?.rowData, (rows) => grid?.setGridOption("rowData", rows));
    watch(() => props.options?.columnDefs, (columns) => grid?.setGridOption("columnDefs", columns));
    watch(() => theme.dark, () => grid?.refreshCells());
    onBeforeUnmount(() => grid?.destroy());
    const sideways = () => more.left || more.right;
    return () => [
      t.div({ class: ["scroll-box", "grid-box", { "more-left": more.left, "more-right": more.right }], style: { "--pinned": `${more.pinned}px` } }, t.div({
        ref: element, class: "grid", "aria-label": sideways() ? `${props.label}, scrolls sideways` : props.label, style: { height: typeof props.height === "number" ? `${props.height}px` : props.height },
      })),
      sideways() && t.p({ class: "grid-hint" }, more.left && icon("left"), t.span("More columns at the side"), more.right && icon("right")),
    ];
  },
};
