-- Whether columns that headers may mean are taken, for imports that run later or again.
ALTER TABLE atlas.imports ADD COLUMN accept_proposals boolean;
