-- name: find_run
-- Returns the run of changes that has a version or a time, or null, and the first version that is known. No row without
-- the dataset. Runs begin in order of versions and of times. `newest` is the last version that counts.
SELECT r.body, s.known_from FROM atlas.dataset_state s
LEFT JOIN LATERAL (
    SELECT body FROM (
        SELECT s.moments AS body, atlas.int8_at(s.moments, 1) AS version, atlas.int8_at(s.moments, 17) AS at
        UNION ALL
        (SELECT m.body, m.version, m.at FROM atlas.moments m
         WHERE m.dataset_id = s.dataset_id AND m.version <= least(%(version)s::bigint, %(newest)s)
           AND (%(micros)s::bigint IS NULL OR m.at <= %(micros)s::bigint)
         ORDER BY m.version DESC LIMIT 1)) AS run
    WHERE version <= least(%(version)s::bigint, %(newest)s) AND (%(micros)s::bigint IS NULL OR at <= %(micros)s::bigint)
    ORDER BY version DESC LIMIT 1) AS r ON true
WHERE s.dataset_id = %(id)s

-- name: first_run
-- Returns the run of changes that has a version, or the first run after it.
SELECT body FROM (
    SELECT moments AS body, atlas.int8_at(moments, 1) AS version FROM atlas.dataset_state WHERE dataset_id = %(id)s
    UNION ALL
    SELECT body, version FROM atlas.moments WHERE dataset_id = %(id)s) AS run
ORDER BY version <= %(version)s DESC, CASE WHEN version <= %(version)s THEN -version ELSE version END LIMIT 1

-- name: add_deletion
-- Stores a delete whose rows are kept, by the transaction's time.
INSERT INTO atlas.deletions (dataset_id, number, version, at)
SELECT dataset_id, last_seq + 1, version + 1, now() FROM atlas.dataset_state WHERE dataset_id = %(id)s

-- name: due_deletions
-- Lists datasets with deletes older than some days: the last such delete of each, its time and the version after it.
SELECT dataset_id, max(at), max(version) FROM atlas.deletions
WHERE at <= now() - make_interval(days => %(days)s) GROUP BY dataset_id ORDER BY dataset_id

-- name: forget_deletions
-- Forgets deletes up to a time, and stores the first version whose rows are all there.
WITH gone AS (DELETE FROM atlas.deletions WHERE dataset_id = %(id)s AND at <= %(at)s)
UPDATE atlas.dataset_state SET known_from = greatest(known_from, %(version)s) WHERE dataset_id = %(id)s

-- name: has_history
-- Returns a row when there is such a table.
SELECT 1 WHERE to_regclass(%(name)s) IS NOT NULL
