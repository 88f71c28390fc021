// How to reach this server from elsewhere.
import { Snippets } from "../components/snippets.js";
import { h, t } from "../dom.js";
import { session } from "../session.js";

const URL = () => location.origin;

export const Connect = {
  setup: () => () => t.section({ class: "stack", "aria-label": "Connect" },
    t.p({ class: "muted" }, "Make a key for each place that you connect from, and put it where these have “atlas_live_sk_…”."),
    t.div({ class: "card" }, h(Snippets, { texts: {
      "Command line": `pip install ${URL()}/client/atlas_data_platform-${session.me.version}-py3-none-any.whl\natlas login --url ${URL()}\natlas dataset list\natlas ask "How many rows are there?"`,
      Python: `from atlas import Client\n\nclient = Client("${URL()}", "atlas_live_sk_…")\nprint(client.me().user.name)\nfor dataset in client.datasets.list():\n    print(dataset.id, dataset.name)`,
      curl: `curl -H "X-API-Key: atlas_live_sk_…" ${URL()}/api/datasets/\n\ncurl -H "X-API-Key: atlas_live_sk_…" -H "Content-Type: application/json" \\\n  ${URL()}/api/v1/query -d '{"prompt": "How many leads are there per state?"}'`,
    } })),
    t.p({ class: "muted small-text" }, "Every endpoint with its parameters: ", t.a({ class: "underlined", href: "/docs", target: "_blank" }, "interactive reference"), ", ", t.a({ class: "underlined", href: "/openapi.json", target: "_blank" }, "OpenAPI document"), ".")),
};
