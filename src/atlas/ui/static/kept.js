// What this browser keeps for whoever is signed in: pages looked at last, SQL that ran, a draft. And favourites, which the server keeps.
import { api } from "./api.js";
import { attempt } from "./components/overlays.js";
import { reactive } from "./dom.js";
import { session } from "./session.js";

const place = (name) => `atlas-${name}-${session.me?.user?.id ?? 0}`;

/** A value that was kept, or `standard`. */
export function kept(name, standard) {
  try { return JSON.parse(localStorage.getItem(place(name))) ?? standard; } catch { return standard; }
}
export function keep(name, value) {
  try { localStorage.setItem(place(name), JSON.stringify(value)); } catch { /* storage may be off or full */ }
}

const MOST_RECENT = 20;
/** Pages of single things, the last first: {path, text, icon}. */
export const recent = () => kept("recent", []);
export function visited(path, text, icon) {
  keep("recent", [{ path, text, icon }, ...recent().filter((one) => one.path !== path)].slice(0, MOST_RECENT));
}
export const forget = (path) => keep("recent", recent().filter((one) => one.path !== path));

export const favourites = reactive({
  list: null, // {kind, dataset_id, name} each, or null until they came
  async load() {
    const found = await api.get("/api/v1/favourites").catch(() => null);
    if (found) this.list = found.favourites;
  },
  has(kind, id) { return (this.list ?? []).some((one) => one.kind === kind && String(kind === "dataset" ? one.dataset_id : one.name) === String(id)); },
  async toggle(kind, id) {
    const on = !this.has(kind, id);
    const path = `/api/v1/favourites/${kind}/${encodeURIComponent(id)}`;
    if (await attempt(() => (on ? api.put(path) : api.del(path)), on ? "Added to your favourites" : "Taken from your favourites")) await this.load();
  },
});

/** Path, text and icon of a favourite. */
export const placeOf = (one) => ({
  path: one.kind === "dataset" ? `/datasets/${one.dataset_id}` : `/tables/${encodeURIComponent(one.name)}`, text: one.name, icon: one.kind === "dataset" ? "series" : "table",
});
