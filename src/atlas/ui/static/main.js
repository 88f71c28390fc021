// The frame around all pages: navigation, who is signed in, the theme.
import { attempt, Overlays, Menu } from "./components/overlays.js";
import { announcement, arrive } from "./components/focus.js";
import { Palette } from "./components/palette.js";
import { Shortcuts } from "./components/shortcuts.js";
import { button, loading, notice } from "./components/ui.js";
import { createApp, h, nextTick, onMounted, ref, t, watch } from "./dom.js";
import { compact } from "./format.js";
import { icon } from "./icons.js";
import SignIn from "./pages/sign-in.js";
import { go, href, pageComponent, pageError, route, startRouter } from "./router.js";
import { session } from "./session.js";
import { theme } from "./theme.js";
import { waiting } from "./waiting.js";
import { zone } from "./zone.js";

/** @type {[string, string[][]][]} */
const SECTIONS = [
  ["", [["/", "home", "Home"]]],
  ["Time series", [["/datasets", "series", "Datasets"], ["/tags", "tag", "Tags"]]],
  ["Content", [["/import", "upload", "Import"], ["/imports", "history", "Imports"], ["/tables", "table", "Tables"]]],
  ["Explore", [["/ask", "ask", "Ask"], ["/sql", "code", "SQL"]]],
  ["Account", [["/keys", "key", "Keys and usage"], ["/admin", "admin", "Administration"]]],
];
const THEMES = [["light", "sun", "Light"], ["dark", "moon", "Dark"], ["system", "system", "As the system"]];

const brand = () => t.a({ class: "brand", href: href("/") }, t.img({ src: "/ui/static/icon.svg", alt: "" }), "Atlas");

function navigation() {
  const current = (path) => route.path === path || (path !== "/" && route.path.startsWith(`${path}/`));
  return SECTIONS.map(([title, links]) => [
    title && t.div({ class: "nav-title" }, title),
    links.filter(([path]) => path !== "/admin" || session.isAdmin).map(([path, name, text]) =>
      t.a({ class: "nav-link", href: href(path), "aria-current": current(path) ? "page" : undefined }, icon(name), text,
        path === "/imports" && waiting.count > 0 && t.span({ class: "badge warn count", title: "Imports that wait for review" }, compact(waiting.count), t.span({ class: "visually-hidden" }, " waiting for review")))),
  ]);
}

const Frame = {
  setup() {
    const open = ref(false);
    // What lies over the page: "palette", "help" or nothing.
    const over = ref("");
    watch(() => route.path, () => { open.value = false; waiting.load(); });
    onMounted(() => waiting.load());
    const keys = (event) => {
      if (event.key === "Escape") open.value = false;
      if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey) {
        event.preventDefault();
        if (over.value || !document.querySelector("dialog[open]")) over.value = over.value === "palette" ? "" : "palette";
        return;
      }
      const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) || event.target.isContentEditable;
      if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
        const search = document.querySelector("main input[type=search]");
        if (search) { event.preventDefault(); /** @type {HTMLElement} */ (search).focus(); }
      }
      if (event.key === "?" && !typing && !event.ctrlKey && !event.metaKey && !document.querySelector("dialog[open]")) { event.preventDefault(); over.value = "help"; }
    };
    onMounted(() => addEventListener("keydown", keys));
    const themeMenu = () => h(Menu, {
      label: "Theme", icon: theme.dark ? "moon" : "sun", kind: "plain small", iconOnly: true,
      items: THEMES.map(([choice, name, text]) => ({ icon: name, text, run: () => theme.set(choice) })),
    });
    const zoneMenu = () => h(Menu, {
      label: `Times in ${zone.local ? "local time" : "UTC"}`, icon: "clock", kind: "plain small", iconOnly: true,
      items: [{ heading: "Show times in" }, ...[[false, "UTC"], [true, `Local time (${zone.here})`]].map(([local, text]) => ({
        icon: zone.local === local ? "check" : "blank", text, label: zone.local === local ? `${text}, chosen` : text, run: () => zone.set(local),
      }))],
    });
    const user = () => t.div({ class: "user" },
      t.div({ class: "user-name" }, t.b(session.me.user.name), t.small(session.me.organization.name)),
      button({ kind: "plain", size: "small", icon: "out", label: "Sign out", onClick: () => attempt(() => session.signOut()) }));
    return () => t.div({ class: "frame" },
      t.a({ class: "skip", href: "#content", onClick: (event) => { event.preventDefault(); document.querySelector("main").focus(); } }, "Skip to the content"),
      t.header({ class: "top-bar" },
        button({ kind: "plain", icon: "menu", label: "Menu", "aria-expanded": String(open.value), onClick: () => { open.value = true; } }), brand(),
        t.div({ class: "row tools" }, button({ kind: "plain small", icon: "search", label: "Go to", onClick: () => { over.value = "palette"; } }), zoneMenu(), themeMenu())),
      over.value === "palette" ? h(Palette, { key: "palette", onClose: () => { over.value = ""; }, onHelp: () => { over.value = "help"; } }) : over.value === "help" && h(Shortcuts, { key: "help", onClose: () => { over.value = ""; } }),
      open.value && t.button({ class: "scrim", "aria-label": "Close the menu", onClick: () => { open.value = false; } }),
      t.nav({ class: ["sidebar", { open: open.value }], "aria-label": "Main" },
        brand(), t.button({ type: "button", class: "palette-button", "aria-keyshortcuts": "Control+K", onClick: () => { over.value = "palette"; } }, icon("search"), "Go to", t.kbd("Ctrl K")),
        navigation(), t.div({ class: "nav-space" }),
        t.a({ class: "nav-link", href: "/docs", target: "_blank", rel: "noopener" }, icon("book"), "API reference"),
        t.button({ type: "button", class: "nav-link", "aria-keyshortcuts": "?", onClick: () => { over.value = "help"; } }, icon("help"), "Keyboard shortcuts"),
        t.div({ class: "sidebar-foot" }, t.span({ class: "nav-link version" }, icon("info"), `Version ${session.me.version}`), t.div({ class: "row tools" }, zoneMenu(), themeMenu())),
        user()),
      t.main({ id: "content", tabindex: -1 },
        pageError.value ? notice("bad", "This page could not be loaded.", " ", button({ size: "small", onClick: () => location.reload() }, "Reload"))
          : pageComponent.value ? h(pageComponent.value, { key: route.path, ...route.params }) : loading()));
  },
};

const App = {
  setup() {
    watch(() => session.me && true, async (signedIn, before) => {
      if (!signedIn) return;
      await startOnce();
      await nextTick();
      // The form is gone; a page that was only loaded anew begins at its start, as browsers do.
      if (before === false) arrive();
    });
    return () => [
      session.me === null ? loading() : session.me ? h(Frame) : h(SignIn),
      h(Overlays), t.div({ class: "visually-hidden", role: "status", "aria-live": "polite", "data-announcement": "" }, announcement.value),
    ];
  },
};

let started = false;
async function startOnce() {
  if (started) return;
  started = true;
  await startRouter();
}

const app = createApp(App);
app.config.errorHandler = (error) => console.error(error);
app.mount("#app");
session.load();

export { go };
