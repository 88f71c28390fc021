import { button, empty } from "../components/ui.js";
import { href } from "../router.js";

export default { setup: () => () => empty("search", "There is no such page", "The address may be old or mistyped.", button({ kind: "primary", href: href("/datasets") }, "Go to the datasets")) };
