-- depends: 0013_columnstore
-- How often a job has begun to run an import: one that was begun and has not ended has died with its process.
ALTER TABLE atlas.imports ADD COLUMN starts integer NOT NULL DEFAULT 0;
