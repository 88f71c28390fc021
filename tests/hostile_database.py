"""SQL that must do nothing, wherever it is stopped: each line would leak, change, wait or exhaust something.

`leads` is a table that the caller may read; `OTHER` stands for the physical name of another organization's table,
`COLLEAGUE` for a colleague's private dataset, `OWN` for the physical name of `leads`.
"""

from __future__ import annotations

_TEXT = r"""
SELECT 1; DROP TABLE OWN
SELECT 1; SELECT pg_sleep(60)
SELECT * FROM OWN; DELETE FROM OWN
SELECT * FROM OWN; COMMIT; DROP SCHEMA atlas CASCADE
COMMIT; DELETE FROM OWN
COMMIT
ROLLBACK
BEGIN; DELETE FROM OWN; COMMIT
END
ABORT
SAVEPOINT x
START TRANSACTION READ WRITE
SET TRANSACTION READ WRITE
SET default_transaction_read_only = off
SET statement_timeout = 0
SET SESSION statement_timeout = 0
SET LOCAL statement_timeout = 0
SET ROLE postgres
SET SESSION AUTHORIZATION postgres
SET search_path = atlas
RESET ALL
RESET ROLE
RESET SESSION AUTHORIZATION
RESET statement_timeout
SHOW data_directory
SHOW ALL
DISCARD ALL
DELETE FROM OWN
UPDATE OWN SET name = 'x'
INSERT INTO OWN (name) VALUES ('x')
MERGE INTO OWN USING OWN AS o ON true WHEN MATCHED THEN DELETE
TRUNCATE OWN
DROP TABLE OWN
DROP VIEW OWN
DROP SCHEMA atlas CASCADE
ALTER TABLE OWN ADD COLUMN x int
ALTER ROLE CURRENT_USER SUPERUSER
ALTER SYSTEM SET fsync = off
CREATE TABLE public.x (a int)
CREATE TEMP TABLE x (a int)
CREATE TABLE x AS SELECT 1
CREATE SCHEMA x
CREATE VIEW public.x AS SELECT 1
CREATE ROLE x SUPERUSER
CREATE DATABASE x
CREATE EXTENSION dblink
CREATE FUNCTION public.x() RETURNS int LANGUAGE sql AS 'SELECT 1'
CREATE INDEX ON OWN (name)
GRANT ALL ON OWN TO PUBLIC
REVOKE ALL ON OWN FROM PUBLIC
COMMENT ON TABLE OWN IS 'x'
VACUUM
ANALYZE OWN
REINDEX TABLE OWN
CLUSTER OWN
CHECKPOINT
LOCK TABLE OWN IN ACCESS EXCLUSIVE MODE
LISTEN atlas
NOTIFY atlas_test, 'x'
UNLISTEN *
LOAD 'auto_explain'
CALL pg_sleep(60)
DO $$ BEGIN PERFORM pg_sleep(60); END $$
DO 'BEGIN PERFORM pg_sleep(60); END'
PREPARE x AS SELECT 1
EXECUTE x
DEALLOCATE ALL
DECLARE c CURSOR FOR SELECT 1
FETCH ALL FROM c
MOVE ALL FROM c
CLOSE ALL
COPY OWN TO STDOUT
COPY OWN FROM '/etc/passwd'
COPY OWN TO '/tmp/atlas_hostile'
COPY (SELECT 1) TO PROGRAM 'touch /tmp/atlas_hostile'
COPY OWN FROM PROGRAM 'id'
EXPLAIN ANALYZE DELETE FROM OWN
EXPLAIN SELECT * FROM OWN
EXPLAIN (ANALYZE, VERBOSE) SELECT pg_sleep(60)
SELECT * INTO public.x FROM OWN
SELECT name INTO TEMP x FROM OWN
WITH d AS (DELETE FROM OWN RETURNING *) SELECT * FROM d
WITH d AS (INSERT INTO OWN (name) VALUES ('x') RETURNING name) SELECT * FROM d
WITH d AS (UPDATE OWN SET name = 'x' RETURNING name) SELECT * FROM d
WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r
WITH RECURSIVE r AS (SELECT 'x'::text AS t UNION ALL SELECT t || t FROM r) SELECT max(length(t)) FROM r
SELECT * FROM OWN FOR UPDATE
SELECT * FROM OWN FOR SHARE
SELECT * FROM OWN FOR NO KEY UPDATE SKIP LOCKED
SELECT pg_sleep(60)
SELECT pg_sleep_for('1 minute')
SELECT pg_sleep_until('tomorrow')
SELECT pg_catalog.pg_sleep(60)
SELECT x.pg_sleep FROM generate_series(60, 60) AS x
SELECT (60).pg_sleep
SELECT x.pg_read_file FROM unnest(array['/etc/hostname'::text]) AS x
SELECT ('/etc/hostname'::text).pg_read_file
SELECT name.pg_read_file FROM OWN
SELECT pg_read_file('/etc/hostname')
SELECT pg_read_file('postgresql.conf')
SELECT pg_read_binary_file('/etc/hostname')
SELECT pg_stat_file('/etc/hostname')
SELECT pg_ls_dir('/')
SELECT * FROM pg_ls_dir('.')
SELECT * FROM pg_ls_logdir()
SELECT * FROM pg_ls_waldir()
SELECT pg_current_logfile()
SELECT lo_import('/etc/hostname')
SELECT lo_export(1, '/tmp/atlas_hostile')
SELECT lo_create(0)
SELECT lo_creat(-1)
SELECT lo_from_bytea(0, 'x')
SELECT lo_get(1)
SELECT lo_unlink(1)
SELECT * FROM dblink('dbname=postgres', 'SELECT 1') AS t(a int)
SELECT dblink_connect('dbname=postgres')
SELECT set_config('statement_timeout', '0', false)
SELECT set_config('transaction_read_only', 'off', false)
SELECT set_config('role', 'postgres', false)
SELECT current_setting('data_directory')
SELECT current_setting('config_file', true)
SELECT pg_notify('atlas_test', 'x')
SELECT pg_advisory_lock(1)
SELECT pg_advisory_xact_lock(1)
SELECT pg_try_advisory_lock(1)
SELECT pg_advisory_unlock_all()
SELECT pg_terminate_backend(1)
SELECT pg_cancel_backend(1)
SELECT pg_reload_conf()
SELECT pg_rotate_logfile()
SELECT pg_switch_wal()
SELECT pg_create_restore_point('x')
SELECT pg_logical_emit_message(false, 'x', 'y')
SELECT pg_export_snapshot()
SELECT txid_current()
SELECT pg_current_xact_id()
SELECT nextval('atlas.imports_number_seq')
SELECT currval('atlas.imports_number_seq')
SELECT setval('atlas.imports_number_seq', 1)
SELECT lastval()
SELECT query_to_xml('DELETE FROM OWN', true, true, '')
SELECT query_to_xml('SELECT pg_sleep(60)', true, true, '')
SELECT table_to_xml('atlas.api_keys'::regclass, true, true, '')
SELECT schema_to_xml('atlas', true, true, '')
SELECT database_to_xml(true, true, '')
SELECT xmlparse(DOCUMENT '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]><x>&e;</x>')
SELECT 'pg_authid'::regclass
SELECT 'atlas.api_keys'::regclass::oid
SELECT to_regclass('atlas.api_keys')
SELECT g::regclass FROM generate_series(1, 100000) AS g
SELECT '1260'::regclass
SELECT 'postgres'::regrole
SELECT 'pg_sleep'::regproc
SELECT CAST('atlas' AS regnamespace)
SELECT * FROM OTHER
SELECT count(*) FROM OTHER
SELECT (SELECT max(name) FROM OTHER) FROM OWN
SELECT * FROM OWN WHERE EXISTS (SELECT 1 FROM OTHER)
SELECT name FROM OWN UNION ALL SELECT name FROM OTHER
SELECT * FROM COLLEAGUE
SELECT max(ts) FROM COLLEAGUE
TABLE OTHER
TABLE atlas.api_keys
SELECT * FROM atlas.api_keys
SELECT key_hash FROM atlas.api_keys
SELECT * FROM atlas.users
SELECT * FROM atlas.organizations
SELECT * FROM atlas.datasets
SELECT * FROM atlas.imports
SELECT * FROM atlas_jobs.procrastinate_jobs
SELECT * FROM pg_authid
SELECT * FROM pg_shadow
SELECT * FROM pg_roles
SELECT * FROM pg_user
SELECT * FROM pg_auth_members
SELECT * FROM pg_stats
SELECT most_common_vals FROM pg_catalog.pg_stats
SELECT * FROM pg_statistic
SELECT * FROM pg_stat_activity
SELECT query FROM pg_stat_activity
SELECT * FROM pg_stat_replication
SELECT * FROM pg_settings
SELECT * FROM pg_file_settings
SELECT * FROM pg_hba_file_rules
SELECT * FROM pg_class
SELECT relname FROM pg_catalog.pg_class
SELECT * FROM pg_namespace
SELECT * FROM pg_attribute
SELECT * FROM pg_proc
SELECT prosrc FROM pg_proc
SELECT * FROM pg_database
SELECT * FROM pg_tables
SELECT * FROM pg_views
SELECT definition FROM pg_views
SELECT * FROM pg_indexes
SELECT * FROM pg_locks
SELECT * FROM pg_largeobject
SELECT * FROM pg_user_mappings
SELECT * FROM pg_stat_all_tables
SELECT * FROM pg_prepared_statements
SELECT * FROM information_schema.tables
SELECT * FROM information_schema.columns
SELECT * FROM information_schema.table_privileges
SELECT * FROM information_schema.enabled_roles
SELECT pg_get_viewdef(16400)
SELECT pg_get_functiondef(1)
SELECT pg_get_userbyid(10)
SELECT pg_describe_object(1259, 1259, 0)
SELECT pg_relation_filepath(1259)
SELECT pg_table_size(1259)
SELECT pg_database_size('postgres')
SELECT has_table_privilege('postgres', 'atlas.api_keys', 'select')
SELECT inet_server_addr()
SELECT version()
SELECT pg_backend_pid()
SELECT pg_postmaster_start_time()
SELECT count(*) FROM generate_series(1, 1000000000000)
SELECT count(*) FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b
SELECT generate_series(1, 1000000000)
SELECT repeat('x', 1000000000)
SELECT lpad('x', 1000000000)
SELECT rpad('x', 1000000000)
SELECT length(repeat('x', 1000000000))
SELECT array_fill(1, array[100000000])
SELECT unnest(array_fill(1, array[100000000]))
SELECT string_to_array(repeat('x,', 100000000), ',')
SELECT regexp_matches(repeat('a', 100000), '(a+)+$')
SELECT json_agg(g) FROM generate_series(1, 100000000) g
SELECT crypt('x', gen_salt('bf', 20))
SELECT /* */ pg_sleep(60)
SELECT pg_sleep(60) -- hidden
SELECT 1 -- ; DROP TABLE OWN
SELECT $$x$$; DROP TABLE OWN
SELECT $a$'$a$; DROP TABLE OWN; --'
SELECT E'\'; DROP TABLE OWN; --'
SELECT U&'\0027' UESCAPE '!'; DROP TABLE OWN
SELECT '\'; DROP TABLE OWN; --'
SELECT "pg_sleep"(60)
SELECT PG_SLEEP(60)
SELECT pg_catalog."pg_sleep"(60)
SELECT OPERATOR(pg_catalog.-) 1, pg_sleep(60)
SELECT * FROM ROWS FROM (pg_ls_dir('/'))
SELECT * FROM OWN, LATERAL pg_sleep(60)
SELECT * FROM OWN CROSS JOIN LATERAL pg_ls_dir('/')
SELECT * FROM OWN ORDER BY pg_sleep(60)
SELECT * FROM OWN WHERE pg_sleep(60) IS NULL
SELECT * FROM OWN LIMIT (SELECT count(*) FROM pg_roles)
SELECT count(*) OVER (ORDER BY pg_sleep(60)) FROM OWN
SELECT count(*) FILTER (WHERE pg_sleep(60) IS NULL) FROM OWN
SELECT CASE WHEN true THEN pg_read_file('/etc/hostname') END
SELECT coalesce(NULL, pg_read_file('/etc/hostname'))
SELECT name || pg_read_file('/etc/hostname') FROM OWN
VALUES (pg_read_file('/etc/hostname'))
SELECT * FROM (VALUES (pg_sleep(60))) AS v(a)
SELECT 1 UNION SELECT pg_sleep(60)::text::int
SELECT row_to_json(a) FROM atlas.api_keys AS a
SELECT currtid2('OTHER', '(0,1)')
SELECT pg_input_is_valid('x', 'regclass')
SELECT * FROM xmltable('/x' TRANSIENT '<x/>' COLUMNS a text)
SELECT * FROM json_to_recordset('[]') AS x(a int)
SELECT pg_stat_reset()
SELECT pg_replication_origin_create('x')
SELECT pg_create_logical_replication_slot('x', 'pgoutput')
SELECT pg_import_system_collations('pg_catalog')
SELECT ts_stat('SELECT 1')
SELECT pg_promote()
SELECT binary_upgrade_set_next_pg_type_oid(1)
SELECT pg_log_backend_memory_contexts(1)
"""

HOSTILE = tuple(line for line in _TEXT.strip().split("\n") if line)
# Characters that no text file should hold: what follows a NUL is hidden from some parsers, and look-alikes.
HOSTILE += (
    "SELECT 1\0; DROP TABLE OWN",
    "SELECT pg_sleep(60)\0",
    "SELECT p\u0261_sleep(60)",
    "SELECT \uff50g_sleep(60)",
    "\u0405ELECT pg_sleep(60)",
    "SELECT pg_sleep\u200b(60)",
    "SELECT 1\u037e DROP TABLE OWN",
    "SELECT \u2018x\u2019; DROP TABLE OWN",
    "SELECT 1\r\n;\r\nDROP TABLE OWN",
)
