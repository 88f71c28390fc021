// The secret that webhooks are signed with.
import { api } from "../api.js";
import { ask, attempt } from "../components/overlays.js";
import { snippet } from "../components/snippets.js";
import { button } from "../components/ui.js";
import { reactive, t } from "../dom.js";
import { session } from "../session.js";

export const WebhookSecret = {
  setup() {
    const state = reactive({ secret: "", busy: false });
    const show = async () => {
      if (state.secret) { state.secret = ""; return; }
      state.busy = true;
      state.secret = (await attempt(() => api.get("/api/v1/webhooks/secret")))?.secret ?? "";
      state.busy = false;
    };
    const rotate = async () => {
      const sure = await ask({ title: "Rotate the webhook secret?", text: "The old one signs nothing any more. Whoever checks your webhooks must be given the new one.", confirm: "Rotate it", danger: true });
      if (!sure) return;
      const made = await attempt(() => api.post("/api/v1/webhooks/secret/rotate"), "There is a new secret");
      if (made) state.secret = made.secret;
    };
    return () => t.section({ class: "card stack", "aria-label": "Webhook secret" },
      t.div({ class: "row between" }, t.div({ class: "intro" }, t.h2("Webhook secret"), t.p({ class: "muted small-text" }, "Check with it that a webhook came from here. Your organization has one; signatures follow Standard Webhooks.")),
        session.isAdmin && t.div({ class: "row" }, button({ busy: state.busy, onClick: show }, state.secret ? "Hide" : "Show"), button({ kind: "danger", onClick: rotate }, "Rotate"))),
      !session.isAdmin && t.p({ class: "muted" }, "Only administrators of your organization see and rotate it, as who has it can sign in the organization's name."),
      state.secret && snippet(state.secret, "Copy the secret"));
  },
};
