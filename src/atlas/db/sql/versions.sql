-- name: has_migrations
SELECT to_regclass('public._yoyo_migration') IS NOT NULL

-- name: migrations
SELECT migration_id FROM public._yoyo_migration ORDER BY 1
