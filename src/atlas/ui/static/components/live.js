// The rows of a dataset as they arrive.
import { api, events } from "../api.js";
import { onBeforeUnmount, reactive, shallowRef } from "../dom.js";
import { toast } from "./overlays.js";

const MOST = 3000;
const WINDOW = 5000;
const LONGEST_WAIT = 15_000;
// Rows are handed on so often, in milliseconds.
const EVERY = 200;

/**
 * `state` says whether it is on, connected and how fast; `state.joined` counts the connections, before each of which rows may
 * have been missed. `rows` holds those that arrived last, {timestamp, values, n}, in order of arrival: `n` counts them from 1.
 */
export function useLive(dataset) {
  const state = reactive({ on: false, connected: false, lost: false, received: 0, rate: 0, joined: 0, problem: null });
  const rows = shallowRef([]);
  let close, timer, clock, again, waiting = [], arrived = [], attempts = 0, fresh = true;

  const flush = () => {
    timer = null;
    rows.value = [...rows.value, ...waiting].slice(-MOST);
    waiting = [];
  };
  const count = () => {
    const now = performance.now();
    arrived = arrived.filter(([at]) => now - at < WINDOW);
    state.rate = arrived.reduce((sum, [, n]) => sum + n, 0) / (WINDOW / 1000);
  };
  const take = ({ timestamp, ...values }) => {
    state.received += 1;
    waiting.push({ timestamp, values, n: state.received });
    // A page in the background has slow timers, but rows still arrive.
    if (waiting.length > 2 * MOST) waiting = waiting.slice(-MOST);
    const now = performance.now();
    if (arrived.length && now - arrived.at(-1)[0] < 100) arrived.at(-1)[1] += 1;
    else arrived.push([now, 1]);
    timer ??= setTimeout(flush, EVERY);
  };

  const connect = () => {
    close = events("/api/rows/stream/", { dataset, poll_interval: 2 }, {
      connected: () => {
        const resumed = state.lost;
        Object.assign(state, { connected: true, lost: false });
        attempts = 0;
        // The browser itself resumes where it was; a stream that we opened anew has missed rows.
        if (fresh) state.joined += 1;
        fresh = false;
        if (resumed) toast("good", "Connected again");
      },
      data: take,
      correction: take,
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
    Object.assign(state, { on: true, connected: false, lost: false, received: 0, rate: 0, joined: 0, problem: null });
    rows.value = [];
    [waiting, arrived, attempts, fresh] = [[], [], 0, true];
    clock = setInterval(count, 1000);
    connect();
  };
  const stop = () => {
    close?.();
    clearTimeout(timer);
    clearInterval(clock);
    clearTimeout(again);
    timer = null;
    Object.assign(state, { on: false, connected: false, lost: false });
  };
  onBeforeUnmount(stop);
  return { state, rows, start, stop };
}
