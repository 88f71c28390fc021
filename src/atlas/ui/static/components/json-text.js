// JSON as text, cut but not parsed: numbers keep all their digits, members their order.

/**
 * `[name, text of the value]` of each member of the object that `text` is, which must be valid JSON.
 * @returns {[string, string][]}
 */
export function members(text) {
  /** @type {[string, string][]} */
  const found = [];
  let depth = 0;
  let start = -1; // of the member under way
  let colon = -1;
  for (let at = 0; at < text.length; at += 1) {
    const letter = text[at];
    if (letter === '"') {
      if (start < 0) start = at;
      at = endOfString(text, at);
    } else if (letter === ":" && depth === 1 && colon < 0) colon = at;
    else if (letter === "{" || letter === "[") depth += 1;
    else if (letter === "}" || letter === "]" || (letter === "," && depth === 1)) {
      if (letter !== ",") depth -= 1;
      if (colon >= 0 && depth === (letter === "," ? 1 : 0)) {
        found.push([JSON.parse(text.slice(start, colon)), text.slice(colon + 1, at).trim()]);
        start = colon = -1;
      }
    }
  }
  return found;
}

function endOfString(text, first) {
  let at = first + 1;
  while (text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at;
}

/** The object of `[name, text of the value]`, as text. */
export const objectOf = (list) => `{${list.map(([name, json]) => `${JSON.stringify(name)}: ${json}`).join(", ")}}`;
