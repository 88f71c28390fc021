-- name: enter
-- Whether no restore is under way, and none begins before this session ends.
SELECT pg_try_advisory_lock_shared(%(lock)s)

-- name: restore
-- Whether no server is there, and none comes before this session ends.
SELECT pg_try_advisory_lock(%(lock)s)

-- name: live
-- Holds a lock that says that this process lives, until its session ends.
SELECT pg_advisory_lock_shared(%(process)s)

-- name: look
-- Finds whether the database is the one that it was, and which migrations it has.
SELECT to_regclass('atlas.dataset_state')::oid::bigint, ARRAY(SELECT migration_id::text FROM public._yoyo_migration)
