-- depends: 0013_columnstore
-- Which process works on an import or update: one whose process has died is failed at once, whatever the clock says.

ALTER TABLE atlas.imports ADD COLUMN process bigint;
