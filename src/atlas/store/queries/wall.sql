-- name: is_superuser
SELECT rolsuper FROM pg_roles WHERE rolname = current_user

-- name: hardened
SELECT coalesce(max(version), 0) FROM atlas.hardening

-- name: record_hardening
INSERT INTO atlas.hardening (version) VALUES (%(version)s)

-- name: revoke_all
-- What every role has of itself, by which a reader could read the catalog, call functions, or make objects.
REVOKE SELECT ON ALL TABLES IN SCHEMA pg_catalog, information_schema FROM PUBLIC;
REVOKE EXECUTE ON ALL ROUTINES IN SCHEMA pg_catalog, information_schema, public, atlas, atlas_jobs FROM PUBLIC;
REVOKE ALL ON SCHEMA public, information_schema FROM PUBLIC;
REVOKE USAGE ON LANGUAGE sql, plpgsql FROM PUBLIC;

-- name: grantable
-- Functions that a reader may call: the named ones, and what stands behind operators, casts and texts of plain values.
WITH plain AS (
    SELECT oid, typinput, typoutput FROM pg_type
    WHERE typname IN ('bool', 'int2', 'int4', 'int8', 'numeric', 'float4', 'float8', 'text', 'varchar', 'bpchar', 'char',
                      'name', 'date', 'time', 'timetz', 'timestamp', 'timestamptz', 'interval', 'uuid', 'json', 'jsonb',
                      'unknown', 'bytea', 'anyelement', 'any', 'anycompatible', 'anyenum', 'anynonarray')
)
SELECT p.oid::regprocedure::text
FROM pg_proc p
WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind <> 'p' AND NOT p.proretset AND p.provolatile <> 'v'
  AND (p.oid IN (SELECT typinput FROM plain UNION SELECT typoutput FROM plain)
       OR (p.proname = ANY (%(names)s)
           OR p.oid IN (SELECT oprcode FROM pg_operator) OR p.oid IN (SELECT castfunc FROM pg_cast))
          AND (SELECT bool_and(t.type IN (SELECT oid FROM plain) OR t.type IN (SELECT y.oid FROM pg_type y
                   WHERE y.typelem IN (SELECT oid FROM plain) OR y.typname = 'internal' AND p.prokind <> 'f'))
               FROM unnest(p.proargtypes::oid[] || p.prorettype) AS t (type)))

-- name: role_exists
SELECT 1 FROM pg_roles WHERE rolname = %(role)s

-- name: lock_role
SELECT pg_advisory_xact_lock(hashtextextended(%(role)s, 0))

-- name: grants
-- Datasets of a question that its user may read, and those granted before, with whether the user still may.
SELECT d.id, d.table_schema, g.dataset_id IS NOT NULL, atlas.can_read(%(user)s, d.id, d.owner_id)
FROM atlas.datasets d
LEFT JOIN atlas.reader_grants g ON g.dataset_id = d.id AND g.user_id = %(user)s
WHERE d.id = ANY (%(ids)s) OR g.dataset_id IS NOT NULL

-- name: record_grant
INSERT INTO atlas.reader_grants (user_id, dataset_id) VALUES (%(user)s, %(id)s) ON CONFLICT DO NOTHING

-- name: remove_grant
DELETE FROM atlas.reader_grants WHERE user_id = %(user)s AND dataset_id = %(id)s
