// Carries decisions out, many at a time; one that is refused does not hold up the others.
import { api } from "../api.js";
import { ask } from "../components/overlays.js";
import { decision, issueId, KINDS } from "./review-issue.js";

// What one request may decide.
export const BATCH = 1000;
// After so many refused ones there is a reason that holds for all.
const MOST_REFUSED = 25;

/** Asks whether a column may become a text; the server refuses to change a type unasked. */
const widen = (error) => ask({
  title: "Make the column a text?", confirm: "Make it a text",
  text: `${error.text.replace(/^Invalid correction: \w+\[\d+\]: /, "").replace(/; use set_custom.*$/, "")}. The column would become a text for all of its rows.`,
});

/**
 * Decides on issues, [[issue, action, values]]. `allowed` remembers that a column may become a text.
 * Gives {done, refused}: how many were carried out, and {id: error} of those that were not. Raises ApiError for what concerns no single one.
 */
export async function decide(address, kind, decisions, allowed = {}) {
  const field = KINDS.find(([one]) => one === kind)[2];
  const refused = {};
  let left = decisions;
  while (left.length) {
    try {
      await api.post(`${address}/issues/correct`, {
        [field]: left.map(([issue, action, values]) => decision(kind, issue, action, values)), ...(allowed.text && { allow_type_change: true }),
      });
      return { done: left.length, refused };
    } catch (error) {
      if (/allow_type_change/.test(error.text) && !allowed.asked) {
        allowed.asked = true;
        allowed.text = await widen(error);
        if (allowed.text) continue;
      }
      const named = /\w+\[(\d+)\]/.exec(error.text);
      if (error.status !== 400 || !named || Object.keys(refused).length >= MOST_REFUSED) throw error;
      const n = Number(named[1]);
      refused[issueId(kind, left[n][0])] = error;
      left = left.filter((_, at) => at !== n);
    }
  }
  return { done: 0, refused };
}
