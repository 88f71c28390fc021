-- name: find
-- Returns a dataset's storage and the extent of its packed rows, or no row when there is no such dataset.
SELECT d.table_schema, s.cold, s.row_count, coalesce(c.legacy, false), coalesce(c.columnstore, false), c.upto, c.rows, c.parts
FROM atlas.datasets d JOIN atlas.dataset_state s ON s.dataset_id = d.id
LEFT JOIN atlas.cold c ON c.dataset_id = d.id
WHERE d.id = %(id)s

-- name: lock
-- Takes the lock of sessions that move or delete packed rows, until the transaction ends. A transaction that needs both
-- locks takes the lock on the dataset's state first.
SELECT upto FROM atlas.cold WHERE dataset_id = %(id)s FOR UPDATE

-- name: hold
-- Keeps packed rows from being moved or deleted until the transaction ends, beside others who do the same.
SELECT upto FROM atlas.cold WHERE dataset_id = %(id)s FOR SHARE

-- name: lock_if_free
-- Takes the lock of `lock`, or returns no row when another session holds it.
SELECT upto FROM atlas.cold WHERE dataset_id = %(id)s FOR UPDATE SKIP LOCKED

-- name: create_chunks
-- Creates the table of a dataset's chunks.
SELECT atlas.create_chunks(%(schema)s, %(id)s)

-- name: insert
-- Stores that a dataset may have packed rows.
INSERT INTO atlas.cold (dataset_id) VALUES (%(id)s)

-- name: forget_grants
-- Forgets which roles of readers may read a dataset's table.
DELETE FROM atlas.reader_grants WHERE dataset_id = %(id)s

-- name: converted
-- Stores that no rows of a dataset are left in the storage of an earlier version.
UPDATE atlas.cold SET legacy = false, columnstore = false, parts = '{}' WHERE dataset_id = %(id)s

-- name: legacy
-- Lists datasets with rows in the storage of an earlier version.
SELECT dataset_id FROM atlas.cold WHERE legacy ORDER BY dataset_id

-- name: advance
-- Stores that more rows of a dataset are packed.
UPDATE atlas.cold SET upto = %(upto)s, rows = rows + %(rows)s, settled = false WHERE dataset_id = %(id)s

-- name: add_packed
-- Stores that an insert has added packed rows. What comes before them may still be looked at.
UPDATE atlas.cold SET rows = rows + %(rows)s, upto = CASE WHEN upto >= %(before)s THEN %(upto)s ELSE upto END
WHERE dataset_id = %(id)s

-- name: settle_alone
-- Takes the session's lock for settling a dataset, and returns whether the lock was free.
SELECT pg_try_advisory_lock(hashtextextended('atlas settles ' || %(id)s, 0))

-- name: settle_together
-- Releases the lock of `settle_alone`.
SELECT pg_advisory_unlock(hashtextextended('atlas settles ' || %(id)s, 0))

-- name: settle
-- Stores that the space of rows packed up to here is returned to the system.
UPDATE atlas.cold SET settled = true WHERE dataset_id = %(id)s AND upto = %(upto)s AND rows = %(rows)s

-- name: unsettled
-- Lists datasets whose space is not yet returned, after rows were packed or packed rows were deleted.
SELECT dataset_id FROM atlas.cold WHERE NOT settled ORDER BY dataset_id

-- name: freeze
-- Stores that the order of rows in the tables is no longer the order of their numbers.
UPDATE atlas.dataset_state SET cold = true, rewritten = true WHERE dataset_id = %(id)s

-- name: grants
-- Lists the roles that may read a relation.
SELECT DISTINCT r.rolname FROM pg_catalog.pg_class c CROSS JOIN aclexplode(c.relacl) a
JOIN pg_catalog.pg_roles r ON r.oid = a.grantee
WHERE c.oid = to_regclass(%(relation)s) AND a.privilege_type = 'SELECT' AND a.grantee <> c.relowner

-- name: order
-- Lists the columns of a table in order of creation.
SELECT attname FROM pg_catalog.pg_attribute
WHERE attrelid = to_regclass(%(relation)s) AND attnum > 0 AND NOT attisdropped ORDER BY attnum

-- name: due
-- Finds datasets with enough old rows outside of chunks to be worth packing.
SELECT d.id, s.last_seq
FROM atlas.dataset_state s JOIN atlas.datasets d ON d.id = s.dataset_id
LEFT JOIN atlas.cold c ON c.dataset_id = d.id
WHERE s.row_count - coalesce(c.rows, 0) >= %(least)s
  AND EXISTS (SELECT 1 FROM atlas.row_blocks b WHERE b.dataset_id = d.id AND b.last_seq > coalesce(c.upto, 0)
              AND b.max_ts < %(before)s)
ORDER BY d.id

-- name: pages
-- Returns the number of pages of a table, without its indexes.
SELECT pg_relation_size(to_regclass(%(relation)s)) / current_setting('block_size')::int

-- name: forget_pages
-- Removes the BRIN summaries of pages where new rows have replaced old rows.
SELECT count(brin_desummarize_range(to_regclass(%(index)s), page))
FROM generate_series(0, %(pages)s::bigint, %(step)s::bigint) AS page
