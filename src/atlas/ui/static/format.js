// Numbers, moments and sizes as people read them.
const whole = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 1 });
const precise = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 7 });

export const count = (value) => (value === null || value === undefined ? "–" : whole.format(value));
export const compact = (value) => (value === null || value === undefined ? "–" : short.format(value));
export const number = (value) => (typeof value === "number" ? precise.format(value) : String(value ?? ""));

/** `count(2) + " rows"`, with the singular where it is one. */
export const many = (value, noun, plural = `${noun}s`) => `${count(value)} ${value === 1 ? noun : plural}`;

export function bytes(value) {
  if (value === null || value === undefined) return "–";
  const units = ["B", "kB", "MB", "GB", "TB"];
  let n = value;
  let unit = 0;
  while (n >= 1000 && unit < units.length - 1) { n /= 1000; unit += 1; }
  return `${n >= 100 || unit === 0 ? Math.round(n) : n.toFixed(1)} ${units[unit]}`;
}

/** 2026-01-05 10:00:00, in UTC as the data is, without zeros after the seconds. */
export function moment(text) {
  if (!text) return "–";
  const found = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(:\d\d(?:\.\d*[1-9])?)?/.exec(text);
  if (!found) return text;
  return `${found[1]} ${found[2]}${found[3] ?? ""}`;
}

/**
 * What a person typed for a moment, as ISO 8601: "2026-01-31", "2026-01-31 10:00", with a zone or in UTC. With `end` a day
 * alone means its last moment. Null where it is none.
 */
export function instant(text, { end = false } = {}) {
  const found = /^(\d{4}-\d\d-\d\d)(?:[T ]+(\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?) *(Z|[+-]\d\d:\d\d|UTC)?)?$/i.exec(text.trim());
  if (!found) return null;
  const [, day, time, zone = "Z"] = found;
  const iso = time ? `${day}T${time}${/utc/i.test(zone) ? "Z" : zone.toUpperCase()}` : `${day}T${end ? "23:59:59.999999" : "00:00:00"}Z`;
  return Number.isNaN(Date.parse(iso)) ? null : iso;
}

/** "3 minutes ago" and such. */
export function ago(text) {
  if (!text) return "never";
  const seconds = (new Date(text) - Date.now()) / 1000;
  const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
  for (const [unit, size] of [["year", 31_557_600], ["month", 2_629_800], ["day", 86_400], ["hour", 3600], ["minute", 60]]) {
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
