-- depends: 0013_columnstore
-- Sums of integers are exact, so a rollup has them as numeric, and by a name of their own where they are of floats.
-- Rollups that have columns of integers are made anew, in the background; until then, charts read rows.

DO $$
DECLARE
    one record;
    id integer;
BEGIN
    FOR one IN
        SELECT r.dataset_id, r.columns, r.floats, format('%I.%I', d.table_schema, '_rollup_' || d.id) AS place
        FROM atlas.rollups r JOIN atlas.datasets d ON d.id = r.dataset_id
    LOOP
        IF one.columns <@ one.floats THEN
            FOREACH id IN ARRAY one.columns LOOP
                EXECUTE format('ALTER TABLE %s RENAME COLUMN %I TO %I', one.place, 's' || id, 's' || id || 'f');
            END LOOP;
        ELSE
            EXECUTE format('DROP TABLE IF EXISTS %s', one.place);
            DELETE FROM atlas.rollups WHERE dataset_id = one.dataset_id;
        END IF;
    END LOOP;
END
$$;
