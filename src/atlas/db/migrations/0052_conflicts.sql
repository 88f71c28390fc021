-- depends: 0051_chunks
-- What an insert does with rows whose timestamp and keys other rows have, and where replaced rows are kept.
ALTER TABLE atlas.datasets ADD COLUMN on_conflict text NOT NULL DEFAULT 'append'
    CHECK (on_conflict IN ('append', 'replace', 'keep_first', 'reject'));
-- The number of the last row that replaced others; 0 where no row ever did, and there is no history.
ALTER TABLE atlas.dataset_state ADD COLUMN corrected bigint NOT NULL DEFAULT 0;

-- Creates the table of a dataset's replaced rows, with three columns more than its rows, named so that no column of a
-- dataset is. _low_seq: the order in which rows came here; _high_seq: the number of the row that replaced this one;
-- _high_ts: when.
CREATE FUNCTION atlas.create_history(of_schema text, dataset integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    named text := format('%I.%I', of_schema, '_history_' || dataset);
    rows  regclass := coalesce(to_regclass(format('%I.%I', of_schema, '_hot_' || dataset)),
                               to_regclass(format('%I.%I', of_schema, 'dataset_' || dataset)));
BEGIN
    IF to_regclass(named) IS NOT NULL THEN
        RETURN;
    END IF;
    EXECUTE format('CREATE TABLE %s (LIKE %s)', named, rows);
    EXECUTE 'ALTER TABLE ' || named || ' ADD COLUMN _low_seq bigint GENERATED ALWAYS AS IDENTITY,'
        ' ADD COLUMN _high_seq bigint NOT NULL, ADD COLUMN _high_ts timestamptz NOT NULL DEFAULT clock_timestamp()';
    EXECUTE 'CREATE UNIQUE INDEX ON ' || named || ' (_low_seq)';
    EXECUTE 'CREATE INDEX ON ' || named || ' (_high_seq)';
    EXECUTE 'CREATE INDEX ON ' || named || ' (ts)';
    EXECUTE 'ALTER TABLE ' || named || format(' OWNER TO %I', of_schema || '_owner');
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
            FROM unnest(ARRAY['dataset_', '_hot_', '_cold_', '_chunks_', '_series_', '_history_']) AS prefix)
        + coalesce(chunks, 0);
END $$;
