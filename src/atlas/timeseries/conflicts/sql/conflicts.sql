-- name: create_history
-- Creates the table of a dataset's replaced rows unless there is one.
SELECT atlas.create_history(%(schema)s, %(id)s)

-- name: count_replaced
-- Subtracts replaced rows from a dataset's row count, and stores the number of the last row that replaced others.
UPDATE atlas.dataset_state SET row_count = row_count - %(rows)s, corrected = greatest(corrected, %(last)s),
       rewritten = true
WHERE dataset_id = %(id)s

-- name: set_policy
-- Sets what inserts into a dataset do with rows whose timestamp and keys other rows have. No row where that is so already.
UPDATE atlas.datasets SET on_conflict = %(policy)s, updated_at = now()
WHERE id = %(id)s AND on_conflict <> %(policy)s RETURNING 1
