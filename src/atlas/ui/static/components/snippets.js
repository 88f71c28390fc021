// Texts to copy: one, or several by name.
import { ref, t } from "../dom.js";
import { toast } from "./overlays.js";
import { button, segmented } from "./ui.js";

export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    toast("good", "Copied");
  } catch {
    toast("bad", "The browser did not allow copying; select the text and copy it yourself");
  }
}

/** A block of code with a button that copies it. */
export const snippet = (text, label = "Copy") =>
  t.div({ class: "snippet" }, t.pre({ class: "code", tabindex: 0 }, text), button({ size: "small", kind: "plain", icon: "copy", label, onClick: () => copy(text) }));

/** `texts`: name to text; one is shown at a time. */
export const Snippets = {
  props: { texts: Object },
  setup(props) {
    const chosen = ref(Object.keys(props.texts)[0]);
    return () => t.div({ class: "stack" },
      Object.keys(props.texts).length > 1 && t.div(segmented("Language", chosen.value, Object.keys(props.texts).map((name) => [name, name]), (name) => { chosen.value = name; })),
      snippet(props.texts[chosen.value]));
  },
};
