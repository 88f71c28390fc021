-- depends: 0050_series_keys
-- Packed rows as chunks: Parquet files by column in "_chunks_<id>"; see timeseries/cold/chunk_codec.py. Rows that an
-- earlier version packed stay where they are until the background task has converted them.

ALTER TABLE atlas.cold ADD COLUMN legacy boolean NOT NULL DEFAULT true;  -- has rows in the storage of earlier versions
ALTER TABLE atlas.cold ALTER COLUMN legacy SET DEFAULT false;

-- Creates the table of a dataset's chunks. Times are microseconds since 1970; digits: those of a second that they need;
-- low and high: bounds of a part's numbers.
CREATE FUNCTION atlas.create_chunks(of_schema text, dataset integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    named text := format('%I.%I', of_schema, '_chunks_' || dataset);
BEGIN
    EXECUTE 'CREATE TABLE ' || named || ' (low_seq bigint NOT NULL, high_seq bigint NOT NULL, low_ts bigint NOT NULL,'
        ' high_ts bigint NOT NULL, rows integer NOT NULL, digits smallint NOT NULL, part text COLLATE "C" NOT NULL,'
        ' nulls integer NOT NULL, low double precision, high double precision, body bytea NOT NULL, PRIMARY KEY (low_seq, part))';
    -- The bodies are compressed already.
    EXECUTE 'ALTER TABLE ' || named || ' ALTER COLUMN body SET STORAGE EXTERNAL';
    EXECUTE 'CREATE INDEX ON ' || named || ' (high_ts, low_ts)';
    EXECUTE 'ALTER TABLE ' || named || format(' OWNER TO %I', of_schema || '_owner');
END $$;

DO $$
BEGIN
    PERFORM atlas.create_chunks(d.table_schema, d.id) FROM atlas.cold c JOIN atlas.datasets d ON d.id = c.dataset_id;
END $$;

CREATE OR REPLACE FUNCTION atlas.dataset_bytes(of_schema text, dataset integer) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
    cold   regclass := to_regclass(format('%I.%I', of_schema, '_cold_' || dataset));
    chunks bigint := 0;
    call   text;
BEGIN
    IF EXISTS (SELECT 1 FROM atlas.cold c WHERE c.dataset_id = dataset AND c.legacy AND c.columnstore) THEN
        SELECT format('SELECT %I.hypertable_size($1) - pg_total_relation_size($1)', n.nspname) INTO call
        FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
        WHERE e.extname = 'timescaledb';
        IF call IS NOT NULL THEN
            EXECUTE call INTO chunks USING cold;
        END IF;
    END IF;
    RETURN (SELECT sum(pg_total_relation_size(to_regclass(format('%I.%I', of_schema, prefix || dataset))))
            FROM unnest(ARRAY['dataset_', '_hot_', '_cold_', '_chunks_', '_series_']) AS prefix) + coalesce(chunks, 0);
END $$;
