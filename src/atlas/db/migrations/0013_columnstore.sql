-- depends: 0012_cold
-- Cold rows in TimescaleDB's columnstore where the extension is there; see timeseries/cold/timescale_store.py.

ALTER TABLE atlas.cold
    ADD COLUMN columnstore boolean NOT NULL DEFAULT false,  -- "_cold_<id>" is a hypertable, not a table of segments
    ADD COLUMN settled     boolean NOT NULL DEFAULT true;   -- the space of the rows that were packed is given back

-- Bytes that a dataset's rows and their indexes take; null where it has just been dropped. A view takes none, and of a
-- hypertable only TimescaleDB knows what is in its chunks.
CREATE FUNCTION atlas.dataset_bytes(of_schema text, dataset integer) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
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
            FROM unnest(ARRAY['dataset_', '_hot_', '_cold_']) AS prefix) + coalesce(chunks, 0);
END $$;
