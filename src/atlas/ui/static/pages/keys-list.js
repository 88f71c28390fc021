// One's own keys: make, rotate, revoke.
import { api } from "../api.js";
import { listing, loader } from "../components/listing.js";
import { sorted, sorting } from "../components/sorting.js";
import { KeyShown, NewKeyDialog } from "../components/new-key.js";
import { ask, attempt } from "../components/overlays.js";
import { badge, button, check, loading, notice } from "../components/ui.js";
import { h, reactive, t } from "../dom.js";
import { ago, moment } from "../format.js";
import { session } from "../session.js";

/** What a key is now: a word and a kind of badge. */
export function keyState(key) {
  if (key.revoked_at) return ["revoked", "bad"];
  if (key.expires_at && new Date(key.expires_at) < new Date()) return ["expired", "warn"];
  return ["live", "good"];
}

const FIELDS = { name: (key) => key.name, made: (key) => key.created_at, expires: (key) => key.expires_at, used: (key) => key.last_used_at };

export const KeyList = {
  setup() {
    const state = reactive({ creating: false, made: null, told: "", dead: false, busy: 0 });
    const sort = sorting();
    const list = loader(async () => (await api.get("/api/v1/keys")).keys);
    const current = (key) => key.id === session.me.key.id;
    const show = (made, told = "") => { Object.assign(state, { made, told, creating: false }); list.load(); };
    const rotate = async (key) => {
      const sure = await ask({ title: `Rotate “${key.name || key.prefix}”?`, confirm: "Rotate it", danger: true,
        text: `It ends at once, and you get another with the same name and expiry. ${current(key) ? "You stay signed in here, with the new one." : "What uses it must be given the new one."}` });
      if (!sure) return;
      state.busy = key.id;
      const made = await attempt(() => api.post(`/api/v1/keys/${key.id}/rotate`));
      if (made && current(key)) await attempt(() => session.signIn(made.key, false));
      if (made) show(made, "The old key does not work any more.");
      state.busy = 0;
    };
    const revoke = async (key) => {
      const sure = await ask({ title: `Revoke “${key.name || key.prefix}”?`, confirm: "Revoke it", danger: true,
        text: current(key) ? "You are signed in with this key, so you are signed out at once. Make sure that you have another." : "Whatever uses it is refused at once. This cannot be undone." });
      if (!sure) return;
      state.busy = key.id;
      const done = await attempt(() => api.del(`/api/v1/keys/${key.id}`), "The key was revoked");
      if (done && current(key)) await session.signOut();
      else if (done) await list.load();
      state.busy = 0;
    };
    const everywhere = async () => {
      const sure = await ask({ title: "Sign out everywhere?", confirm: "Sign out", danger: true,
        text: "Every browser in which you are signed in must sign in again, this one too. Your keys stay as they are." });
      if (sure) await attempt(() => session.signOut(true));
    };
    const row = (key) => {
      const [word, kind] = keyState(key);
      const name = key.name || "no name";
      return t.tr({ key: key.id },
        t.td(t.div({ class: "row" }, t.b(name), current(key) && badge("This session", "accent"), word !== "live" && badge(word, kind)), t.code({ class: "muted" }, `${key.prefix}…`)),
        t.td({ class: "nowrap muted" }, moment(key.created_at, 10)),
        t.td({ class: "nowrap muted" }, key.expires_at ? moment(key.expires_at.slice(0, 10)) : "never"),
        t.td({ class: "nowrap muted" }, ago(key.last_used_at)),
        t.td({ class: "actions" }, word === "live" && t.div({ class: "row end" },
          button({ size: "small", icon: "redo", busy: state.busy === key.id, label: `Rotate ${name}`, onClick: () => rotate(key) }, "Rotate"),
          button({ size: "small", kind: "danger", disabled: state.busy === key.id, label: `Revoke ${name}`, onClick: () => revoke(key) }, "Revoke"))));
    };
    return () => {
      const dead = (list.data ?? []).filter((key) => keyState(key)[0] !== "live").length;
      const shown = sorted((list.data ?? []).filter((key) => state.dead || keyState(key)[0] === "live"), sort, FIELDS);
      return t.section({ class: "stack", "aria-label": "Keys" },
        t.div({ class: "row between" }, t.p({ class: "muted intro" }, "A key stands for you in programs, on the command line and here. Use one for each place, so that you can end it alone."),
          t.div({ class: "row" }, button({ icon: "out", onClick: everywhere }, "Sign out everywhere"),
            button({ kind: "primary", icon: "plus", onClick: () => { state.creating = true; } }, "New key"))),
        list.problem && notice("bad", list.problem),
        !list.data ? !list.problem && loading() : listing("Keys", [["Key", "", "name"], ["Made", "", "made"], ["Expires", "", "expires"], ["Last used", "", "used"], ""], shown.map(row), null, sort),
        dead > 0 && check(state, "dead", `Show ${dead} revoked or expired`),
        state.creating && h(NewKeyDialog, { create: (body) => api.post("/api/v1/keys", body), onClose: () => { state.creating = false; }, onMade: (made) => show(made) }),
        state.made && h(KeyShown, { made: state.made, text: state.told, onClose: () => { state.made = null; } }));
    };
  },
};
