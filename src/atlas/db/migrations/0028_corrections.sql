-- depends: 0013_columnstore
-- A mapping that waits for the next run of an import; corrections as changes of their own, which can be undone; imports
-- of which a part was taken back.

ALTER TABLE atlas.imports ADD COLUMN mapping jsonb,
    ADD COLUMN corrects integer REFERENCES atlas.imports (number) ON DELETE CASCADE,
    DROP CONSTRAINT imports_kind_check, DROP CONSTRAINT imports_status_check;
ALTER TABLE atlas.imports
    ADD CONSTRAINT imports_kind_check CHECK (kind IN ('import', 'update', 'instruction', 'correction')),
    ADD CONSTRAINT imports_status_check
        CHECK (status IN ('pending', 'running', 'success', 'failed', 'undone', 'partially_undone', 'reset'));
CREATE INDEX imports_corrects ON atlas.imports (corrects) WHERE corrects IS NOT NULL;
-- The correction that decided on an issue.
ALTER TABLE atlas.import_issues ADD COLUMN correction integer;
CREATE INDEX import_issues_correction ON atlas.import_issues (correction) WHERE correction IS NOT NULL;
