// What scrolls sideways where it is wider than the page, and shows so.
import { onBeforeUnmount, onMounted, onUpdated, reactive, ref, t } from "../dom.js";

/** Watches whether the element in `box` (a ref) has more at a side: `classes` for the box around it, `look()` when it scrolled. */
export function sideways(box) {
  const more = reactive({ left: false, right: false });
  const look = () => {
    if (!box.value) return;
    const { scrollLeft, clientWidth, scrollWidth } = box.value;
    more.left = scrollLeft > 1;
    more.right = scrollLeft + clientWidth < scrollWidth - 1;
  };
  const watcher = new ResizeObserver(look);
  onMounted(() => { watcher.observe(box.value); if (box.value.firstElementChild) watcher.observe(box.value.firstElementChild); look(); });
  onUpdated(look);
  onBeforeUnmount(() => watcher.disconnect());
  return { look, get any() { return more.left || more.right; }, get classes() { return { "more-left": more.left, "more-right": more.right }; } };
}

/** Keeps each cell's head with it: on a phone tables are read from top to bottom (css/phone.css). */
function heads(box) {
  for (const table of box?.querySelectorAll("table") ?? []) {
    const names = [...table.querySelectorAll(":scope > thead th")].map((head) => head.querySelector(".visually-hidden") ? "" : head.textContent.trim());
    for (const row of table.querySelectorAll(":scope > tbody > tr")) {
      const alone = row.cells.length !== names.length;
      for (const [n, cell] of [...row.cells].entries()) {
        if (!alone && names[n]) cell.dataset.head = names[n]; else delete cell.dataset.head;
        cell.classList.toggle("nothing", n > 0 && cell.textContent.trim() === "–");
      }
    }
  }
}

/**
 * The default slot in a box that scrolls. Where there is more at a side, that side fades; then the keyboard can scroll it, and
 * screen readers are told its `label`.
 */
export const ScrollBox = {
  props: { label: String },
  setup(props, { slots }) {
    const box = ref(null);
    const edges = sideways(box);
    onMounted(() => heads(box.value));
    onUpdated(() => heads(box.value));
    return () => t.div({ class: ["scroll-box", edges.classes] },
      t.div({ class: "table-wrap", ref: box, onScrollPassive: edges.look, ...(edges.any ? { tabindex: 0, role: "region", "aria-label": `${props.label}, scrolls sideways` } : {}) },
        slots.default?.()));
  },
};
