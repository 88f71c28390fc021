// Choosing a range of a chart by drawing over it, with the mouse, a pen or a finger.
import { onBeforeUnmount, onMounted, reactive, t } from "../dom.js";

const LEAST_PIXELS = 6;

/**
 * `chosen(from, to)` gets pixels from the left edge. Drawing is on while the shift key is held, or once after `state.on`.
 * `below`: pixels at the bottom that are not part of the plot. Gives the state, event handlers for the box, and the mark.
 */
export function useBrush(chosen, below) {
  const state = reactive({ on: false, from: null, to: null });
  let box = null;
  const at = (event) => Math.max(0, Math.min(event.clientX - box.left, box.width));
  const begin = (event) => {
    if (event.button !== 0 || !(event.shiftKey || state.on)) return;
    box = event.currentTarget.getBoundingClientRect();
    if (event.clientY > box.bottom - below) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    state.from = state.to = at(event);
  };
  const move = (event) => { if (state.from !== null) state.to = at(event); };
  const stop = () => { state.from = state.to = null; };
  const end = () => {
    if (state.from === null) return;
    const [from, to] = [state.from, state.to].sort((a, b) => a - b);
    stop();
    state.on = false;
    if (to - from >= LEAST_PIXELS) chosen(from, to);
  };
  // The chart must not move the picture meanwhile.
  const hold = (event) => { if (state.from !== null || state.on) { event.stopPropagation(); event.preventDefault(); } };
  const escape = (event) => { if (event.key === "Escape") { stop(); state.on = false; } };
  onMounted(() => addEventListener("keydown", escape));
  onBeforeUnmount(() => removeEventListener("keydown", escape));
  return {
    state,
    handlers: {
      onPointerdownCapture: begin, onPointermove: move, onPointerup: end, onPointercancel: stop,
      onMousedownCapture: hold, onTouchstartCapture: hold,
    },
    mark: () => state.from !== null && t.div({
      class: "brush", "aria-hidden": "true",
      style: { left: `${Math.min(state.from, state.to)}px`, width: `${Math.abs(state.to - state.from)}px`, bottom: `${below}px` },
    }),
  };
}
