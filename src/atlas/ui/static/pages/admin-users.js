// Users of an organization: make, give a role, make a key for, end all keys of.
import { api, url } from "../api.js";
import { browsing, listing, loader } from "../components/listing.js";
import { sorted, sorting } from "../components/sorting.js";
import { KeyShown, NewKeyDialog } from "../components/new-key.js";
import { Dialog, ask, attempt, toast } from "../components/overlays.js";
import { badge, button, empty, field, input, loading, notice, pager, search, select } from "../components/ui.js";
import { h, reactive, t } from "../dom.js";
import { ago, count, many, moment } from "../format.js";
import { session } from "../session.js";

const ROLES = [["member", "Member"], ["admin", "Administrator"], ["operator", "Operator"]];
const MEANINGS = { member: "Works with data.", admin: "Also manages users, keys and jobs of the organization.", operator: "Also makes tags, and manages every organization." };
const FIELDS = { name: (user) => user.name, role: (user) => ROLES.findIndex(([role]) => role === user.role), keys: (user) => user.keys, datasets: (user) => user.datasets, used: (user) => user.last_used_at };
const roles = () => (session.role === "operator" ? ROLES : ROLES.slice(0, 2));

const NewUser = {
  props: { organization: String },
  emits: ["close", "made"],
  setup(props, { emit }) {
    const state = reactive({ name: "", role: "member", busy: false, problem: null });
    const submit = async (event) => {
      event.preventDefault();
      Object.assign(state, { busy: true, problem: null });
      try {
        await api.post(url("/api/v1/admin/users", { organization: props.organization }), { name: state.name.trim(), role: state.role });
        emit("made", state.name.trim());
      } catch (error) { state.problem = error; }
      state.busy = false;
    };
    return () => h(Dialog, { title: "New user", onClose: () => emit("close") }, {
      default: () => t.form({ class: "stack", id: "user-form", onSubmit: submit },
        field({ label: "Name", id: "user-name" }, (p) => input(state, "name", { ...p, required: true, maxlength: 200, autofocus: true, autocomplete: "off", placeholder: "carol" })),
        field({ label: "Role", id: "user-role", hint: MEANINGS[state.role] }, (p) => select(state, "role", roles(), p)),
        state.problem && notice("bad", state.problem)),
      foot: () => [button({ onClick: () => emit("close") }, "Cancel"), button({ kind: "primary", type: "submit", form: "user-form", busy: state.busy }, "Create user")],
    });
  },
};

export const Users = {
  props: { organization: String },
  setup(props) {
    const view = browsing();
    const sort = sorting("", "name");
    const state = reactive({ creating: false, keyFor: null, made: null, busy: 0 });
    const list = loader(async () => (await api.get("/api/v1/admin/users", { organization: props.organization })).users);
    const setRole = async (user, event) => {
      const role = event.target.value;
      const own = user.id === session.me.user.id;
      event.target.value = user.role;
      if (own && !await ask({ title: "Change your own role?", text: "You may not be able to take it back yourself.", confirm: "Change it", danger: true })) return;
      state.busy = user.id;
      if (await attempt(() => api.patch(`/api/v1/admin/users/${user.id}`, { role }), `${user.name} is ${ROLES.find(([one]) => one === role)[1].toLowerCase()} now`)) {
        if (own) await session.load();
        await list.load();
      }
      state.busy = 0;
    };
    const disable = async (user) => {
      const sure = await ask({ title: `End all keys of ${user.name}?`, text: `${many(user.keys, "key")} stop working at once. Data and the user stay, and a new key lets them in again.`, confirm: "End them", danger: true });
      if (!sure) return;
      const done = await attempt(() => api.post(`/api/v1/admin/users/${user.id}/disable`));
      if (done) { toast("good", `${many(done.revoked_keys, "key")} of ${user.name} ended`); list.load(); }
    };
    const row = (user) => {
      const fixed = session.role !== "operator" && user.role === "operator";
      return t.tr({ key: user.id },
        t.td(t.div({ class: "row" }, t.b(user.name), user.id === session.me.user.id && badge("You", "accent"), user.keys === 0 && badge("no key")), t.div({ class: "muted small-text" }, `since ${moment(user.created_at, 10)}`)),
        t.td(t.select({ class: "input compact", "aria-label": `Role of ${user.name}`, value: user.role, disabled: fixed || state.busy === user.id, onChange: (event) => setRole(user, event) },
          (fixed ? ROLES : roles()).map(([value, text]) => t.option({ value, selected: value === user.role }, text)))),
        t.td({ class: "number" }, count(user.keys)), t.td({ class: "number" }, count(user.datasets)), t.td({ class: "nowrap muted" }, ago(user.last_used_at)),
        t.td({ class: "actions" }, !fixed && t.div({ class: "row end" },
          button({ size: "small", icon: "key", label: `New key for ${user.name}`, onClick: () => { state.keyFor = user.name; } }, "New key"),
          user.id !== session.me.user.id && button({ size: "small", kind: "danger", disabled: user.keys === 0, label: `Disable ${user.name}`, onClick: () => disable(user) }, "Disable"))));
    };
    const created = async (name) => { state.creating = false; toast("good", `${name} was created. A key lets them in.`); await list.load(); state.keyFor = name; };
    return () => {
      const found = sorted(view.found(list.data ?? [], (user) => `${user.name} ${user.role}`), sort, FIELDS);
      return t.section({ class: "stack", "aria-label": "Users" },
        t.div({ class: "row between" }, search(view, "text", "Search users"), button({ kind: "primary", icon: "plus", onClick: () => { state.creating = true; } }, "New user")),
        list.problem && notice("bad", list.problem),
        !list.data ? !list.problem && loading() : found.length === 0 ? t.div({ class: "card" }, empty("search", "Nobody found", view.text ? `No user matches “${view.text}”.` : "This organization has no users yet."))
          : [listing("Users", [["User", "", "name"], ["Role", "", "role"], ["Keys", "number", "keys"], ["Datasets", "number", "datasets"], ["Last used", "", "used"], ""], view.page(found).map(row), null, sort),
            pager({ offset: view.offset, limit: view.limit, total: found.length }, (offset) => { view.offset = offset; })],
        state.creating && h(NewUser, { organization: props.organization, onClose: () => { state.creating = false; }, onMade: created }),
        state.keyFor && h(NewKeyDialog, { users: [state.keyFor], user: state.keyFor, create: (body) => api.post(url("/api/v1/admin/keys", { organization: props.organization }), body),
          onClose: () => { state.keyFor = null; }, onMade: (made) => { state.keyFor = null; state.made = made; list.load(); } }),
        state.made && h(KeyShown, { made: state.made, text: `Give it to ${state.made.user ?? "the user"}, who signs in with it.`, onClose: () => { state.made = null; } }));
    };
  },
};
