// The newest rows of a dataset as they arrive, drawn at most once a frame.
import { api, events } from "../api.js";
import { onBeforeUnmount, reactive, shallowRef } from "../dom.js";
import { toast } from "./overlays.js";

const BEFORE = 500;
const MOST = 1500;
const WINDOW = 5000;
const LONGEST_WAIT = 15_000;

const sameRow = (row) => row.timestamp + JSON.stringify(row.values);

/** `state` says whether it is on, connected and how fast; `rows` holds the newest, or null while it is off. */
export function useLive(dataset) {
  const state = reactive({ on: false, connected: false, lost: false, received: 0, rate: 0, problem: null });
  const rows = shallowRef(null);
  let close, frame, clock, again, waiting = [], arrived = [], attempts = 0, fresh = false;

  const flush = () => {
    frame = null;
    if (!rows.value || !waiting.length) return;
    const all = [...rows.value, ...waiting];
    // Rows come in order of insertion, whatever their time.
    if (all.some((row, n) => n > 0 && row.at < all[n - 1].at)) all.sort((a, b) => a.at - b.at);
    rows.value = all.slice(-MOST);
    waiting = [];
  };
  const later = () => { frame ??= requestAnimationFrame(flush); };
  const count = () => {
    const now = performance.now();
    arrived = arrived.filter(([at]) => now - at < WINDOW);
    state.rate = arrived.reduce((sum, [, n]) => sum + n, 0) / (WINDOW / 1000);
  };
  const take = ({ timestamp, ...values }) => {
    waiting.push({ timestamp, values, at: Date.parse(timestamp) });
    // A page in the background draws no frames, but rows still arrive.
    if (waiting.length > 2 * MOST) waiting = waiting.slice(-MOST);
    state.received += 1;
    const now = performance.now();
    if (arrived.length && now - arrived.at(-1)[0] < 100) arrived.at(-1)[1] += 1;
    else arrived.push([now, 1]);
    later();
  };

  /** Shows the newest rows; what the stream brought meanwhile follows them, once. */
  const fill = async () => {
    try {
      const page = await api.get("/api/rows/", { dataset, ordering: "-timestamp", limit: BEFORE });
      if (!state.on) return;
      const known = new Set(page.results.map(sameRow));
      waiting = waiting.filter((row) => !known.has(sameRow(row)));
      rows.value = page.results.reverse().map((row) => ({ ...row, at: Date.parse(row.timestamp) }));
      later();
    } catch (error) {
      state.problem = error;
      stop();
    }
  };
  const connect = () => {
    close = events("/api/rows/stream/", { dataset, poll_interval: 2 }, {
      connected: () => {
        const resumed = state.lost;
        Object.assign(state, { connected: true, lost: false });
        attempts = 0;
        // The browser itself resumes where it was; a stream that we opened anew has missed rows.
        if (!rows.value || fresh) fill();
        fresh = false;
        if (resumed) toast("good", "Connected again");
      },
      data: take,
      error: (told) => { state.problem = told?.error ? new Error([told.error, told.details].filter(Boolean).join(": ")) : null; },
      lost: (closed) => {
        Object.assign(state, { connected: false, lost: true });
        if (!closed || !state.on) return;
        clearTimeout(again);
        fresh = true;
        again = setTimeout(retry, Math.min(1000 * 2 ** attempts, LONGEST_WAIT));
        attempts += 1;
      },
    });
  };
  // A browser does not say why a stream was refused; this request does.
  const retry = async () => {
    try {
      await api.get(`/api/datasets/${dataset}/`);
    } catch (error) {
      if ([401, 403, 404].includes(error.status)) { stop(); state.problem = error; return; }
    }
    if (state.on) connect();
  };
  const start = () => {
    Object.assign(state, { on: true, connected: false, lost: false, received: 0, rate: 0, problem: null });
    [waiting, arrived, attempts, fresh] = [[], [], 0, false];
    clock = setInterval(count, 1000);
    connect();
  };
  const stop = () => {
    close?.();
    cancelAnimationFrame(frame);
    clearInterval(clock);
    clearTimeout(again);
    frame = null;
    rows.value = null;
    Object.assign(state, { on: false, connected: false, lost: false });
  };
  onBeforeUnmount(stop);
  return { state, rows, start, stop };
}
