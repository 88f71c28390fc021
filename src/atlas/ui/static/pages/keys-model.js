// The model provider that reads questions and instructions of the organization.
import { api } from "../api.js";
import { loader } from "../components/listing.js";
import { ask, attempt, toast } from "../components/overlays.js";
import { badge, button, check, field, input, loading, notice, select } from "../components/ui.js";
import { reactive, t } from "../dom.js";
import { moment } from "../format.js";
import { session } from "../session.js";

const PATH = "/api/v1/settings/model";
const PROVIDERS = [["openai", "OpenAI, or a server that speaks its chat completions"], ["anthropic", "Anthropic"], ["none", "None: the offline engine reads everything"]];
const SOURCES = { organization: ["Set by your organization", "accent"], server: ["Set by the operator of this server", ""], none: ["No model", ""] };

export const ModelSettings = {
  setup() {
    const form = reactive({ provider: "openai", model: "", base_url: "", api_key: "", forget: false, samples: false, timeout_seconds: 30 });
    const state = reactive({ busy: "", problem: null, tested: null });
    const take = (found) => {
      const own = found.source === "organization";
      Object.assign(form, { provider: own || found.provider !== "none" ? found.provider : "openai", model: found.model ?? "", base_url: found.base_url ?? "", api_key: "", forget: false, samples: found.samples, timeout_seconds: found.timeout_seconds ?? 30 });
      return found;
    };
    const current = loader(async () => take(await api.get(PATH)));
    const off = () => form.provider === "none";
    const save = async (event) => {
      event.preventDefault();
      Object.assign(state, { busy: "save", problem: null, tested: null });
      const body = off() ? { provider: "none" } : {
        provider: form.provider, model: form.model.trim() || null, base_url: form.base_url.trim() || null, samples: form.samples, timeout_seconds: Number(form.timeout_seconds),
        ...(form.forget ? { api_key: null } : form.api_key ? { api_key: form.api_key } : {}),
      };
      try {
        current.data = take(await api.put(PATH, body));
        toast("good", "The settings were saved");
      } catch (error) { state.problem = error; }
      state.busy = "";
    };
    const test = async () => {
      Object.assign(state, { busy: "test", tested: null });
      state.tested = await attempt(() => api.post(`${PATH}/test`)) ?? null;
      state.busy = "";
    };
    const forget = async () => {
      const sure = await ask({ title: "Forget the model settings?", text: "The stored key is deleted, and the operator's settings count again, if there are any.", confirm: "Forget them", danger: true });
      if (!sure) return;
      const found = await attempt(() => api.del(PATH), "The settings were forgotten");
      if (found) { current.data = take(found); state.tested = null; }
    };
    const key = () => field({ label: "API key", id: "model-key", hint: current.data.api_key_set ? `One is stored${current.data.api_key_hint ? `; it ends in ${current.data.api_key_hint}` : ""}. Leave this empty to keep it.` : "Stored encrypted, and never shown again. Servers of your own may need none." },
      (p) => input(form, "api_key", { ...p, type: "password", autocomplete: "off", disabled: form.forget, placeholder: current.data.api_key_set ? "unchanged" : "sk-…" }));
    const fields = () => [
      field({ label: "Model", id: "model-name" }, (p) => input(form, "model", { ...p, required: true, maxlength: 200, placeholder: "qwen2.5-coder-7b-instruct", autocomplete: "off" })),
      field({ label: "Address", id: "model-url", hint: "Empty for the provider's own. It starts with https; for OpenAI-like servers it ends in /v1." }, (p) => input(form, "base_url", { ...p, type: "url", autocomplete: "off" })),
      key(), current.data.api_key_set && check(form, "forget", "Remove the stored key"),
      field({ label: "Seconds for one question", id: "model-timeout" }, (p) => input(form, "timeout_seconds", { ...p, type: "number", min: 1, max: 300, required: true })),
      check(form, "samples", "Values of cells may be sent to the provider"),
    ];
    const body = () => {
      const { data } = current;
      const stored = data.source === "organization";
      return t.form({ class: "card stack model-form", onSubmit: save },
        t.div({ class: "row" }, badge(...SOURCES[data.source]), data.updated_at && t.span({ class: "muted small-text" }, `changed ${moment(data.updated_at, 16)}${data.updated_by ? ` by ${data.updated_by}` : ""}`)),
        data.problem && notice("warn", data.problem),
        field({ label: "Provider", id: "model-provider" }, (p) => select(form, "provider", PROVIDERS, p)), !off() && fields(),
        state.problem && notice("bad", state.problem),
        state.tested && (state.tested.success ? notice("good", `It answered in ${state.tested.seconds.toFixed(1)} s.`) : notice("bad", `It did not work: ${state.tested.error}`)),
        t.div({ class: "row between" },
          t.div({ class: "row" }, button({ kind: "primary", type: "submit", busy: state.busy === "save", disabled: Boolean(state.busy) }, "Save"),
            data.provider !== "none" && button({ icon: "bolt", busy: state.busy === "test", disabled: Boolean(state.busy), onClick: test }, "Test")),
          stored && button({ kind: "danger", disabled: Boolean(state.busy), onClick: forget }, "Forget")));
    };
    // Members see who answers them; who sets the address is sent what colleagues ask.
    const told = () => {
      const { data } = current;
      const asked = data.provider !== "none";
      return t.div({ class: "card stack" },
        t.div({ class: "row" }, badge(...SOURCES[data.source])),
        asked && t.p(`Questions are read by ${data.model}${data.host ? ` at ${data.host}` : ", which the operator of this server runs"}. Values of cells of your organization's tables are ${data.samples ? "" : "not "}sent to it; those of a dataset only if its owner has allowed that.`),
        data.problem && notice("warn", data.problem),
        notice("", "Only administrators of your organization change the model."));
    };
    return () => t.section({ class: "stack", "aria-label": "Model provider" },
      t.p({ class: "muted" }, "Atlas reads questions and instructions without any model. If you set one, it reads them instead, and what it says is checked in the same way. It is told names and types of tables and columns, but values of cells only if you allow that."),
      current.problem && notice("bad", current.problem), current.data ? (session.isAdmin ? body() : told()) : !current.problem && loading());
  },
};
