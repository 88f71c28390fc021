// Light, dark, or as the system is.
import { reactive } from "./dom.js";

const media = matchMedia("(prefers-color-scheme: dark)");

function stored() {
  try { return localStorage.getItem("atlas-theme") || "system"; } catch { return "system"; }
}

export const theme = reactive({
  choice: stored(),
  dark: document.documentElement.dataset.theme === "dark",

  set(choice) {
    this.choice = choice;
    try { localStorage.setItem("atlas-theme", choice); } catch { /* storage may be off */ }
    this.apply();
  },
  apply() {
    this.dark = this.choice === "dark" || (this.choice === "system" && media.matches);
    document.documentElement.dataset.theme = this.dark ? "dark" : "light";
  },
});

media.addEventListener("change", () => theme.apply());

/** The value of a colour of the style sheet, such as "--accent"; for libraries that draw on a canvas. */
export function colour(name) {
  void theme.dark; // whoever asks is drawn again when the theme changes
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
