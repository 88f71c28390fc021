-- name: settings
-- Fixes how rows are written as text, so that a checksum is the same on every server.
SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO, MDY'; SET LOCAL intervalstyle = 'postgres';
SET LOCAL extra_float_digits = 1; SET LOCAL bytea_output = 'hex'; SET LOCAL statement_timeout = 0

-- name: snapshot
-- Exports the snapshot that the dump and the checksums share.
SELECT pg_export_snapshot()

-- name: lock_migrations
-- Keeps other processes from migrating the database until the session ends.
SELECT pg_advisory_lock(%(lock)s)

-- name: tables
-- Lists every table of the database that belongs neither to PostgreSQL nor to an extension or its schema.
SELECT n.nspname, c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d WHERE d.deptype = 'e'
                  AND (d.classid, d.objid) IN (('pg_catalog.pg_class'::regclass, c.oid),
                                               ('pg_catalog.pg_namespace'::regclass, n.oid)))
ORDER BY 1, 2

-- name: has_hypertables
-- Tells whether the database has TimescaleDB.
SELECT to_regclass('timescaledb_information.hypertables') IS NOT NULL

-- name: hypertables
-- Lists tables whose rows are in TimescaleDB's chunks.
SELECT hypertable_schema, hypertable_name FROM timescaledb_information.hypertables ORDER BY 1, 2

-- name: thaw
-- Turns packed rows of a columnstore into plain rows, so that the restored server can pack them by its own means.
DO $thaw$
DECLARE
    d record; g record; named text;
BEGIN
    FOR d IN SELECT c.dataset_id AS id, s.table_schema AS schema FROM atlas.cold c
             JOIN atlas.datasets s ON s.id = c.dataset_id WHERE c.columnstore LOOP
        SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO named FROM pg_catalog.pg_attribute
        WHERE attrelid = format('%I.%I', d.schema, '_hot_' || d.id)::regclass AND attnum > 0 AND NOT attisdropped;
        EXECUTE format('INSERT INTO %1$I.%2$I (%4$s) SELECT %4$s FROM %1$I.%3$I ORDER BY _seq',
                       d.schema, '_hot_' || d.id, '_unpacked_' || d.id, named);
        FOR g IN SELECT a.grantee::regrole AS role FROM pg_catalog.pg_class c CROSS JOIN aclexplode(c.relacl) a
                 WHERE c.oid = format('%I.%I', d.schema, 'dataset_' || d.id)::regclass
                   AND a.privilege_type = 'SELECT' AND a.grantee <> c.relowner LOOP
            EXECUTE format('GRANT SELECT ON %I.%I TO %s', d.schema, '_hot_' || d.id, g.role);
        END LOOP;
        EXECUTE format('DROP VIEW %1$I.%2$I, %1$I.%3$I', d.schema, 'dataset_' || d.id, '_unpacked_' || d.id);
        EXECUTE format('DROP TABLE %I.%I', d.schema, '_cold_' || d.id);
        EXECUTE format('ALTER TABLE %I.%I RENAME TO %I', d.schema, '_hot_' || d.id, 'dataset_' || d.id);
        UPDATE atlas.dataset_state SET cold = false WHERE dataset_id = d.id;
        DELETE FROM atlas.cold WHERE dataset_id = d.id;
    END LOOP;
END
$thaw$

-- name: schemas
-- Lists the schemas whose contents a backup has.
SELECT nspname FROM pg_catalog.pg_namespace n WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_namespace'::regclass
                  AND d.objid = n.oid AND d.deptype = 'e')
ORDER BY 1

-- name: roles
-- Lists roles that own objects here or have rights on them. Roles belong to the server, so no dump holds them.
SELECT DISTINCT r.rolname FROM pg_catalog.pg_shdepend s JOIN pg_catalog.pg_roles r ON r.oid = s.refobjid
WHERE s.refclassid = 'pg_catalog.pg_authid'::regclass AND NOT r.rolsuper AND r.rolname !~ '^pg_'
  AND s.dbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
  AND r.rolname <> current_user
ORDER BY 1

-- name: organization_schemas
-- Lists the schemas of organizations.
SELECT schema_name FROM atlas.organizations ORDER BY 1

-- name: migrations
-- Lists the migrations that have been applied.
SELECT migration_id FROM public._yoyo_migration ORDER BY 1

-- name: has_catalog
-- Tells whether the database has a catalog of Atlas.
SELECT to_regclass('atlas.organizations') IS NOT NULL

-- name: other_sessions
-- Counts the other connections to this database.
SELECT count(*) FROM pg_catalog.pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'

-- name: owners
-- Gives the content of an organization's schema to its owner role.
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
