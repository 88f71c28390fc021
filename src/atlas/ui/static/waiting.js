// How many imports wait for a decision on their issues, for the badge in the navigation.
import { api } from "./api.js";
import { reactive } from "./dom.js";

export const waiting = reactive({
  count: 0,
  /** Asks the server; where that fails, what was known stays. */
  async load() {
    const page = await api.get("/api/v1/import-history", { waiting: true, limit: 1 }).catch(() => null);
    if (page) waiting.count = page.waiting_count;
  },
});
