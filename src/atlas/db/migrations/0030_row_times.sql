-- depends: 0029_left_out
-- When each row of a table came and last changed, as created_at and updated_at of its view; not where the table has columns
-- of these names itself. Rows that are there already have the time of their import.

DO $$
DECLARE
    t record;
    names text;
    own text[];
BEGIN
    FOR t IN SELECT tables.id, o.schema_name FROM atlas.tables JOIN atlas.organizations o
             ON o.id = tables.organization_id ORDER BY tables.id LOOP
        EXECUTE format('ALTER TABLE %I.%I ADD COLUMN _created timestamptz, ADD COLUMN _updated timestamptz',
                       t.schema_name, '_table_' || t.id);
        EXECUTE format('UPDATE %I.%I r SET _created = coalesce(i.started_at, i.created_at) FROM atlas.imports i '
                       'WHERE i.number = r._import', t.schema_name, '_table_' || t.id);
        EXECUTE format('ALTER TABLE %I.%I ALTER COLUMN _created SET DEFAULT now()', t.schema_name, '_table_' || t.id);
        SELECT array_agg(name ORDER BY position), string_agg(format('%I', name), ', ' ORDER BY position)
        INTO own, names FROM atlas.table_columns WHERE table_id = t.id;
        IF NOT 'created_at' = ANY (own) THEN
            names := names || ', _created AS created_at';
        END IF;
        IF NOT 'updated_at' = ANY (own) THEN
            names := names || ', coalesce(_updated, _created) AS updated_at';
        END IF;
        EXECUTE format('DROP VIEW %I.%I', t.schema_name, '_view_' || t.id);
        EXECUTE format('CREATE VIEW %I.%I AS SELECT %s FROM %I.%I WHERE _archived IS NULL',
                       t.schema_name, '_view_' || t.id, names, t.schema_name, '_table_' || t.id);
        EXECUTE format('ALTER VIEW %I.%I OWNER TO %I', t.schema_name, '_view_' || t.id, t.schema_name || '_owner');
        EXECUTE format('GRANT SELECT ON %I.%I TO %I', t.schema_name, '_view_' || t.id, t.schema_name || '_reader');
    END LOOP;
END $$;
