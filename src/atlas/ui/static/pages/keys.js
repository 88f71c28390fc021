// One's own account: keys, use, how to connect, the model provider, webhooks.
import { Deliveries } from "../components/deliveries.js";
import { badge, pageHeader, tabs } from "../components/ui.js";
import { h, t } from "../dom.js";
import { go, route } from "../router.js";
import { session } from "../session.js";
import { Connect } from "./keys-connect.js";
import { KeyList } from "./keys-list.js";
import { ModelSettings } from "./keys-model.js";
import { Usage } from "./keys-usage.js";
import { WebhookSecret } from "./keys-webhooks.js";

const TABS = [["keys", "Keys"], ["usage", "Usage"], ["connect", "Connect"], ["model", "Model provider"], ["webhooks", "Webhooks"]];
const ROLES = { admin: "Administrator", operator: "Operator" };

export default {
  setup() {
    document.title = "Keys and usage · Atlas";
    const tab = () => (TABS.some(([name]) => name === route.query.tab) ? route.query.tab : "keys");
    const body = () => {
      switch (tab()) {
        case "usage": return h(Usage);
        case "connect": return h(Connect);
        case "model": return h(ModelSettings);
        case "webhooks": return t.div({ class: "stack" }, h(WebhookSecret), h(Deliveries));
        default: return h(KeyList);
      }
    };
    return () => t.div({ class: "page" },
      pageHeader({ title: "Keys and usage", text: `You are ${session.me.user.name} of ${session.me.organization.name}.`, beside: ROLES[session.role] && badge(ROLES[session.role], "accent") }),
      tabs("Parts of the account", tab(), TABS, (name) => go("/keys", name === "keys" ? {} : { tab: name }, { replace: true })), body());
  },
};
