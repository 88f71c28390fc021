-- name: state
-- Reports what the connected user may change, and which rights PUBLIC still has that it should not.
SELECT (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user) AS superuser,
       (SELECT EXISTS (SELECT 1 FROM aclexplode(coalesce(datacl, acldefault('d', datdba))) a
                       WHERE a.grantee = 0 AND a.privilege_type IN ('CREATE', 'TEMPORARY'))
        FROM pg_catalog.pg_database WHERE datname = current_database()) AS database,
       EXISTS (SELECT 1 FROM pg_catalog.pg_namespace n,
                      aclexplode(coalesce(nspacl, acldefault('n', nspowner))) a
               WHERE nspname IN ('public', 'information_schema') AND a.grantee = 0) AS schemas,
       EXISTS (SELECT 1 FROM pg_catalog.pg_language, aclexplode(coalesce(lanacl, acldefault('l', lanowner))) a
               WHERE lanpltrusted AND a.grantee = 0) AS languages

-- name: database_settings
-- Lists the settings that sessions of this database start with: (setting, value).
SELECT split_part(one, '=', 1), substr(one, strpos(one, '=') + 1)
FROM pg_catalog.pg_db_role_setting, unnest(setconfig) AS t (one)
WHERE setrole = 0 AND setdatabase = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())

-- name: revoke_schemas
-- Revokes PUBLIC's rights on the schemas that come with every database.
REVOKE ALL ON SCHEMA public, information_schema FROM PUBLIC

-- name: open_schemas
-- Lists schemas with relations that PUBLIC may read: PostgreSQL's own two, and those of extensions. The right to use
-- these schemas stays, because some extensions need it for every query.
SELECT DISTINCT relnamespace::regnamespace::text FROM pg_catalog.pg_class c, aclexplode(relacl) a WHERE a.grantee = 0

-- name: trusted_languages
-- Lists languages in which every role may write functions.
SELECT quote_ident(lanname) FROM pg_catalog.pg_language WHERE lanpltrusted

-- name: routines
-- Lists routines whose rights differ from the wall's: (as PostgreSQL writes it, whether every role should have it).
-- Every role may call the listed functions. So it may those behind operators, casts, hashes and texts, of plain values
-- only. Every role may also call unnest, with which views of packed rows are made; functions that make arrays for it
-- are not allowed. The other routines are revoked wherever a role could reach them: in Atlas's own schemas, and where
-- PUBLIC may use the schema.
WITH plain AS (
    SELECT t.oid FROM pg_catalog.pg_type t LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem AND t.typcategory = 'A'
    WHERE t.typnamespace = 'pg_catalog'::regnamespace AND coalesce(e.typname, t.typname) IN (
        'bool', 'int2', 'int4', 'int8', 'numeric', 'float4', 'float8', 'text', 'varchar', 'bpchar', 'date', 'time',
        'timetz', 'timestamp', 'timestamptz', 'interval', 'uuid', 'json', 'jsonb', 'unknown', 'record', 'any',
        'anyelement', 'anynonarray', 'anyarray', 'anycompatible', 'anycompatiblenonarray', 'anycompatiblearray')
), behind AS (
    SELECT oprcode::oid AS oid FROM pg_catalog.pg_operator
    UNION SELECT castfunc FROM pg_catalog.pg_cast
), hashes AS (
    -- Of long lists behind IN.
    SELECT p.amproc::oid AS oid FROM pg_catalog.pg_amproc p
    JOIN pg_catalog.pg_opfamily f ON f.oid = p.amprocfamily JOIN pg_catalog.pg_am m ON m.oid = f.opfmethod
    WHERE m.amname = 'hash' AND p.amproclefttype IN (SELECT oid FROM plain)
      AND p.amprocrighttype IN (SELECT oid FROM plain)
), texts AS (
    -- Of casts from and to texts, where they are constants.
    SELECT unnest(ARRAY[typinput, typoutput])::oid AS oid FROM pg_catalog.pg_type
    WHERE oid IN (SELECT oid FROM plain) AND typtype = 'b'
), known AS (
    SELECT p.oid, EXISTS (SELECT 1 FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
                          WHERE a.grantee = 0) AS held,
           p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind <> 'p' AND NOT p.proretset
           AND p.provolatile <> 'v' AND (p.oid IN (SELECT oid FROM hashes UNION SELECT oid FROM texts)
               OR (p.proname = ANY (%(names)s) OR p.oid IN (SELECT oid FROM behind))
                  AND NOT EXISTS (SELECT 1 FROM unnest(p.proargtypes::oid[] || p.prorettype) AS t (type)
                                  WHERE t.type NOT IN (SELECT oid FROM plain)))
           OR p.oid = 'pg_catalog.unnest(anyarray)'::regprocedure AS wanted,
           n.nspname IN ('public', 'atlas', 'atlas_jobs', 'information_schema')
           OR EXISTS (SELECT 1 FROM aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a
                      WHERE a.grantee = 0) AS reachable
    FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
)
SELECT oid::regprocedure::text, wanted FROM known WHERE held <> wanted AND (wanted OR reachable)

-- name: lock_roles
-- Serializes changes of roles and rights, because PostgreSQL fails when two sessions change the same row of its
-- catalog.
SELECT pg_advisory_xact_lock(hashtextextended('atlas readers', 0))

-- name: find_role
-- Tells whether a role exists, and whether Atlas may set superuser-only settings.
SELECT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = %(role)s), rolsuper FROM pg_roles WHERE rolname = current_user

-- name: grants
-- Lists datasets of a question and earlier granted datasets, each with whether its user may read it now.
SELECT w.id, coalesce(d.table_schema, g.table_schema), g.dataset_id IS NOT NULL,
       d.id IS NOT NULL AND /* include: accounts/dataset_access.readable_one(%(user)s, d) */
FROM (SELECT unnest(%(ids)s::int[]) AS id
      UNION SELECT dataset_id FROM atlas.reader_grants WHERE user_id = %(user)s) w
LEFT JOIN atlas.datasets d ON d.id = w.id
LEFT JOIN atlas.reader_grants g ON g.dataset_id = w.id AND g.user_id = %(user)s
WHERE d.id IS NOT NULL OR g.dataset_id IS NOT NULL

-- name: unreadable
-- Finds a dataset of these that a user may not read.
SELECT w.id FROM unnest(%(ids)s::int[]) AS w (id) LEFT JOIN atlas.datasets d ON d.id = w.id
WHERE d.id IS NULL OR NOT /* include: accounts/dataset_access.readable_one(%(user)s, d) */
ORDER BY w.id LIMIT 1

-- name: byte_order
-- Tells whether the database sorts texts by their bytes.
SELECT datcollate IN ('C', 'POSIX', 'C.UTF-8', 'C.utf8') AND datlocprovider IN ('c', 'b')
FROM pg_catalog.pg_database WHERE datname = current_database()

-- name: export_snapshot
-- Exports the snapshot of the transaction for other sessions, with the time at which the transaction began.
SELECT pg_export_snapshot(), now()

-- name: now
-- Returns the time at which the transaction began.
SELECT now()

-- name: old_tables
-- Lists tables that stood in for datasets of queries, and whose names are before a name of this time.
SELECT n.nspname, c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.relname ~ '^_query_[0-9]{10}_[0-9a-f]{16}_[0-9]+$' AND c.relname COLLATE "C" < %(before)s

-- name: record_grant
-- Records that a user's role was granted a dataset.
INSERT INTO atlas.reader_grants (user_id, dataset_id, table_schema) VALUES (%(user)s, %(id)s, %(schema)s)
ON CONFLICT DO NOTHING

-- name: remove_grant
-- Deletes the record that a user's role was granted a dataset.
DELETE FROM atlas.reader_grants WHERE user_id = %(user)s AND dataset_id = %(id)s

-- name: find_table
-- Tells whether a relation exists.
SELECT to_regclass(%(table)s) IS NOT NULL

-- name: grants_in_schema
-- Counts the datasets in a schema that are granted to a user's role.
SELECT count(*) FROM atlas.reader_grants WHERE user_id = %(user)s AND table_schema = %(schema)s

-- name: backends
-- Lists the given backends (process id, role) that still exist.
SELECT a.pid, a.usename::text FROM pg_stat_activity a
JOIN unnest(%(pids)s::int[], %(roles)s::text[]) AS t (pid, role) ON t.pid = a.pid AND t.role = a.usename

-- name: cancel_backend
-- Cancels the statement of a backend, if it is still of this role.
SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE pid = %(pid)s AND usename = %(role)s

-- name: terminate_backend
-- Ends a backend, if it is still of this role.
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = %(pid)s AND usename = %(role)s
