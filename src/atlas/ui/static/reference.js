// Makes the API reference interactive: finding operations, and sending requests with a key that only this page keeps.

const make = (tag, attributes = {}, ...children) => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== false && value != null) made.setAttribute(name, value);
  made.append(...children);
  return made;
};

let numbers = 0;
const field = (label, input) => {
  input.id = `field-${++numbers}`;
  return [make("label", { for: input.id }, label), input];
};

const described = fetch("/openapi.json").then((answer) => answer.json());
const key = make("input", { type: "password", autocomplete: "off", spellcheck: "false" });
document.getElementById("key").append(...field("Your API key, for the requests of this page. It is forgotten when you leave.", key));

// What is looked for is shown in the list, beside whole groups whose name has it.
const find = make("input", { type: "search", autocomplete: "off" });
const found = make("p", { role: "status", class: "muted" });
document.getElementById("find").append(...field("Find an operation", find), found);
const entries = [.../** @type {NodeListOf<HTMLAnchorElement>} */ (document.querySelectorAll("nav ul ul a"))].map((link) => {
  const { method = "", path = "" } = document.getElementById(link.hash.slice(1)).dataset;
  return { item: link.parentElement, text: `${link.textContent} ${link.hash} ${method} ${path}`.toLowerCase() };
});
find.addEventListener("input", () => {
  const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const { item, text } of entries) {
    item.hidden = !words.every((word) => text.includes(word));
    count += item.hidden ? 0 : 1;
  }
  for (const list of document.querySelectorAll("nav ul ul")) list.parentElement.hidden = [.../** @type {Iterable<any>} */ (list.children)].every((item) => item.hidden);
  found.textContent = words.length ? `${count} of ${entries.length}` : "";
});

const input = (schema, example) => {
  const kinds = schema.type === "boolean" ? ["true", "false"] : schema.enum;
  if (kinds) return make("select", {}, make("option", { value: "" }, "not sent"), ...kinds.map((one) => make("option", {}, String(one))));
  return make("input", { placeholder: example == null ? "" : typeof example === "string" ? example : JSON.stringify(example), autocomplete: "off" });
};

const resolve = (whole, schema) => (schema?.$ref ? whole.components.schemas[schema.$ref.split("/").pop()] : schema);

// The form of an operation: its fields, and what to send of them.
const form = (whole, method, path, operation) => {
  const parameters = (operation.parameters ?? []).map((one) => ({ ...one, input: input(resolve(whole, one.schema), one.example) }));
  const content = operation.requestBody?.content ?? {};
  const files = content["multipart/form-data"] && resolve(whole, content["multipart/form-data"].schema);
  const json = content["application/json"];
  const fields = Object.entries(files?.properties ?? {}).map(([name, schema]) => ({
    name, needed: files.required?.includes(name),
    input: schema.format === "binary" ? make("input", { type: "file" }) : input(schema, schema.examples?.[0]),
  }));
  const example = json && (json.example ?? Object.values(json.examples)[0].value);
  const text = json && make("textarea", { spellcheck: "false" });
  if (text) text.value = JSON.stringify(example, null, 2);
  const told = (one) => `${one.name}${one.required || one.needed ? ", required" : ""}`;
  return {
    parts: [
      ...parameters.flatMap((one) => field(told(one), one.input)), ...fields.flatMap((one) => field(told(one), one.input)),
      ...(text ? field("Body, application/json", text) : []),
    ],
    /** @returns {[string, RequestInit]} */
    request() {
      let place = path;
      const query = new URLSearchParams();
      const headers = key.value ? { "X-API-Key": key.value.trim() } : {};
      for (const one of parameters) {
        const value = one.input.value;
        if (one.in === "path") place = place.replace(`{${one.name}}`, encodeURIComponent(value));
        else if (value && one.in === "header") headers[one.name] = value;
        else if (value && one.schema.type === "object") for (const [name, part] of Object.entries(JSON.parse(value))) query.append(name, part);
        else if (value) query.append(one.name, value);
      }
      let body;
      if (files) {
        body = new FormData();
        for (const one of fields) {
          const value = one.input.type === "file" ? one.input.files[0] : one.input.value;
          if (value) body.append(one.name, value);
        }
      } else if (text) {
        body = text.value;
        headers["Content-Type"] = "application/json";
      }
      return [place + (query.size ? `?${query}` : ""), { method, headers, body, credentials: "omit", cache: "no-store" }];
    },
  };
};

const SHOWN = 20_000;
// The beginning of an answer: streams do not end.
const beginning = async (answer, stop) => {
  const reader = answer.body?.getReader();
  if (!reader) return "";
  const decoder = new TextDecoder();
  let text = "";
  const timer = setTimeout(() => stop.abort(), 5_000);
  try {
    while (text.length < SHOWN) {
      const { done, value } = await reader.read();
      if (done) return text;
      text += decoder.decode(value, { stream: true });
    }
    await reader.cancel();
  } catch (error) {
    if (error.name !== "AbortError") throw error;
  } finally {
    clearTimeout(timer);
  }
  return `${text}\n… this is the beginning`;
};

const shown = (type, text) => {
  if (!type.includes("json") || type.includes("ndjson")) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
};

const interactive = async (details) => {
  const place = details.querySelector(".try");
  if (!place || place.childElementCount) return;
  const whole = await described;
  const { method, path } = details.dataset;
  const { parts, request } = form(whole, method, path, whole.paths[path][method.toLowerCase()]);
  const status = make("p", { role: "status" });
  const result = make("pre", { hidden: "" });
  const send = make("form", { "aria-label": `Try ${method} ${path}` }, make("h4", {}, "Try it"), ...parts, make("button", { type: "submit" }, "Send"), status, result);
  send.addEventListener("submit", async (event) => {
    event.preventDefault();
    status.textContent = "Sent; waiting for the answer.";
    const stop = new AbortController();
    try {
      const [url, options] = request();
      const answer = await fetch(url, { ...options, signal: stop.signal });
      const type = answer.headers.get("content-type") ?? "";
      const binary = /octet-stream|parquet|arrow|spreadsheet/.test(type);
      const text = binary ? `${(await answer.arrayBuffer()).byteLength} bytes of ${type}` : shown(type, await beginning(answer, stop));
      status.textContent = `${method} ${url}: ${answer.status} ${answer.statusText}`;
      result.textContent = text;
      result.hidden = !text;
    } catch (error) {
      status.textContent = `Not sent: ${error.message}`;
    }
  });
  place.append(send);
};

for (const details of /** @type {NodeListOf<HTMLDetailsElement>} */ (document.querySelectorAll("details.operation"))) details.addEventListener("toggle", () => details.open && interactive(details));
// A link to an operation or a shape opens it.
const open = () => {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!(target instanceof HTMLDetailsElement)) return;
  target.open = true;
  target.scrollIntoView();
  target.querySelector("summary").focus({ preventScroll: true });
};
addEventListener("hashchange", open);
open();
document.documentElement.dataset.ready = "true";
