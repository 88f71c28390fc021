-- depends: 0040_saved_queries
-- Which imports an organization sees: those that were for a table, as its tables are shared. One into a dataset, or one that
-- has brought nothing yet, is its user's, and seen by who may read the dataset.
ALTER TABLE atlas.imports ADD COLUMN shared boolean NOT NULL DEFAULT false;
UPDATE atlas.imports SET shared = true
WHERE dataset_id IS NULL AND (kind <> 'import' OR table_id IS NOT NULL OR plan ->> 'dataset' = 'false');
