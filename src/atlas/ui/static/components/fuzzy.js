// How well a text fits what somebody typed a part of.

/** A score of `text` for `typed`, higher is better; 0 where a letter is missing. Words at their beginnings count most. */
export function fits(typed, text) {
  const wanted = typed.toLowerCase().normalize("NFKD").replace(/\p{M}|\s+/gu, "");
  const there = text.toLowerCase().normalize("NFKD").replace(/\p{M}/gu, "");
  if (!wanted) return 1;
  const whole = there.replace(/\s+/g, "").indexOf(wanted);
  if (whole >= 0) return 1000 - Math.min(whole, 100) * 5 - Math.min(there.length, 200) / 10;
  let at = 0, score = 0, run = 0;
  for (const letter of wanted) {
    const found = there.indexOf(letter, at);
    if (found < 0) return 0;
    const begins = found === 0 || !/[\p{L}\p{N}]/u.test(there[found - 1]);
    run = found === at && at > 0 ? run + 1 : 0;
    score += 1 + (begins ? 8 : 0) + run * 4 - Math.min(found - at, 12) / 4;
    at = found + 1;
  }
  // Letters that lie anywhere are no match.
  return score > wanted.length * 2 ? Math.max(0.1, score - there.length / 20) : 0;
}
