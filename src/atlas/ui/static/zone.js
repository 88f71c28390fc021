// In which time zone moments are shown and read: UTC, or the browser's. The data and addresses are in UTC always.
import { reactive } from "./dom.js";

function stored() {
  try { return localStorage.getItem("atlas-zone") === "local"; } catch { return false; }
}

const here = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";

export const zone = reactive({
  local: stored(),
  /** The browser's zone, such as Europe/Zurich. */
  here,

  get id() { return this.local ? here : "UTC"; },
  /** As headers say it. */
  get label() { return this.local ? "local time" : "UTC"; },

  set(local) {
    this.local = local;
    try { localStorage.setItem("atlas-zone", local ? "local" : "utc"); } catch { /* storage may be off */ }
  },
});
