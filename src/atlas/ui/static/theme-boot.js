// Runs before the page is drawn, so that it does not flash in the other theme.
{
  let choice = "system";
  try { choice = localStorage.getItem("atlas-theme") || "system"; } catch { /* storage may be off */ }
  const dark = choice === "dark" || (choice === "system" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
}
