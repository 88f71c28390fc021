-- depends: 0047_file_formats
-- Key columns of a dataset, as in atlas.dataset_columns.name. A key without a column waits for the first row.
ALTER TABLE atlas.datasets ADD COLUMN keys text[] NOT NULL DEFAULT '{}';

CREATE OR REPLACE FUNCTION atlas.dataset_bytes(of_schema text, dataset integer) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
    cold   regclass := to_regclass(format('%I.%I', of_schema, '_cold_' || dataset));
    chunks bigint := 0;
    call   text;
BEGIN
    IF EXISTS (SELECT 1 FROM atlas.cold c WHERE c.dataset_id = dataset AND c.columnstore) THEN
        SELECT format('SELECT %I.hypertable_size($1) - pg_total_relation_size($1)', n.nspname) INTO call
        FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
        WHERE e.extname = 'timescaledb';
        IF call IS NOT NULL THEN
            EXECUTE call INTO chunks USING cold;
        END IF;
    END IF;
    RETURN (SELECT sum(pg_total_relation_size(to_regclass(format('%I.%I', of_schema, prefix || dataset))))
            FROM unnest(ARRAY['dataset_', '_hot_', '_cold_', '_series_']) AS prefix) + coalesce(chunks, 0);
END $$;
