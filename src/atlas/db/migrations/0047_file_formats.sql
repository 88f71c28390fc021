-- depends: 0046_read_rule
-- How the text file of an import or update was written. The last one in force that shows it decides where a later file of the
-- table leaves it open; an undo takes it back with the rows.
ALTER TABLE atlas.imports ADD COLUMN encoding text, ADD COLUMN delimiter text;
CREATE INDEX imports_file_formats ON atlas.imports (table_id, finished_at DESC)
    WHERE encoding IS NOT NULL OR delimiter IS NOT NULL;
