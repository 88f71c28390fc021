-- depends: 0011_audit
-- Cold rows: what of a dataset is stored as segments of packed columns; see timeseries/cold/view.py.

-- In the row that writers lock, as the name of the table that they write to depends on it.
ALTER TABLE atlas.dataset_state ADD COLUMN cold boolean NOT NULL DEFAULT false;

CREATE TABLE atlas.cold (
    dataset_id integer PRIMARY KEY REFERENCES atlas.datasets ON DELETE CASCADE,
    upto       bigint NOT NULL DEFAULT 0,     -- rows numbered up to here were looked at
    rows       bigint NOT NULL DEFAULT 0,     -- rows in segments
    parts      text[] NOT NULL DEFAULT '{}'   -- columns of "_cold_<id>" that segments may have
);
