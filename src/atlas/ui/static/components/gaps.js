// Where a line must not go on, since nothing was measured: pure functions of points in order of time, [ms, value, …].

// A step is an outage where it is so many times the usual one: more than weekends and holidays in a series of business days.
const FACTOR = 6;
// Of buckets that nearly all follow each other, each of many rows, a second empty one is an outage.
const DENSE_FACTOR = 2.5, DENSE_SHARE = 0.95, DENSE_ROWS = 8;
// With fewer steps, what is usual cannot be told.
const LEAST_STEPS = 3;

/** Steps between different times, in order of size. Rows of the same time, as of several labels, make none. */
function steps(points) {
  const found = [];
  for (let n = 1; n < points.length; n += 1) {
    const step = points[n][0] - points[n - 1][0];
    if (step > 0) found.push(step);
  }
  return found.sort((a, b) => a - b);
}

/** The usual step in milliseconds: two thirds are no longer. Null where there are too few to tell. */
export function usualStep(points) {
  const found = steps(points);
  return found.length < LEAST_STEPS ? null : found[Math.floor(((found.length - 1) * 2) / 3)];
}

/** The longest step that a line may take, in milliseconds. `counts`: how many rows each point stands for, where it is a bucket. */
export function longestStep(points, { known = null, counts = null } = {}) {
  const usual = usualStep(points) ?? known;
  if (usual === null) return Infinity;
  if (counts && counts.length > LEAST_STEPS) {
    const found = steps(points);
    const follow = found.filter((step) => step <= found[0] * 1.2).length / found.length;
    const rows = [...counts].sort((a, b) => a - b)[counts.length >> 1];
    if (follow >= DENSE_SHARE && rows >= DENSE_ROWS) return usual * DENSE_FACTOR;
  }
  return usual * FACTOR;
}

/** The points with a point without a value in each step that is longer than `longest`. */
export function withGaps(points, longest) {
  const result = [];
  points.forEach((point, n) => {
    const before = points[n - 1];
    if (n > 0 && point[0] - before[0] > longest) result.push([(before[0] + point[0]) / 2, null]);
    result.push(point);
  });
  return result;
}

const empty = (point) => point === undefined || point[1] === null;

/** Those of withGaps() that no line reaches, as there is a gap or the end on both sides. They are to be drawn as points. */
export const lonePoints = (points) => points.filter((point, n) => !empty(point) && empty(points[n - 1]) && empty(points[n + 1]));
