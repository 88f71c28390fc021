import { button, empty, pageHeader } from "../components/ui.js";
import { t } from "../dom.js";
import { href } from "../router.js";

export default {
  setup() {
    document.title = "No such page · Atlas";
    return () => t.div({ class: "page" }, pageHeader({ title: "There is no such page" }),
      t.div({ class: "card" }, empty("search", "Nothing is at this address", "It may be old or mistyped.", button({ kind: "primary", href: href("/datasets") }, "Go to the datasets"))));
  },
};
