-- depends: 0032_accept_proposals
-- How many issues of an import wait for a decision, and how many were decided on: lists and the number of imports that
-- wait are read without looking at the issues.

ALTER TABLE atlas.imports ADD COLUMN issues_open bigint NOT NULL DEFAULT 0, ADD COLUMN issues_resolved bigint NOT NULL DEFAULT 0;
UPDATE atlas.imports i SET issues_open = s.open, issues_resolved = s.resolved
FROM (SELECT import_number, count(*) FILTER (WHERE status = 'pending') AS open, count(*) FILTER (WHERE status <> 'pending') AS resolved
      FROM atlas.import_issues GROUP BY import_number) s
WHERE s.import_number = i.number;
CREATE INDEX imports_waiting ON atlas.imports (organization_id, created_at DESC) WHERE issues_open > 0;
-- The start of an import was recorded only where it ran later.
UPDATE atlas.imports SET started_at = created_at WHERE started_at IS NULL AND status NOT IN ('pending', 'running') AND callback_url IS NULL;
