// Moments in a time zone: pure functions on milliseconds since 1970 and on wall clocks, those as milliseconds as if in UTC.
const DAY = 864e5;
const formats = new Map();

function format(zone) {
  if (!formats.has(zone)) {
    formats.set(zone, new Intl.DateTimeFormat("en-US", {
      timeZone: zone, calendar: "gregory", numberingSystem: "latn", hourCycle: "h23", era: "short", year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric",
    }));
  }
  return formats.get(zone);
}

const whole = (ms) => Math.floor(ms / 1000) * 1000;

/** How far the clocks of a zone are ahead of UTC at a moment, in milliseconds. */
export function offsetAt(zone, ms) {
  const at = Object.fromEntries(format(zone).formatToParts(whole(ms)).map(({ type, value }) => [type, value]));
  const clock = new Date(0);
  clock.setUTCFullYear(at.era.startsWith("B") ? 1 - Number(at.year) : Number(at.year), Number(at.month) - 1, Number(at.day));
  clock.setUTCHours(Number(at.hour), Number(at.minute), Number(at.second));
  return clock.getTime() - whole(ms);
}

/** What the clocks of a zone show at a moment. */
export const clockAt = (zone, ms) => ms + offsetAt(zone, ms);

/**
 * The moments at which the clocks of a zone show a time: one; two where it comes twice, as clocks are set back; none where they
 * are set forward past it.
 */
export function momentsOf(zone, clock) {
  const offsets = [...new Set([-DAY, DAY].map((step) => offsetAt(zone, clock + step)))];
  return offsets.map((offset) => clock - offset).filter((ms) => clockAt(zone, ms) === clock).sort((a, b) => a - b);
}

/** The moment of a time that clocks skip, as if they had gone on as before. */
export const skipped = (zone, clock) => clock - offsetAt(zone, clock - DAY);

/** An offset as ISO 8601 has it, such as +02:00. */
export function offsetText(ms) {
  const minutes = Math.round(Math.abs(ms) / 60_000);
  return `${ms < 0 ? "-" : "+"}${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
}
