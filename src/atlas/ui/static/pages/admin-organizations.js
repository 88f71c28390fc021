// Every organization of the server, for operators.
import { api } from "../api.js";
import { browsing, listing, loader } from "../components/listing.js";
import { sorted, sorting } from "../components/sorting.js";
import { badge, button, empty, loading, notice, pager, search } from "../components/ui.js";
import { t } from "../dom.js";
import { count, moment } from "../format.js";
import { href } from "../router.js";
import { session } from "../session.js";

export const Organizations = {
  setup() {
    const view = browsing();
    const sort = sorting("", "name");
    const fields = { name: (one) => one.name, users: (one) => one.users, made: (one) => one.created_at };
    const list = loader(async () => (await api.get("/api/v1/admin/organizations")).organizations);
    const to = (one, tab) => href("/admin", { tab, organization: one.name });
    const row = (one) => t.tr({ key: one.id },
      t.td(t.div({ class: "row" }, t.b(one.name), one.id === session.me.organization.id && badge("Yours", "accent"))),
      t.td({ class: "number" }, count(one.users)), t.td({ class: "nowrap muted" }, moment(one.created_at, 10)),
      t.td({ class: "actions" }, t.div({ class: "row end" }, button({ size: "small", href: to(one, "users"), label: `Users of ${one.name}` }, "Users"), button({ size: "small", href: to(one, "keys"), label: `Keys of ${one.name}` }, "Keys"))));
    return () => {
      const found = sorted(view.found(list.data ?? [], (one) => one.name), sort, fields);
      return t.section({ class: "stack", "aria-label": "Organizations" },
        t.div({ class: "row between" }, search(view, "text", "Search organizations"), t.span({ class: "muted small-text" }, "New ones are made with ", t.code("atlas admin org create"), ".")),
        list.problem && notice("bad", list.problem),
        !list.data ? !list.problem && loading() : found.length === 0 ? t.div({ class: "card" }, empty("search", "Nothing found", `No organization matches “${view.text}”.`))
          : [listing("Organizations", [["Organization", "", "name"], ["Users", "number", "users"], ["Made", "", "made"], ""], view.page(found).map(row), null, sort),
            pager({ offset: view.offset, limit: view.limit, total: found.length }, (offset) => { view.offset = offset; })]);
    };
  },
};
