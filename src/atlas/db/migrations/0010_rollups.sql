-- depends: 0009_row_history
-- Rollups: how far the figures of a dataset by buckets of time are made. The figures are in "_rollup_<id>" of the
-- organization's schema; see timeseries/rollups/maintenance.py.

CREATE TABLE atlas.rollups (
    dataset_id integer PRIMARY KEY REFERENCES atlas.datasets ON DELETE CASCADE,
    width      integer NOT NULL,              -- seconds of the narrowest buckets; 0 where no width would pay
    upto       bigint NOT NULL DEFAULT 0,     -- rows numbered up to here are in it
    checked    bigint NOT NULL DEFAULT 0,     -- `upto` when the width was last looked at
    columns    integer[] NOT NULL DEFAULT '{}', -- ids of the columns in it
    floats     integer[] NOT NULL DEFAULT '{}'  -- those of them whose values are floats
);
