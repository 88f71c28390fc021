-- depends: 0007_wall
-- The wall is compared with what the database has at each start, so no version of it is kept. Grants remember their
-- schema and outlive the dataset, so that the right to use its schema can be taken back with the last of them.

DROP TABLE atlas.hardening;

ALTER TABLE atlas.reader_grants DROP CONSTRAINT reader_grants_dataset_id_fkey;
ALTER TABLE atlas.reader_grants ADD COLUMN table_schema text;
UPDATE atlas.reader_grants g SET table_schema = d.table_schema FROM atlas.datasets d WHERE d.id = g.dataset_id;
DELETE FROM atlas.reader_grants WHERE table_schema IS NULL;
ALTER TABLE atlas.reader_grants ALTER COLUMN table_schema SET NOT NULL;
