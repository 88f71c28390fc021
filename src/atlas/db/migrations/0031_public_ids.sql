-- The id that an organization knows an import by is its own affair: it may choose one, and another may have the same.
-- Files, jobs and deliveries keep to the id inside, which nobody chooses.
ALTER TABLE atlas.imports ADD COLUMN public_id uuid;
UPDATE atlas.imports SET public_id = id;
ALTER TABLE atlas.imports ALTER COLUMN public_id SET NOT NULL;
CREATE UNIQUE INDEX imports_public_id ON atlas.imports (organization_id, public_id);
