// Addresses to pages. Each page is a module of its own, loaded when it is first shown.
import { arrive } from "./components/focus.js";
import { nextTick, reactive, shallowRef } from "./dom.js";

const ROOT = "/ui";

const ROUTES = [
  ["/", "home"],
  ["/datasets", "datasets"],
  ["/datasets/:id", "dataset"],
  ["/tags", "tags"],
  ["/import", "import"],
  ["/imports", "imports"],
  ["/imports/:id", "review"],
  ["/tables", "tables"],
  ["/tables/:name", "table"],
  ["/ask", "ask"],
  ["/sql", "sql"],
  ["/keys", "keys"],
  ["/admin", "admin"],
].map(([pattern, page]) => ({
  page,
  names: [...pattern.matchAll(/:(\w+)/g)].map((match) => match[1]),
  expression: new RegExp(`^${pattern.replace(/:\w+/g, "([^/]+)")}$`),
}));

export const route = reactive({ path: "/", page: "", params: {}, query: {} });
export const pageComponent = shallowRef(null);
export const pageError = shallowRef(null);

function match(path) {
  for (const { page, names, expression } of ROUTES) {
    const found = expression.exec(path.replace(/(.)\/$/, "$1"));
    if (found) return { page, params: Object.fromEntries(names.map((name, n) => [name, decodeURIComponent(found[n + 1])])) };
  }
  return { page: "missing", params: {} };
}

async function show() {
  const path = location.pathname.slice(ROOT.length) || "/";
  const found = match(path);
  let component = null, problem = null;
  try {
    component = (await import(`./pages/${found.page}.js`)).default;
  } catch (error) {
    console.error(error);
    problem = error;
  }
  // Somebody may have gone on meanwhile. The page and its parameters change together: the one before must not see them.
  if (path !== (location.pathname.slice(ROOT.length) || "/")) return;
  Object.assign(route, { path, ...found, query: Object.fromEntries(new URLSearchParams(location.search)) });
  pageError.value = problem;
  if (component) pageComponent.value = component;
  await nextTick();
}

/** The address of a page of ours, for links. `query` as in api.url. */
export function href(path, query) {
  const text = new URLSearchParams(Object.entries(query || {}).filter(([, value]) => value !== "" && value != null)).toString();
  return `${ROOT}${path}${text ? `?${text}` : ""}`;
}

/** Shows another page. `replace` leaves no trace in the history, as for a filter that changes while typing. */
export async function go(path, query, { replace = false } = {}) {
  history[replace ? "replaceState" : "pushState"](null, "", href(path, query));
  const before = route.path;
  await show();
  if (before !== route.path) { scrollTo(0, 0); arrive(); }
}

/** Somebody went back or on by the browser's buttons. */
async function moved() {
  const before = route.path;
  await show();
  if (before !== route.path) arrive();
}

/** Keeps filters in the address of the page that is shown; does nothing once another is asked for, so that it may come late. */
export function keepQuery(path, query) {
  if (new URL(href(path), location.origin).pathname === location.pathname) go(path, query, { replace: true });
}

/** Reacts to links and the browser's buttons from now on. */
export function startRouter() {
  addEventListener("popstate", moved);
  document.addEventListener("click", (event) => {
    const link = /** @type {HTMLAnchorElement} */ (/** @type {Element} */ (event.target).closest?.("a[href]"));
    const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (!link || !plain || link.target || link.hasAttribute("download")) return;
    const address = new URL(link.href);
    if (address.origin !== location.origin || !/^\/ui(\/|$)/.test(address.pathname)) return;
    event.preventDefault();
    go(address.pathname.slice(ROOT.length) || "/", Object.fromEntries(address.searchParams));
  });
  return show();
}
