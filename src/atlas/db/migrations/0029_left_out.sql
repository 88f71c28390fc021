-- depends: 0028_corrections
-- Records that an import left out because its instruction said so.

ALTER TABLE atlas.imports ADD COLUMN left_out bigint NOT NULL DEFAULT 0;
