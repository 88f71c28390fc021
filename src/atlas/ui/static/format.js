// Numbers, moments and sizes as people read them.
import { zone } from "./zone.js";
import { clockAt, momentsOf, offsetText, skipped } from "./zones.js";

const whole = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 1 });
const precise = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 7 });

export const count = (value) => (value === null || value === undefined ? "–" : whole.format(value));
export const compact = (value) => (value === null || value === undefined ? "–" : short.format(value));
export const number = (value) => (typeof value === "number" ? precise.format(value) : String(value ?? ""));

/** `count(2) + " rows"`, with the singular where it is one. */
export const many = (value, noun, plural = `${noun}s`) => `${count(value)} ${value === 1 ? noun : plural}`;

/** How a text file is written, as far as it shows that, such as "cp1252, ; between cells". */
export function fileFormat({ encoding, delimiter }) {
  const between = { "\t": "tabs", " ": "blanks" }[delimiter] ?? delimiter;
  return [encoding, between && `${between} between cells`].filter(Boolean).join(", ");
}

export function bytes(value) {
  if (value === null || value === undefined) return "–";
  const units = ["B", "kB", "MB", "GB", "TB"];
  let n = value;
  let unit = 0;
  while (n >= 1000 && unit < units.length - 1) { n /= 1000; unit += 1; }
  return `${n >= 100 || unit === 0 ? Math.round(n) : n.toFixed(1)} ${units[unit]}`;
}

const FULL = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(?::(\d\d)(?:\.(\d*))?)?(Z|[+-]\d\d:?\d\d)?$/;

/**
 * 2026-01-05 10:00:00, in the chosen zone, of an ISO 8601 text in UTC, without zeros after the seconds. `length`: of the result at
 * most: 10 for the day, 16 for the minute, 19 for the second.
 */
export function moment(text, length = 40) {
  if (!text) return "–";
  const found = FULL.exec(text);
  if (!found) return text;
  let [, day, minute, second, fraction = "", offset = "Z"] = found;
  if (zone.local || !/^(Z|[+-]00:?00)$/.test(offset)) {
    const clock = clockAt(zone.id, Date.parse(`${day}T${minute}:${second ?? "00"}${offset}`));
    if (Number.isNaN(clock)) return text;
    const shown = new Date(clock).toISOString();
    [day, minute] = [shown.slice(0, -14), shown.slice(-13, -8)];
    if (second) second = shown.slice(-7, -5);
  }
  const exact = fraction.replace(/0+$/, "");
  return `${day} ${minute}${second ? `:${second}${exact && `.${exact}`}` : ""}`.slice(0, length);
}

/**
 * What a person typed for a moment: "2026-01-31", "2026-01-31 10:00", with a zone or in the chosen one, as `{iso}` in UTC. With
 * `end` a day alone means its last moment. Clocks that are set forward or back: the range as wide as it may be meant, or with
 * `exact` a `problem` that says how to be clear. Neither where it is no moment.
 */
export function readMoment(text, { end = false, exact = false } = {}) {
  const found = /^(\d{4}-\d\d-\d\d)(?:[T ]+(\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?) *(Z|[+-]\d\d:\d\d|UTC)?)?$/i.exec(text.trim());
  if (!found) return {};
  const [, day, time = end ? "23:59:59.999999" : "00:00:00", given] = found;
  if (given || !zone.local) {
    const iso = `${day}T${time}${!given || /utc/i.test(given) ? "Z" : given.toUpperCase()}`;
    return Number.isNaN(Date.parse(iso)) ? {} : { iso };
  }
  const [seconds, fraction] = time.split(".");
  const clock = Date.parse(`${day}T${seconds}Z`);
  // Days that no month has are not read as others.
  if (Number.isNaN(clock) || new Date(clock).toISOString().slice(0, 10) !== day) return {};
  const moments = momentsOf(zone.id, clock);
  if (exact && moments.length !== 1) {
    const problem = moments.length ? `This time comes twice on that day; write ${moments.map((ms) => `${seconds}${offsetText(clock - ms)}`).join(" or ")}` : "Clocks are set forward past this time on that day";
    return { problem };
  }
  const at = moments.length ? moments.at(end ? -1 : 0) : skipped(zone.id, clock);
  return { iso: `${new Date(at).toISOString().slice(0, -5)}${fraction ? `.${fraction}` : ""}Z` };
}

/** As readMoment: the ISO text, or null. */
export const instant = (text, how) => readMoment(text, how).iso ?? null;

/** "3 minutes ago" and such. */
export function ago(text) {
  if (!text) return "never";
  const seconds = (Date.parse(text) - Date.now()) / 1000;
  const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
  /** @type {[Intl.RelativeTimeFormatUnit, number][]} */
  const units = [["year", 31_557_600], ["month", 2_629_800], ["day", 86_400], ["hour", 3600], ["minute", 60]];
  for (const [unit, size] of units) {
    if (Math.abs(seconds) >= size) return relative.format(Math.round(seconds / size), unit);
  }
  return "just now";
}

/** A cell's value as text; objects as JSON. */
export function cell(value) {
  if (value === null || value === undefined) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** Rows of a CSV text: quotes, doubled quotes and line breaks inside them as RFC 4180 says. */
export function parseCsv(text) {
  const rows = [];
  let row = [], field = "", quoted = false;
  for (let n = 0; n < text.length; n += 1) {
    const c = text[n];
    if (quoted) {
      if (c === '"' && text[n + 1] === '"') { field += '"'; n += 1; }
      else if (c === '"') quoted = false;
      else field += c;
    } else if (c === '"') quoted = true;
    else if (c === ",") { row.push(field); field = ""; }
    else if (c === "\n") { row.push(field); rows.push(row); row = []; field = ""; }
    else if (c !== "\r") field += c;
  }
  if (field || row.length) { row.push(field); rows.push(row); }
  return rows;
}
