// Managing users, keys, tags, jobs and what happened, for admins and operators.
import { api } from "../api.js";
import { Deliveries } from "../components/deliveries.js";
import { loader } from "../components/listing.js";
import { badge, button, empty, pageHeader, tabs } from "../components/ui.js";
import { h, reactive, t, watch } from "../dom.js";
import { go, href, route } from "../router.js";
import { session } from "../session.js";
import { Audit } from "./admin-audit.js";
import { Jobs } from "./admin-jobs.js";
import { AdminKeys } from "./admin-keys.js";
import { Organizations } from "./admin-organizations.js";
import { AdminTags } from "./admin-tags.js";
import { Users } from "./admin-users.js";

const TABS = [["users", "Users"], ["keys", "Keys"], ["tags", "Tags"], ["jobs", "Jobs"], ["deliveries", "Webhooks"], ["audit", "Audit log"]];
const PARTS = { users: Users, keys: AdminKeys, tags: AdminTags, jobs: Jobs, deliveries: Deliveries, audit: Audit, organizations: Organizations };
// What can be looked at for another organization.
// Of one organization at a time; jobs are of all.
const ACROSS = ["users", "keys"];

const Refused = () => t.div({ class: "page" }, pageHeader({ title: "Administration" }),
  t.div({ class: "card" }, empty("admin", "For administrators only", "You are a member of your organization. Whoever administers it, or the operator of this server, manages users, keys and jobs here and can give you that role.",
    button({ href: href("/keys") }, "Your own keys"))));

const Administration = {
  setup() {
    const operator = session.role === "operator";
    const choices = operator ? [...TABS, ["organizations", "Organizations"]] : TABS;
    const state = reactive({ organization: route.query.organization ?? session.me.organization.name });
    const organizations = operator ? loader(async () => (await api.get("/api/v1/admin/organizations")).organizations) : null;
    const tab = () => (choices.some(([name]) => name === route.query.tab) ? route.query.tab : "users");
    const elsewhere = () => (state.organization === session.me.organization.name ? "" : state.organization);
    const show = (name) => go("/admin", { tab: name, organization: elsewhere() }, { replace: true });
    watch(() => route.query.organization, (name) => { state.organization = name ?? session.me.organization.name; });
    const chooser = () => operator && ACROSS.includes(tab()) && organizations.data?.length > 1 && t.label({ class: "row small-text" }, "Organization",
      t.select({ class: "input compact", value: state.organization, onChange: (event) => { state.organization = event.target.value; show(tab()); } },
        organizations.data.map(({ name }) => t.option({ value: name, selected: name === state.organization }, name))));
    return () => t.div({ class: "page" },
      pageHeader({ title: "Administration", text: operator ? "Every organization on this server, its users and what they may do." : `Users, keys and jobs of ${session.me.organization.name}.`,
        beside: badge(operator ? "Operator" : "Administrator", "accent"), actions: [chooser()].filter(Boolean) }),
      tabs("Parts of the administration", tab(), choices, show),
      h(PARTS[tab()], { key: `${tab()}/${state.organization}`, ...(ACROSS.includes(tab()) ? { organization: elsewhere() } : {}), ...(tab() === "jobs" ? { across: operator } : {}) }));
  },
};

export default {
  setup() {
    document.title = "Administration · Atlas";
    return () => (session.isAdmin ? h(Administration) : h(Refused));
  },
};
