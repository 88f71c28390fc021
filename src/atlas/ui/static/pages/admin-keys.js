// Keys of all users of an organization.
import { api, url } from "../api.js";
import { browsing, listing, loader } from "../components/listing.js";
import { sorted, sorting } from "../components/sorting.js";
import { KeyShown, NewKeyDialog } from "../components/new-key.js";
import { ask, attempt } from "../components/overlays.js";
import { badge, button, check, empty, loading, notice, pager, search } from "../components/ui.js";
import { h, reactive, t } from "../dom.js";
import { ago, moment } from "../format.js";
import { session } from "../session.js";
import { keyState } from "./keys-list.js";

const FIELDS = { user: (key) => key.user, name: (key) => key.name, status: (key) => keyState(key)[0], expires: (key) => key.expires_at, used: (key) => key.last_used_at };

export const AdminKeys = {
  props: { organization: String },
  setup(props) {
    const view = browsing();
    const sort = sorting("", "user");
    const state = reactive({ dead: false, creating: false, made: null });
    const list = loader(async () => (await api.get("/api/v1/admin/keys", { organization: props.organization })).keys);
    const users = loader(async () => (await api.get("/api/v1/admin/users", { organization: props.organization })).users.map(({ name }) => name));
    const revoke = async (key) => {
      const own = key.id === session.me.key.id;
      const sure = await ask({ title: `Revoke “${key.name || key.prefix}” of ${key.user}?`, confirm: "Revoke it", danger: true,
        text: own ? "You are signed in with this key, so you are signed out at once." : "Whatever uses it is refused at once. This cannot be undone." });
      if (!sure) return;
      const done = await attempt(() => api.del(`/api/v1/admin/keys/${key.id}`), "The key was revoked");
      if (done && own) await session.signOut();
      else if (done) list.load();
    };
    const row = (key) => {
      const [word, kind] = keyState(key);
      return t.tr({ key: key.id },
        t.td(t.b(key.user)),
        t.td(t.div({ class: "row" }, key.name || t.span({ class: "muted" }, "no name"), key.id === session.me.key.id && badge("This session", "accent")), t.code({ class: "muted" }, `${key.prefix}…`)),
        t.td(badge(word, kind)),
        t.td({ class: "nowrap muted" }, key.expires_at ? moment(key.expires_at.slice(0, 10)) : "never"),
        t.td({ class: "nowrap muted" }, ago(key.last_used_at)),
        t.td({ class: "actions" }, word === "live" && button({ size: "small", kind: "danger", label: `Revoke ${key.name || key.prefix} of ${key.user}`, onClick: () => revoke(key) }, "Revoke")));
    };
    return () => {
      const live = (list.data ?? []).filter((key) => state.dead || keyState(key)[0] === "live");
      const found = sorted(view.found(live, (key) => `${key.user} ${key.name} ${key.prefix}`), sort, FIELDS);
      return t.section({ class: "stack", "aria-label": "Keys" },
        t.div({ class: "row between" }, t.div({ class: "row grow" }, search(view, "text", "Search keys"), check(state, "dead", "Also revoked and expired")),
          button({ kind: "primary", icon: "plus", disabled: !users.data?.length, onClick: () => { state.creating = true; } }, "New key")),
        list.problem && notice("bad", list.problem),
        !list.data ? !list.problem && loading() : found.length === 0 ? t.div({ class: "card" }, empty("key", "No keys", view.text ? `No key matches “${view.text}”.` : "Make one for a user."))
          : [listing("Keys", [["User", "", "user"], ["Key", "", "name"], ["Status", "", "status"], ["Expires", "", "expires"], ["Last used", "", "used"], ""], view.page(found).map(row), null, sort),
            pager({ offset: view.offset, limit: view.limit, total: found.length }, (offset) => { view.offset = offset; })],
        state.creating && h(NewKeyDialog, { users: users.data, create: (body) => api.post(url("/api/v1/admin/keys", { organization: props.organization }), body),
          onClose: () => { state.creating = false; }, onMade: (made) => { Object.assign(state, { creating: false, made }); list.load(); } }),
        state.made && h(KeyShown, { made: state.made, text: `Give it to ${state.made.user ?? "the user"}, who signs in with it.`, onClose: () => { state.made = null; } }));
    };
  },
};
