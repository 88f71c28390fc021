-- name: enter
-- Takes the shared lock of servers: false during a restore. No restore begins before this session ends.
SELECT pg_try_advisory_lock_shared(%(lock)s)

-- name: restore
-- Takes the lock of a restore: false while a server runs. No server starts before this session ends.
SELECT pg_try_advisory_lock(%(lock)s)

-- name: live
-- Locks the number of this process until its session ends, which shows that the process lives.
SELECT pg_advisory_lock_shared(%(process)s)

-- name: look
-- Returns the OID of a table that a restore would create again, and the applied migrations.
SELECT to_regclass('atlas.dataset_state')::oid::bigint, ARRAY(SELECT migration_id::text FROM public._yoyo_migration)
