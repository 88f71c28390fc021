// A star that marks a dataset or a table as a favourite.
import { favourites } from "../kept.js";
import { button } from "./ui.js";

export function star(kind, id, name) {
  if (favourites.list === null) favourites.load();
  const on = favourites.has(kind, id);
  return button({ kind: on ? "plain star on" : "plain star", size: "small", icon: "star", label: `${on ? "Take" : "Add"} ${name} ${on ? "from" : "to"} your favourites`, "aria-pressed": String(on), onClick: () => favourites.toggle(kind, id) });
}
