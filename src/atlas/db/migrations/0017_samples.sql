-- depends: 0013_columnstore
-- Whose models may be sent values of cells: nobody's, those of the owner's organization, or those of all who may read.
ALTER TABLE atlas.datasets ADD COLUMN samples text NOT NULL DEFAULT 'nobody'
    CHECK (samples IN ('nobody', 'organization', 'readers'));
ALTER TABLE atlas.tables ADD COLUMN samples text NOT NULL DEFAULT 'organization'
    CHECK (samples IN ('nobody', 'organization'));
