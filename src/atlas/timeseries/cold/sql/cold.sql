-- name: find
-- A dataset and how much of it is packed; no row where there is no such dataset.
SELECT d.table_schema, s.cold, s.row_count, coalesce(c.columnstore, false), c.upto, c.rows, c.parts
FROM atlas.datasets d JOIN atlas.dataset_state s ON s.dataset_id = d.id
LEFT JOIN atlas.cold c ON c.dataset_id = d.id
WHERE d.id = %(id)s

-- name: lock
-- Whoever moves rows between the two tables, or deletes some, holds this lock until the transaction ends. It is taken
-- after that on the dataset's state where both are.
SELECT upto FROM atlas.cold WHERE dataset_id = %(id)s FOR UPDATE

-- name: lock_if_free
-- Takes the lock of `lock`; no row where somebody holds it.
SELECT upto FROM atlas.cold WHERE dataset_id = %(id)s FOR UPDATE SKIP LOCKED

-- name: insert
-- Stores that a dataset has packed rows.
INSERT INTO atlas.cold (dataset_id, columnstore) VALUES (%(id)s, %(columnstore)s)

-- name: set_parts
-- Sets the parts in which a dataset's rows are packed.
UPDATE atlas.cold SET parts = %(parts)s WHERE dataset_id = %(id)s

-- name: advance
-- Stores that more rows of a dataset are packed.
UPDATE atlas.cold SET upto = %(upto)s, rows = rows + %(rows)s, settled = false WHERE dataset_id = %(id)s

-- name: settle_alone
-- Whether nobody else gives back a dataset's space, and nobody will until this session says so, or ends.
SELECT pg_try_advisory_lock(hashtextextended('atlas settles ' || %(id)s, 0))

-- name: settle_together
-- Gives back the lock of `settle_alone`.
SELECT pg_advisory_unlock(hashtextextended('atlas settles ' || %(id)s, 0))

-- name: settle
-- The space of rows that were packed up to here is given back.
UPDATE atlas.cold SET settled = true WHERE dataset_id = %(id)s AND upto = %(upto)s AND rows = %(rows)s

-- name: unsettled
-- Datasets of which the space of rows that were packed, or of packed rows that were deleted, is not given back yet.
SELECT dataset_id FROM atlas.cold WHERE NOT settled ORDER BY dataset_id

-- name: freeze
-- From now on the order of rows in the tables is not that of their numbers.
UPDATE atlas.dataset_state SET cold = true, rewritten = true WHERE dataset_id = %(id)s

-- name: grants
-- Roles that may read a relation.
SELECT DISTINCT r.rolname FROM pg_catalog.pg_class c CROSS JOIN aclexplode(c.relacl) a
JOIN pg_catalog.pg_roles r ON r.oid = a.grantee
WHERE c.oid = to_regclass(%(relation)s) AND a.privilege_type = 'SELECT' AND a.grantee <> c.relowner

-- name: order
-- Columns of a table in the order in which they were added.
SELECT attname FROM pg_catalog.pg_attribute
WHERE attrelid = to_regclass(%(relation)s) AND attnum > 0 AND NOT attisdropped ORDER BY attnum

-- name: due
-- Datasets with rows that are old, not yet in segments, and as many that it pays. At most 100 columns: a query of one
-- column unpacks the others, too.
SELECT d.id, s.last_seq
FROM atlas.dataset_state s JOIN atlas.datasets d ON d.id = s.dataset_id
LEFT JOIN atlas.cold c ON c.dataset_id = d.id
WHERE s.row_count - coalesce(c.rows, 0) >= %(least)s
  AND (SELECT count(*) FROM atlas.dataset_columns k WHERE k.dataset_id = d.id AND k.physical IS NOT NULL) <= %(columns)s
  AND NOT EXISTS (SELECT 1 FROM atlas.dataset_columns k WHERE k.dataset_id = d.id AND k.physical = ANY (%(taken)s))
  AND EXISTS (SELECT 1 FROM atlas.row_blocks b WHERE b.dataset_id = d.id AND b.last_seq > coalesce(c.upto, 0)
              AND b.max_ts < %(before)s)
ORDER BY d.id

-- name: pages
-- Pages of a table, without its indexes.
SELECT pg_relation_size(to_regclass(%(relation)s)) / current_setting('block_size')::int

-- name: forget_pages
-- Has a BRIN index forget what it knows of pages, where old rows have given way to new ones.
SELECT count(brin_desummarize_range(to_regclass(%(index)s), page))
FROM generate_series(0, %(pages)s::bigint, %(step)s::bigint) AS page
