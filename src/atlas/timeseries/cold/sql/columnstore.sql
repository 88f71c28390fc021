-- name: schema
-- Returns the schema of TimescaleDB's functions when it has a tested columnstore. The Apache edition and versions
-- before 2.29 have none.
SELECT n.nspname FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
WHERE e.extname = 'timescaledb' AND current_setting('timescaledb.license', true) = 'timescale'
  AND string_to_array(substring(e.extversion FROM '^[0-9.]+[0-9]'), '.')::int[] >= ARRAY[2, 29]

-- name: compress_alone
-- Takes the lock against other compressions and backups until the transaction ends. Returns whether it was free.
SELECT pg_try_advisory_xact_lock(hashtextextended('atlas compresses', 0))

-- name: compress_later
-- Keeps other sessions from compressing until this session ends.
SELECT pg_advisory_lock_shared(hashtextextended('atlas compresses', 0))

-- name: span
-- Returns the time span of a hypertable's new chunks.
SELECT d.time_interval FROM timescaledb_information.dimensions d
JOIN pg_catalog.pg_class c ON c.relname = d.hypertable_name AND c.relnamespace = to_regnamespace(quote_ident(d.hypertable_schema))
WHERE c.oid = to_regclass(%(relation)s)

-- name: chunks
-- Lists the chunks of a hypertable in order of time, each with whether all its rows are compressed.
SELECT k.chunk_schema, k.chunk_name,
       _timescaledb_functions.chunk_status_text(format('%%I.%%I', k.chunk_schema, k.chunk_name)::regclass) = '{COMPRESSED}'
FROM timescaledb_information.chunks k
JOIN pg_catalog.pg_class c ON c.relname = k.hypertable_name AND c.relnamespace = to_regnamespace(quote_ident(k.hypertable_schema))
WHERE c.oid = to_regclass(%(relation)s) ORDER BY k.range_start
