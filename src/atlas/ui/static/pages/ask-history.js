// What one asked before, by conversation.
import { api } from "../api.js";
import { loader } from "../components/listing.js";
import { button, loading, notice, search } from "../components/ui.js";
import { reactive, t, watch } from "../dom.js";
import { ago, many } from "../format.js";

const LIMIT = 200;

/** Conversations by their first question, the one used last first. */
function threads(questions) {
  const found = new Map();
  for (const one of questions) {
    const thread = found.get(one.thread_id) ?? { id: one.thread_id, at: one.created_at, count: 0, words: "" };
    Object.assign(thread, { title: one.prompt, count: thread.count + 1, words: `${thread.words} ${one.prompt}` });
    found.set(one.thread_id, thread);
  }
  return [...found.values()];
}

/** Emits `open` with a thread's id, `new`. `stamp` changes when there is something new. */
export const History = {
  props: { current: String, stamp: Number },
  emits: ["open", "new"],
  setup(props, { emit }) {
    const list = loader(async () => threads((await api.get("/api/v1/questions", { limit: LIMIT })).questions));
    const state = reactive({ text: "" });
    watch(() => props.stamp, () => list.load());
    const item = (thread) => t.li({ key: thread.id }, t.button({
      type: "button", class: "thread", "aria-current": thread.id === props.current ? "true" : undefined, onClick: () => emit("open", thread.id),
    }, t.span({ class: "clamp" }, thread.title), t.small(`${ago(thread.at)} · ${many(thread.count, "question")}`)));
    return () => {
      const found = (list.data ?? []).filter((thread) => thread.words.toLowerCase().includes(state.text.trim().toLowerCase()));
      return t.aside({ class: "card history", "aria-label": "Past conversations" },
        t.div({ class: "row between" }, t.h2("Conversations"), button({ size: "small", icon: "plus", onClick: () => emit("new") }, "New")),
        list.problem && notice("bad", list.problem),
        list.data?.length > 6 && search(state, "text", "Search what you asked"),
        !list.data ? !list.problem && loading() : found.length === 0
          ? t.p({ class: "muted small-text" }, state.text ? "Nothing found." : "What you ask appears here. Nobody else sees it.")
          : t.ul({ class: "threads" }, found.map(item)));
    };
  },
};
