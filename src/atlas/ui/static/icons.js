// Line icons on a grid of 24, drawn for Atlas.
import { h } from "./dom.js";

const SHAPES = {
  clock: "M12 3.5a8.5 8.5 0 100 17 8.5 8.5 0 000-17zM12 7v5.2l3.4 2", blank: "",
  series: "M3 18l5-8 4 5 3-4 6 7", table: "M4 5h16v14H4zM4 10h16M10 10v9", upload: "M12 16V5m0 0L7.5 9.5M12 5l4.5 4.5M4 19h16",
  download: "M12 5v11m0 0l-4.5-4.5M12 16l4.5-4.5M4 20h16", history: "M4 12a8 8 0 108-8 8.5 8.5 0 00-6 2.5L4 8.5M4 4v4.5h4.5M12 8v4.5l3 2",
  ask: "M4 5h16v11H9l-5 4zM9 9.5h6M9 12.5h4", tag: "M4 4h8l8 8-8 8-8-8zM8.2 8.2h.01", key: "M14.5 9.5a4 4 0 10-3.6 4L12 14.6V17h2.4v2.4H19V16l-5.1-5.1",
  admin: "M12 3l8 3.5V11c0 5-3.4 8.3-8 10-4.6-1.7-8-5-8-10V6.5z", sun: "M12 8a4 4 0 100 8 4 4 0 000-8zM12 2.5V5M12 19v2.5M2.5 12H5M19 12h2.5M5.3 5.3L7 7M17 17l1.7 1.7M5.3 18.7L7 17M17 7l1.7-1.7",
  moon: "M20 14.5A8.5 8.5 0 119.5 4a7 7 0 0010.5 10.5z", system: "M4 5h16v11H4zM9 20h6M12 16v4", out: "M14 4H5v16h9M10 12h11m0 0l-4-4m4 4l-4 4",
  star: "M12 3.5l2.6 5.4 5.9.8-4.3 4.1 1 5.9-5.2-2.8-5.2 2.8 1-5.9-4.3-4.1 5.9-.8z", home: "M4 11l8-7 8 7M6 9.5V20h12V9.5M10 20v-6h4v6", code: "M8.5 7L3.5 12l5 5M15.5 7l5 5-5 5M13.5 5l-3 14", help: "M12 3a9 9 0 100 18 9 9 0 000-18zM9.5 9.5a2.5 2.5 0 114 2c-1 .7-1.5 1.2-1.5 2.3M12 17h.01",
  menu: "M4 7h16M4 12h16M4 17h16", close: "M6 6l12 12M18 6L6 18", search: "M11 4a7 7 0 100 14 7 7 0 000-14zM16.2 16.2L21 21", plus: "M12 5v14M5 12h14",
  check: "M5 12.5l4.5 4.5L19 7", alert: "M12 4l9 16H3zM12 10v4.5M12 17.2h.01", info: "M12 3a9 9 0 100 18 9 9 0 000-18zM12 11v5.5M12 7.8h.01",
  trash: "M5 7h14M10 7V4.5h4V7M7 7l1 13h8l1-13M10.5 11v5.5M13.5 11v5.5", edit: "M4 20l1-4.5L16 4.5l3.5 3.5L8.5 19zM13.5 7l3.5 3.5", copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  more: "M5 12h.01M12 12h.01M19 12h.01", undo: "M8 5L3.5 9.5 8 14M4 9.5h10a5.5 5.5 0 010 11H9", redo: "M16 5l4.5 4.5L16 14M20 9.5H10a5.5 5.5 0 000 11h5",
  left: "M14.5 5.5L8 12l6.5 6.5", right: "M9.5 5.5L16 12l-6.5 6.5", down: "M5.5 9.5L12 16l6.5-6.5", up: "M5.5 14.5L12 8l6.5 6.5", play: "M7 4.5v15l12.5-7.5z", pause: "M8 5v14M16 5v14", live: "M12 10a2 2 0 100 4 2 2 0 000-4zM7.8 7.8a6 6 0 000 8.4M16.2 7.8a6 6 0 010 8.4M5 5a10 10 0 000 14M19 5a10 10 0 010 14",
  share: "M18 8a3 3 0 10-3-3c0 .2 0 .4.1.6L8.7 9.2a3 3 0 100 5.6l6.4 3.6a3 3 0 10.9-1.7l-6.2-3.5a3 3 0 000-2.4l6.2-3.5A3 3 0 0018 8z", file: "M6 3h8l5 5v13H6zM14 3v5h5", filter: "M4 5h16l-6.2 7.5V19l-3.6-2v-4.5z",
  columns: "M4 5h16v14H4zM9.3 5v14M14.7 5v14", reset: "M4 12a8 8 0 108-8H6m0 0l3-3M6 4l3 3", book: "M5 4h10a4 4 0 014 4v12H8a3 3 0 01-3-3zM5 17a3 3 0 013-3h11", thumbUp: "M7 11l4-8a2.5 2.5 0 012.4 3l-.6 4H19a1.6 1.6 0 011.6 2l-1.6 7a2 2 0 01-2 1.5H7zM3.5 11H7v9.5H3.5z",
  thumbDown: "M17 13l-4 8a2.5 2.5 0 01-2.4-3l.6-4H5a1.6 1.6 0 01-1.6-2L5 5a2 2 0 012-1.5h10zM20.5 13H17V3.5h3.5z", select: "M4 8V4h4M16 4h4v4M20 16v4h-4M8 20H4v-4M9 9h6v6H9z", send: "M4 12l16-8-6 16-3-6.5zM11 13.5L20 4", bolt: "M13 2.5L5 13.5h6l-1 8 8-11h-6z",
};

/** An icon by name. It is decoration: what it means stands in a label or a title beside it. */
export function icon(name) {
  return h("svg", {
    class: "icon", viewBox: "0 0 24 24", fill: "none", stroke: "currentColor", "stroke-width": 1.8,
    "stroke-linecap": "round", "stroke-linejoin": "round", "aria-hidden": "true",
  }, [h("path", { d: SHAPES[name] })]);
}
