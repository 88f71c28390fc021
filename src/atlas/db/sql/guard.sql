-- name: enter
-- Whether no restore is under way, and none begins before this session ends.
SELECT pg_try_advisory_lock_shared(%(lock)s)

-- name: restore
-- Whether no server is there, and none comes before this session ends.
SELECT pg_try_advisory_lock(%(lock)s)

-- name: live
SELECT pg_advisory_lock_shared(%(process)s)

-- name: look
SELECT to_regclass('atlas.dataset_state')::oid::bigint, ARRAY(SELECT migration_id::text FROM public._yoyo_migration)
