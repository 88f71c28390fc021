-- depends: 0052_conflicts
-- When a dataset was changed, so that it can be read as it was at a moment, and deleted rows, which stay for some days.

-- One run of changes a row. body: version, number of the last row and time of the first change as 8 bytes each, then 8
-- bytes for each later change: how far number and time (microseconds) went, as 4 bytes each. Versions go up by one.
CREATE TABLE atlas.moments (
    dataset_id integer NOT NULL REFERENCES atlas.datasets ON DELETE CASCADE,
    version    bigint NOT NULL,
    at         bigint NOT NULL, -- time of the first change, microseconds since 1970
    body       bytea NOT NULL,
    PRIMARY KEY (dataset_id, version)
);
CREATE INDEX ON atlas.moments (dataset_id, at);

-- Deletes whose rows are kept in the history.
CREATE TABLE atlas.deletions (
    dataset_id integer NOT NULL REFERENCES atlas.datasets ON DELETE CASCADE,
    number     bigint NOT NULL, -- the number that the delete took of those of rows
    version    bigint NOT NULL, -- of the dataset without the rows
    at         timestamptz NOT NULL, -- of the transaction, as in the history
    PRIMARY KEY (dataset_id, number)
);
CREATE INDEX ON atlas.deletions (at);

-- moments: the run that goes on; moment_at: time of its last change. known_from: the first version whose rows are all
-- there, as rows deleted later are kept.
ALTER TABLE atlas.dataset_state ADD COLUMN moments bytea NOT NULL DEFAULT '',
    ADD COLUMN moment_at bigint NOT NULL DEFAULT 0,
    ADD COLUMN known_from bigint NOT NULL DEFAULT 0;

-- Returns the integer of 8 bytes at a place of a run.
CREATE FUNCTION atlas.int8_at(body bytea, place integer) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT ('x' || encode(substring(body FROM place FOR 8), 'hex'))::bit(64)::bigint
$$;

-- Notes each change of a dataset, under the lock that the change holds, some moments before its commit.
CREATE FUNCTION atlas.note_moment() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    now_at  bigint := greatest((extract(epoch FROM clock_timestamp()) * 1000000)::bigint, NEW.moment_at);
    further bigint;
    later   bigint;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        further := NEW.last_seq - OLD.last_seq;
        later := now_at - OLD.moment_at;
        IF NEW.version = OLD.version + 1 AND length(OLD.moments) BETWEEN 24 AND 535
           AND further BETWEEN 0 AND 2147483647 AND later BETWEEN 0 AND 2147483647 THEN
            NEW.moments := OLD.moments || int4send(further::integer) || int4send(later::integer);
            NEW.moment_at := now_at;
            RETURN NEW;
        END IF;
        IF length(OLD.moments) >= 24 THEN
            INSERT INTO atlas.moments (dataset_id, version, at, body)
            VALUES (OLD.dataset_id, atlas.int8_at(OLD.moments, 1), atlas.int8_at(OLD.moments, 17), OLD.moments);
        END IF;
    END IF;
    NEW.moments := int8send(NEW.version) || int8send(NEW.last_seq) || int8send(now_at);
    NEW.moment_at := now_at;
    RETURN NEW;
END $$;

CREATE TRIGGER begin_moments BEFORE INSERT ON atlas.dataset_state
    FOR EACH ROW EXECUTE FUNCTION atlas.note_moment();
CREATE TRIGGER note_moment BEFORE UPDATE ON atlas.dataset_state
    FOR EACH ROW WHEN (OLD.version <> NEW.version OR OLD.last_seq <> NEW.last_seq)
    EXECUTE FUNCTION atlas.note_moment();
-- What was before this is not known.
UPDATE atlas.dataset_state SET known_from = version, moment_at = (extract(epoch FROM clock_timestamp()) * 1000000)::bigint,
    moments = int8send(version) || int8send(last_seq) || int8send((extract(epoch FROM clock_timestamp()) * 1000000)::bigint);

-- As before, with one column more. _low_ts: when a delete hid the row, which becomes final later.
CREATE OR REPLACE FUNCTION atlas.create_history(of_schema text, dataset integer) RETURNS void LANGUAGE plpgsql AS $$
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
        ' ADD COLUMN _high_seq bigint NOT NULL, ADD COLUMN _high_ts timestamptz NOT NULL DEFAULT clock_timestamp(),'
        ' ADD COLUMN _low_ts timestamptz';
    EXECUTE 'CREATE UNIQUE INDEX ON ' || named || ' (_low_seq)';
    EXECUTE 'CREATE INDEX ON ' || named || ' (_high_seq)';
    EXECUTE 'CREATE INDEX ON ' || named || ' (ts)';
    EXECUTE 'CREATE INDEX ON ' || named || ' (_low_ts) WHERE _low_ts IS NOT NULL';
    EXECUTE 'ALTER TABLE ' || named || format(' OWNER TO %I', of_schema || '_owner');
END $$;
DO $$
DECLARE
    named text;
BEGIN
    FOR named IN SELECT to_regclass(format('%I.%I', d.table_schema, '_history_' || d.id))::text FROM atlas.datasets d LOOP
        IF named IS NOT NULL THEN
            EXECUTE 'ALTER TABLE ' || named || ' ADD COLUMN _low_ts timestamptz';
        END IF;
    END LOOP;
END $$;
