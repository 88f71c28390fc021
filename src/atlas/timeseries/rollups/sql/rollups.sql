-- name: find
-- Returns a dataset's rollup, if any, and the last number of its rows.
SELECT d.table_schema, s.last_seq, s.row_count, s.cold,
       s.cold AND (SELECT legacy FROM atlas.cold WHERE dataset_id = d.id), r.width, r.upto, r.checked, r.columns, r.floats
FROM atlas.datasets d
JOIN atlas.dataset_state s ON s.dataset_id = d.id
LEFT JOIN atlas.rollups r ON r.dataset_id = d.id
WHERE d.id = %(id)s

-- name: lock
-- Takes the lock of sessions that change a rollup or delete rows in it, until the transaction ends.
SELECT 1 FROM atlas.rollups WHERE dataset_id = %(id)s FOR UPDATE

-- name: lock_if_free
-- Takes the lock of `lock`, or returns no row when another session holds it.
SELECT 1 FROM atlas.rollups WHERE dataset_id = %(id)s FOR UPDATE SKIP LOCKED

-- name: keep_dataset
-- Keeps the dataset from being deleted until the transaction ends.
SELECT 1 FROM atlas.datasets WHERE id = %(id)s FOR KEY SHARE

-- name: lock_state
-- Takes the dataset's write lock until the transaction ends.
SELECT 1 FROM atlas.dataset_state WHERE dataset_id = %(id)s FOR UPDATE

-- name: insert
-- Stores an empty rollup, or returns no row when the dataset has one.
INSERT INTO atlas.rollups (dataset_id, width) VALUES (%(id)s, 0) ON CONFLICT DO NOTHING RETURNING 1

-- name: set
-- Stores the extent and the columns of a rollup.
UPDATE atlas.rollups SET width = %(width)s, upto = %(upto)s, checked = %(checked)s, columns = %(columns)s,
       floats = %(floats)s
WHERE dataset_id = %(id)s
