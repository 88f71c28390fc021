-- depends: 0006_questions
-- What readers of questions may read, and what is known of the values that they may ask about.

-- Datasets that a user's reader role has been granted. A question grants those that it reads, and revokes those that
-- its user may no longer read. They outlive the dataset, so that the right to use its schema can be taken back with the
-- last of them.
CREATE TABLE atlas.reader_grants (
    user_id      integer NOT NULL REFERENCES atlas.users ON DELETE CASCADE,
    dataset_id   integer NOT NULL,
    table_schema text NOT NULL,
    PRIMARY KEY (user_id, dataset_id)
);

-- What is known of the values of a table or dataset, so that questions can name them.
CREATE TABLE atlas.column_profiles (
    relation   text PRIMARY KEY,  -- schema.relation
    stamp      text NOT NULL,     -- what the relation was like when it was profiled
    profile    jsonb NOT NULL,
    made_at    timestamptz NOT NULL DEFAULT now()
);

-- Views had the names of their tables, which a reader of another organization could have told from their oids.
DO $$
DECLARE t record;
BEGIN
    FOR t IN SELECT tables.id, tables.name, o.schema_name FROM atlas.tables JOIN atlas.organizations o
             ON o.id = tables.organization_id LOOP
        EXECUTE format('ALTER VIEW %I.%I RENAME TO %I', t.schema_name, t.name, '_view_' || t.id);
    END LOOP;
    -- Colleagues may not read each other's datasets, so the organization's role reads none.
    FOR t IN SELECT d.id, d.table_schema FROM atlas.datasets d LOOP
        EXECUTE format('REVOKE SELECT ON %I.%I FROM %I', t.table_schema, 'dataset_' || t.id, t.table_schema || '_reader');
    END LOOP;
END $$;
