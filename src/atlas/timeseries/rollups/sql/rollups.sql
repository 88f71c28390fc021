-- name: find
-- A dataset's rollup, if it has one, and how far its rows are.
SELECT d.table_schema, s.last_seq, s.row_count, s.cold, r.width, r.upto, r.checked, r.columns, r.floats
FROM atlas.datasets d
JOIN atlas.dataset_state s ON s.dataset_id = d.id
LEFT JOIN atlas.rollups r ON r.dataset_id = d.id
WHERE d.id = %(id)s

-- name: lock
-- Whoever changes a rollup, or deletes rows that are in it, holds this lock until the transaction ends.
SELECT 1 FROM atlas.rollups WHERE dataset_id = %(id)s FOR UPDATE

-- name: lock_if_free
-- Takes the lock of `lock`; no row where somebody holds it.
SELECT 1 FROM atlas.rollups WHERE dataset_id = %(id)s FOR UPDATE SKIP LOCKED

-- name: keep_dataset
-- The dataset is not deleted meanwhile.
SELECT 1 FROM atlas.datasets WHERE id = %(id)s FOR KEY SHARE

-- name: lock_state
-- Takes the dataset's write lock until the transaction ends.
SELECT 1 FROM atlas.dataset_state WHERE dataset_id = %(id)s FOR UPDATE

-- name: insert
-- Stores an empty rollup; no row where the dataset has one.
INSERT INTO atlas.rollups (dataset_id, width) VALUES (%(id)s, 0) ON CONFLICT DO NOTHING RETURNING 1

-- name: set
-- Sets how far a rollup goes, and what it has.
UPDATE atlas.rollups SET width = %(width)s, upto = %(upto)s, checked = %(checked)s, columns = %(columns)s,
       floats = %(floats)s
WHERE dataset_id = %(id)s
