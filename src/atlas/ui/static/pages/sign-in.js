// Signing in with an API key.
import { button, check, field, input, notice } from "../components/ui.js";
import { onMounted, reactive, t } from "../dom.js";
import { session } from "../session.js";

export default {
  setup() {
    const state = reactive({ key: "", remember: false, busy: false, problem: "" });
    onMounted(() => { document.title = "Sign in · Atlas"; document.getElementById("f-api-key")?.focus(); });
    const submit = async (event) => {
      event.preventDefault();
      state.busy = true;
      state.problem = "";
      try {
        await session.signIn(state.key, state.remember);
      } catch (error) {
        state.problem = error.message;
      }
      state.busy = false;
    };
    return () => t.main({ class: "sign-in" },
      t.form({ class: "card", onSubmit: submit, autocomplete: "on" },
        t.div({ class: "brand" }, t.img({ src: "/ui/static/icon.svg", alt: "" }), "Atlas"),
        t.div(t.h1("Sign in"), t.p({ class: "muted" }, "Use your API key. It is kept in a cookie that scripts cannot read.")),
        session.problem && notice("warn", session.problem),
        field({ label: "API key", problem: state.problem, hint: state.problem ? "" : "It starts with atlas_live_sk_" }, (props) =>
          input(state, "key", { ...props, type: "password", autocomplete: "current-password", required: true, autofocus: true, spellcheck: false })),
        check(state, "remember", "Keep me signed in for 30 days"),
        button({ kind: "primary", type: "submit", busy: state.busy }, "Sign in"),
        t.p({ class: "small-text muted" }, "Lost it? Whoever runs the server makes another with ", t.code("atlas admin key create"), ".")));
  },
};
