// Owner, rows and last moment of the datasets of a page. They come one by one after the list, a few at a time.
import { api } from "../api.js";
import { reactive } from "../dom.js";

const AT_ONCE = 4;
const FRESH = 20_000; // milliseconds

/** `known[id]` is a summary once it came. `want(ids)` asks for those that are missing; a newer call replaces it. */
export function useFigures() {
  const known = reactive({});
  const asked = new Map();
  let turn = 0;
  const want = async (ids) => {
    turn += 1;
    const mine = turn;
    const waiting = ids.filter((id) => !(performance.now() - asked.get(id) < FRESH));
    const work = async () => {
      while (waiting.length && mine === turn) {
        const id = waiting.shift();
        asked.set(id, performance.now());
        try {
          known[id] = await api.get(`/api/datasets/${id}/summary/`);
        } catch (error) {
          // Gone meanwhile, or too many requests: the list does without.
          if (![403, 404].includes(error.status)) return;
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  };
  return { known, want };
}
