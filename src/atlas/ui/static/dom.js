// Vue without its template compiler (which would need 'unsafe-eval'): elements are made by calls, t.div({class: "x"}, …).
import {
  computed, createApp, h, nextTick, onBeforeUnmount, onMounted, onUpdated, reactive, ref, shallowReactive, shallowRef, toRaw, watch,
  watchEffect,
} from "/ui/lib/vue/index.js";

export {
  computed, createApp, h, nextTick, onBeforeUnmount, onMounted, onUpdated, reactive, ref, shallowReactive, shallowRef, toRaw, watch,
  watchEffect,
};

const isProps = (value) =>
  value !== null && typeof value === "object" && !Array.isArray(value) && !value.__v_isVNode;

/**
 * `t.tag(props?, …children)` makes an element. Children may be nested arrays; null and false are left out.
 * @type {Record<string, (...given: any[]) => any>}
 */
export const t = new Proxy({}, {
  get: (_, tag) => (...given) => {
    const props = isProps(given[0]) ? given.shift() : null;
    return h(tag, props, given.flat(Infinity).filter((child) => child !== null && child !== false && child !== undefined));
  },
});

/** Class names of those keys whose value is true, after `base`. */
export function classes(base, flags = {}) {
  return [base, ...Object.keys(flags).filter((name) => flags[name])].join(" ");
}

let counter = 0;
/** An id for an element that a label or a description refers to. */
export const uid = (prefix = "id") => `${prefix}-${(counter += 1)}`;

/** Calls `run` once nobody has called for `ms`. */
export function debounce(run, ms) {
  let timer;
  return (...args) => {
    clearTimeout(timer);
    timer = setTimeout(() => run(...args), ms);
  };
}

/**
 * Makes a function that runs `fetch(signal)`, then `take(found)` or `fail(error)`. Where it is called again meanwhile, the earlier
 * request is aborted and its answer dropped: what is shown belongs to what was chosen last.
 */
export function latest(fetch, take, fail) {
  let request;
  return async () => {
    request?.abort();
    request = new AbortController();
    const { signal } = request;
    try {
      const found = await fetch(signal);
      if (!signal.aborted) take(found);
    } catch (error) {
      if (!signal.aborted) fail(error);
    }
  };
}
