-- name: settings
-- How rows are written as text, so that a checksum is the same on every server.
SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO, MDY'; SET LOCAL intervalstyle = 'postgres';
SET LOCAL extra_float_digits = 1; SET LOCAL bytea_output = 'hex'; SET LOCAL statement_timeout = 0

-- name: snapshot
-- The moment that the dump and the checksums share.
SELECT pg_export_snapshot()

-- name: lock_migrations
SELECT pg_advisory_lock(%(lock)s)

-- name: tables
-- Every table of the database that is no part of PostgreSQL or of an extension.
SELECT n.nspname, c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::regclass
                  AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY 1, 2

-- name: schemas
SELECT nspname FROM pg_catalog.pg_namespace n WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_namespace'::regclass
                  AND d.objid = n.oid AND d.deptype = 'e')
ORDER BY 1

-- name: roles
-- Roles that own something here or have rights on it. They belong to the server, so no dump holds them.
SELECT DISTINCT r.rolname FROM pg_catalog.pg_shdepend s JOIN pg_catalog.pg_roles r ON r.oid = s.refobjid
WHERE s.refclassid = 'pg_catalog.pg_authid'::regclass AND NOT r.rolsuper AND r.rolname !~ '^pg_'
  AND s.dbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
  AND r.rolname <> current_user
ORDER BY 1

-- name: organization_schemas
SELECT schema_name FROM atlas.organizations ORDER BY 1

-- name: migrations
SELECT migration_id FROM public._yoyo_migration ORDER BY 1

-- name: has_catalog
SELECT to_regclass('atlas.organizations') IS NOT NULL

-- name: other_sessions
-- Others who are connected to this database.
SELECT count(*) FROM pg_catalog.pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'

-- name: owners
-- What is in an organization's schema belongs to its owner role.
DO $owners$
DECLARE
    o record; c record;
BEGIN
    FOR o IN SELECT schema_name AS name, schema_name || '_owner' AS owner FROM atlas.organizations LOOP
        EXECUTE format('ALTER SCHEMA %I OWNER TO %I', o.name, o.owner);
        FOR c IN SELECT oid::regclass AS relation FROM pg_catalog.pg_class
                 WHERE relnamespace = o.name::regnamespace AND relkind IN ('r', 'v') LOOP
            EXECUTE format('ALTER TABLE %s OWNER TO %I', c.relation, o.owner);
        END LOOP;
    END LOOP;
END
$owners$
