// Uses what openapi-typescript makes, with openapi-fetch: uploads, inserts, downloads in every format, asks.
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

const [url, key] = process.argv.slice(2);
const client = createClient<paths>({
  baseUrl: url,
  headers: { "X-API-Key": key },
  // Each member of an object is a parameter of its own, as the document says of `filters`.
  querySerializer: { object: { style: "form", explode: true } },
});
const form = (body: Record<string, unknown>) => {
  const data = new FormData();
  for (const [name, value] of Object.entries(body)) data.append(name, value as string | Blob);
  return data;
};

function check(told: unknown, what: string): asserts told {
  if (!told) throw new Error(what);
}

const made = await client.POST("/api/datasets/", { body: { name: "ts", description: "", metadata: { source: "node" } } });
check(made.data, JSON.stringify(made.error));
const dataset: number = made.data.id;
const found = await client.GET("/api/datasets/search/", { params: { query: { filters: { source: "node" } } } });
check(found.data?.results.length === 1 && found.data.results[0].id === dataset, "search");

const row = { timestamp: "2026-01-05T10:00:00Z", values: { open: 1, close: 2.5 } };
const stored = await client.POST("/api/rows/bulk_insert/", { body: { dataset, rows: [row] } });
check(stored.data?.inserted === 1, JSON.stringify(stored.error));
const bytes = await client.POST("/api/rows/bulk_insert/", {
  params: { query: { dataset, format: "csv" } },
  body: new Blob(["timestamp,open,close\n2026-01-05T11:00:00Z,3,4.5\n"]),
  bodySerializer: (body) => body,
  headers: { "Content-Type": "application/octet-stream" },
});
check(bytes.data?.inserted === 1, JSON.stringify(bytes.error));
// @ts-expect-error `dataset` is required.
void (() => client.GET("/api/rows/", { params: { query: {} } }));
// @ts-expect-error and never null.
void (() => client.GET("/api/rows/", { params: { query: { dataset: null } } }));
const page = await client.GET("/api/rows/", { params: { query: { dataset, columns: ["open"], limit: 1 } } });
check(page.data?.count === 2 && page.data.results[0].values.open === 1, JSON.stringify(page.error));
for (const output of ["json", "csv", "ndjson", "parquet", "arrow"] as const) {
  const file = await client.GET("/api/rows/bulk_download/", {
    params: { query: { dataset, output } }, parseAs: "arrayBuffer",
  });
  check(file.data && file.data.byteLength > 20, output);
}
const csv = await client.GET("/api/rows/bulk_download/", { params: { query: { dataset, output: "csv" } }, parseAs: "text" });
check(csv.data?.startsWith("timestamp,open,close\n"), "csv");
const wrong = await client.GET("/api/rows/", { params: { query: { dataset: 1e9 } } });
check(wrong.error?.error === "Dataset not found", JSON.stringify(wrong));

const file = new File(["name,email,age\nAnn,ann@x.com,31\nBob,bob@x.com,oops\n"], "people.csv");
const imported = await client.POST("/api/v1/smart-import", {
  body: { file, instruction: "Import into people, email is the key" }, bodySerializer: form,
});
check(imported.data?.status === "success", JSON.stringify(imported.error));
const exported = await client.GET("/api/v1/import/{import_id}/export", {
  params: { path: { import_id: imported.data.import_id } }, parseAs: "text",
});
check(exported.data?.startsWith("name,email,age\n"), JSON.stringify(exported.error));
const parquet = await client.GET("/api/v1/tables/{table_name}/export", {
  params: { path: { table_name: "people" }, query: { format: "parquet" } }, parseAs: "blob",
});
check(parquet.data && parquet.data.size > 20, "parquet");
const told = await client.POST("/api/v1/smart-data-instruction", {
  body: { text: "Update the people with email ann@x.com: set name to Anna" },
});
check(told.data?.success, JSON.stringify(told.data ?? told.error));
const asked = await client.POST("/api/v1/query", { body: { prompt: "How many people are there?" } });
check(asked.data?.success, JSON.stringify(asked.error));
const missing = await client.GET("/api/v1/tables/{table_name}/schema", { params: { path: { table_name: "none" } } });
check(missing.error?.detail, "detail");

// The events of webhooks are one union, told apart by `type`.
type Event = components["schemas"]["ImportSucceeded" | "ImportNeedsReview" | "ImportFailed"];
const waiting = (event: Event): number => (event.type === "import.needs_review" ? event.issues_waiting.validations : 0);
check(waiting({ type: "import.failed" } as Event) === 0, "event");
console.log("used");
