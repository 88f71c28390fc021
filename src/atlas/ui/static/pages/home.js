// The start page: favourites, what was looked at last, what waits, and where to begin.
import { empty, pageHeader } from "../components/ui.js";
import { star } from "../components/star.js";
import { t } from "../dom.js";
import { many } from "../format.js";
import { icon } from "../icons.js";
import { favourites, placeOf, recent } from "../kept.js";
import { href } from "../router.js";
import { session } from "../session.js";
import { waiting } from "../waiting.js";

const STARTS = [
  ["/datasets?new=1", "series", "New dataset", "Timestamped rows from a file or a program"], ["/import", "upload", "Import a file", "CSV, Excel, JSON and more become a table"],
  ["/ask", "ask", "Ask a question", "In plain English, with the SQL"], ["/sql", "code", "Write SQL", "With completion and saved queries"],
];
const place = (one, more) => t.li({ key: one.path }, t.a({ href: href(one.path), title: one.text }, icon(one.icon), t.span({ class: "truncate" }, one.text)), more);

export default {
  setup() {
    document.title = "Home · Atlas";
    favourites.load();
    const marked = () => (favourites.list ?? []).map((one) => place(placeOf(one), star(one.kind, one.kind === "dataset" ? one.dataset_id : one.name, one.name)));
    const last = recent().slice(0, 10);
    return () => t.div({ class: "page" },
      pageHeader({ title: "Home", text: `Welcome, ${session.me.user.name}.` }),
      waiting.count > 0 && t.div({ class: "notice warn" }, icon("alert"), t.div({ class: "grow" }, `${many(waiting.count, "import waits", "imports wait")} for your decisions. `, t.a({ class: "underlined", href: href("/imports", { waiting: "true" }) }, waiting.count === 1 ? "Review it" : "Review them"))),
      t.div({ class: "starts" }, STARTS.map(([path, name, title, text]) => t.a({ class: "start", href: `/ui${path}` }, icon(name), t.div(t.b(title), t.span(text))))),
      t.div({ class: "home" },
        t.section({ class: "card", "aria-label": "Favourites" }, t.div({ class: "card-head" }, t.h2("Favourites")),
          favourites.list?.length ? t.ul({ class: "places" }, marked()) : empty("star", "No favourites yet", "Press the star beside the name of a dataset or a table, and it stands here.")),
        t.section({ class: "card", "aria-label": "Recent" }, t.div({ class: "card-head" }, t.h2("Recent")),
          last.length ? t.ul({ class: "places" }, last.map((one) => place(one))) : empty("history", "Nothing yet", "What you open stands here, in this browser."))));
  },
};
