// Who is signed in. The key itself is only in a cookie that scripts cannot read.
import { reactive } from "./dom.js";

export const session = reactive({
  /** `null` until known; the answer of /api/v1/me, or `false` where nobody is signed in. */
  me: null,
  problem: "",

  get role() {
    return this.me ? this.me.user.role : "member";
  },
  get isAdmin() {
    return this.role === "admin" || this.role === "operator";
  },

  async load() {
    try {
      const response = await fetch("/api/v1/me", { headers: { "X-Atlas-UI": "1" } });
      this.me = response.ok ? await response.json() : false;
      this.problem = response.ok || response.status === 401 ? "" : `The server answered ${response.status}`;
    } catch {
      this.me = false;
      this.problem = "The server cannot be reached";
    }
  },

  /** Raises an Error with the server's reason. */
  async signIn(key, remember) {
    const response = await fetch("/ui/session", {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Atlas-UI": "1" },
      body: JSON.stringify({ key, remember }),
    });
    if (!response.ok) {
      const body = await response.json().catch(() => ({}));
      throw new Error(body.details || body.error || `The server answered ${response.status}`);
    }
    await this.load();
  },

  /** Ends this session on the server; `everywhere`, all of the user's. Raises an Error where that did not work. */
  async signOut(everywhere = false) {
    const response = await fetch(`/ui/session${everywhere ? "?everywhere=true" : ""}`, { method: "DELETE", headers: { "X-Atlas-UI": "1" } });
    if (!response.ok && response.status !== 401) throw new Error(`You are still signed in: the server answered ${response.status}`);
    this.me = false;
  },

  /** The server no longer knows us. */
  end() {
    this.me = false;
  },
});
