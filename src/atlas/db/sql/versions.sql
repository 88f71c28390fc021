-- name: has_migrations
-- Tells whether any migration has been applied.
SELECT to_regclass('public._yoyo_migration') IS NOT NULL

-- name: migrations
-- Lists the migrations that have been applied.
SELECT migration_id FROM public._yoyo_migration ORDER BY 1
