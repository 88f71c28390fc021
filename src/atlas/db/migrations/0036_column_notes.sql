-- depends: 0032_accept_proposals
-- What people say of columns: the unit of the values, and what they mean. Those of a table go by names, so that an import that
-- is undone and run again finds them; `dropped_by` is the number of the import whose undo took the column away.
ALTER TABLE atlas.dataset_columns
    ADD COLUMN unit text NOT NULL DEFAULT '', ADD COLUMN description text NOT NULL DEFAULT '';
CREATE TABLE atlas.column_notes (
    organization_id integer NOT NULL REFERENCES atlas.organizations (id) ON DELETE CASCADE,
    table_name text NOT NULL,
    name text NOT NULL,
    unit text NOT NULL DEFAULT '',
    description text NOT NULL DEFAULT '',
    dropped_by integer,
    PRIMARY KEY (organization_id, table_name, name)
);
