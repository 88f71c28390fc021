-- name: read_state
-- Reads everything that a plan of a read needs, at one moment. Blocks and columns are parallel arrays.
SELECT d.table_schema, s.last_seq, s.row_count, s.version, s.has_extra, s.rewritten, s.cold,
       s.cold AND (SELECT legacy FROM atlas.cold WHERE dataset_id = d.id) AS legacy, s.corrected, d.keys,
       b.firsts, b.lasts, b.counts, b.mins, b.maxs, c.ids, c.names, c.dtypes, c.physicals, c.declareds
FROM atlas.datasets d
JOIN atlas.dataset_state s ON s.dataset_id = d.id
CROSS JOIN LATERAL (
    SELECT array_agg(first_seq ORDER BY first_seq) AS firsts, array_agg(last_seq ORDER BY first_seq) AS lasts,
           array_agg(row_count ORDER BY first_seq) AS counts, array_agg(min_ts ORDER BY first_seq) AS mins,
           array_agg(max_ts ORDER BY first_seq) AS maxs
    FROM atlas.row_blocks WHERE dataset_id = d.id) b
CROSS JOIN LATERAL (
    SELECT array_agg(id ORDER BY id) AS ids, array_agg(name ORDER BY id) AS names, array_agg(dtype ORDER BY id) AS dtypes,
           array_agg(physical ORDER BY id) AS physicals, array_agg(declared ORDER BY id) AS declareds
    FROM atlas.dataset_columns WHERE dataset_id = d.id) c
WHERE d.id = %(id)s

-- name: find_ordered
-- Returns what a page needs of a dataset whose rows are all there, unpacked and in order of time, so that a row's number
-- is its place. No row unless a key is live and may read the dataset.
SELECT d.table_schema, s.row_count, c.names, c.dtypes, c.physicals
FROM atlas.api_keys k
JOIN atlas.datasets d ON d.id = %(id)s::int
JOIN atlas.dataset_state s ON s.dataset_id = d.id
CROSS JOIN LATERAL (
    SELECT array_agg(name ORDER BY id) AS names, array_agg(dtype ORDER BY id) AS dtypes,
           array_agg(physical ORDER BY id) AS physicals
    FROM atlas.dataset_columns WHERE dataset_id = d.id) c
WHERE k.id = %(key)s::int AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())
  AND s.late_rows = 0 AND s.row_count = s.last_seq AND NOT s.rewritten AND NOT s.cold AND NOT s.has_extra
  AND /* include: accounts/dataset_access.readable_one(k.user_id, d) */

-- name: read_storage
-- Tells in which tables a dataset's rows are: schema, whether some are packed, and whether some are in the storage of
-- an earlier version.
SELECT d.table_schema, s.cold, s.cold AND (SELECT legacy FROM atlas.cold WHERE dataset_id = d.id)
FROM atlas.datasets d JOIN atlas.dataset_state s ON s.dataset_id = d.id WHERE d.id = %(id)s

-- name: read_position
-- Returns the last sequence number and the version of a dataset.
SELECT last_seq, version FROM atlas.dataset_state WHERE dataset_id = %(id)s

-- name: lock_state
-- Takes the dataset's write lock until the transaction ends.
SELECT d.table_schema, s.last_seq, s.max_ts, s.cold, s.version, d.keys, d.on_conflict
FROM atlas.dataset_state s JOIN atlas.datasets d ON d.id = s.dataset_id
WHERE s.dataset_id = %(id)s FOR UPDATE OF s

-- name: read_for_write
-- Reads the state that only the holder of the dataset's lock changes: the last row block, and columns, once each. Run
-- the query after the lock is taken, because a statement sees the state at its own start.
SELECT b.first_seq, b.last_seq, b.row_count, b.min_ts, b.max_ts, c.id, c.name, c.dtype, c.physical, c.declared
FROM (SELECT) nothing
LEFT JOIN LATERAL (SELECT first_seq, last_seq, row_count, min_ts, max_ts FROM atlas.row_blocks
                   WHERE dataset_id = %(id)s ORDER BY first_seq DESC LIMIT 1) b ON true
LEFT JOIN atlas.dataset_columns c ON c.dataset_id = %(id)s
ORDER BY c.id

-- name: advance_state
-- Counts new rows, extends the last block if `block_first` names it, and notifies listeners at the commit.
WITH state AS (
    UPDATE atlas.dataset_state SET last_seq = %(last_seq)s, row_count = row_count + %(added)s,
           late_rows = late_rows + %(late)s, max_ts = greatest(max_ts, %(max_ts)s),
           has_extra = has_extra OR %(extra)s, version = version + 1
    WHERE dataset_id = %(id)s
), block AS (
    UPDATE atlas.row_blocks SET last_seq = %(block_last)s, row_count = %(block_rows)s, min_ts = %(block_min)s,
           max_ts = %(block_max)s
    WHERE dataset_id = %(id)s AND first_seq = %(block_first)s
)
SELECT pg_notify('atlas_rows', %(id)s::text)

-- name: change_columns
-- Invalidates the cached columns of a version.
UPDATE atlas.dataset_state SET version = version + 1 WHERE dataset_id = %(id)s

-- name: shrink_state
-- Subtracts deleted rows from a dataset's row count. A delete takes a number, as a row does. When no deleted rows are
-- kept, moments before are not known any more.
UPDATE atlas.dataset_state SET row_count = row_count - %(removed)s, rewritten = true, last_seq = last_seq + 1,
       version = version + 1, corrected = CASE WHEN %(kept)s THEN last_seq + 1 ELSE corrected END,
       known_from = CASE WHEN %(kept)s THEN known_from ELSE version + 1 END
WHERE dataset_id = %(id)s

-- name: insert_blocks
-- Stores new row blocks.
INSERT INTO atlas.row_blocks (dataset_id, first_seq, last_seq, row_count, min_ts, max_ts)
SELECT %(id)s, * FROM unnest(%(firsts)s::bigint[], %(lasts)s::bigint[], %(counts)s::bigint[],
                             %(mins)s::bigint[], %(maxs)s::bigint[])

-- name: update_block
-- Sets the end and the contents of a row block.
UPDATE atlas.row_blocks SET last_seq = %(last_seq)s, row_count = %(rows)s, min_ts = %(min_ts)s, max_ts = %(max_ts)s
WHERE dataset_id = %(id)s AND first_seq = %(first_seq)s

-- name: delete_block
-- Deletes a row block.
DELETE FROM atlas.row_blocks WHERE dataset_id = %(id)s AND first_seq = %(first_seq)s

-- name: merge_blocks
-- Joins neighbouring blocks in pairs when there are more than `most`, so that a dataset of any size has few blocks.
-- Sequence numbers stay sorted. Pairs with four times the rows of an average block or more are left, because the oldest
-- block would otherwise come to hold most of the rows. Such pairs are fewer than half of all pairs, so the number of
-- blocks falls by at least a quarter.
WITH numbered AS (
    SELECT *, (row_number() OVER (ORDER BY first_seq) - 1) / 2 AS pair, sum(row_count) OVER () AS total
    FROM atlas.row_blocks WHERE dataset_id = %(id)s
      AND (SELECT count(*) FROM atlas.row_blocks WHERE dataset_id = %(id)s) > %(most)s
), joined AS (
    SELECT min(first_seq) AS first_seq, max(first_seq) AS second_seq, max(last_seq) AS last_seq,
           sum(row_count) AS row_count, min(min_ts) AS min_ts, max(max_ts) AS max_ts
    FROM numbered GROUP BY pair HAVING count(*) = 2 AND sum(row_count) < 4 * max(total) / %(most)s
), removed AS (
    DELETE FROM atlas.row_blocks WHERE dataset_id = %(id)s AND first_seq IN (SELECT second_seq FROM joined)
)
UPDATE atlas.row_blocks b SET last_seq = m.last_seq, row_count = m.row_count, min_ts = m.min_ts, max_ts = m.max_ts
FROM joined m WHERE b.dataset_id = %(id)s AND b.first_seq = m.first_seq

-- name: all_blocks
-- Lists the row blocks of a dataset.
SELECT first_seq, last_seq, row_count, min_ts, max_ts FROM atlas.row_blocks
WHERE dataset_id = %(id)s ORDER BY first_seq

-- name: read_upkeep
-- Reads the state that maintenance needs. met: inserts look for rows of their timestamps. unknown: PostgreSQL has not
-- analyzed the rows yet, or less than half of at least `least` pages.
SELECT d.table_schema, s.row_count, s.late_rows, s.ts_index, s.cold, d.on_conflict <> 'append' AND d.keys = '{}' AS met,
       t.pages >= %(least)s AND (t.pages > 2 * c.relpages OR NOT EXISTS (
           SELECT 1 FROM pg_catalog.pg_stats WHERE schemaname = d.table_schema AND tablename = c.relname)) AS unknown
FROM atlas.dataset_state s JOIN atlas.datasets d ON d.id = s.dataset_id
JOIN pg_catalog.pg_class c ON c.relname = CASE WHEN s.cold THEN '_hot_' ELSE 'dataset_' END || d.id
    AND c.relnamespace = to_regnamespace(quote_ident(d.table_schema))
CROSS JOIN LATERAL (SELECT pg_relation_size(c.oid) / current_setting('block_size')::int AS pages) t
WHERE s.dataset_id = %(id)s

-- name: set_ts_index
-- Stores that a dataset has a btree on its time.
UPDATE atlas.dataset_state SET ts_index = true WHERE dataset_id = %(id)s

-- name: claim_idempotency_keys
-- Stores keys in order, because each key is a lock. A response that is not known yet is null. Returns the keys that are
-- new.
INSERT INTO atlas.idempotency_keys (user_id, key, fingerprint, response)
SELECT * FROM unnest(%(users)s::integer[], %(keys)s::text[], %(fingerprints)s::bytea[], %(responses)s::jsonb[])
    AS given (user_id, key, fingerprint, response)
ORDER BY user_id, key COLLATE "C"
ON CONFLICT (user_id, key) DO NOTHING RETURNING user_id, key

-- name: find_idempotency_keys
-- Returns the stored fingerprints and responses of used keys.
SELECT user_id, key, fingerprint, response FROM atlas.idempotency_keys
WHERE (user_id, key) IN (SELECT * FROM unnest(%(users)s::integer[], %(keys)s::text[]))

-- name: store_idempotency_response
-- Stores the response of a key that was claimed before the response was known.
UPDATE atlas.idempotency_keys SET response = %(response)s WHERE user_id = %(user)s AND key = %(key)s

-- name: forget_idempotency_keys
-- Deletes keys older than the retention.
DELETE FROM atlas.idempotency_keys WHERE created_at < now() - make_interval(hours => %(hours)s)
