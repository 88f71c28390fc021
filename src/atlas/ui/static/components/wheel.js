// The wheel over a chart: with Ctrl or Cmd it zooms, without it scrolls the page as everywhere, and a hint says so.
import { onBeforeUnmount, reactive, t } from "../dom.js";

const SHOWN = 1500; // milliseconds
const HINTS = 2;
// A wheel's step, in pixels, that doubles or halves; lines and pages as the browsers count them.
const DOUBLE = 300;
const UNITS = [1, 33, 400];

const key = /Mac|iPhone|iPad/.test(navigator.platform) ? "⌘" : "Ctrl";
let hinted = 0;

/** `zoom(factor, pixels)` gets by how much and around which place from the left. A pinch on a touchpad comes as a wheel with Ctrl. */
export function useWheel(zoom) {
  const state = reactive({ hint: false });
  let timer;
  const wheel = (event) => {
    // ECharts would take it, and with it the scrolling, even where it does nothing.
    event.stopPropagation();
    if (!event.ctrlKey && !event.metaKey) {
      if (hinted >= HINTS || event.deltaY === 0) return;
      if (!state.hint) hinted += 1;
      state.hint = true;
      clearTimeout(timer);
      timer = setTimeout(() => { state.hint = false; }, SHOWN);
      return;
    }
    event.preventDefault();
    state.hint = false;
    const turned = event.deltaY * UNITS[event.deltaMode];
    const { left } = event.currentTarget.getBoundingClientRect();
    zoom(2 ** (Math.max(-DOUBLE, Math.min(turned, DOUBLE)) / DOUBLE), event.clientX - left);
  };
  onBeforeUnmount(() => clearTimeout(timer));
  return {
    handlers: { onWheelCapture: wheel },
    hint: () => state.hint && t.div({ class: "wheel-hint", "aria-hidden": "true" }, t.span("Hold ", t.kbd(key), " and turn the wheel to zoom")),
  };
}
