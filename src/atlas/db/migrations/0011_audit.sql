-- depends: 0009_row_history
-- Who changed what, and who read data that others own.

-- No references: the log outlives the users, keys and datasets that it names. Requests of a key that are alike and came
-- within a few seconds are one row. Reads of one's own datasets are not kept.
CREATE TABLE atlas.audit_log (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at              timestamptz NOT NULL,
    organization_id integer NOT NULL,        -- of the user
    owner_id        integer,                 -- organization of the dataset's owner
    user_id         integer NOT NULL,
    user_name       text NOT NULL,
    key_id          integer NOT NULL,
    action          text NOT NULL CHECK (action IN ('read', 'write')),
    method          text NOT NULL,
    path            text NOT NULL,           -- without its query
    dataset_id      integer,
    status          smallint NOT NULL,
    requests        integer NOT NULL,
    rows            bigint NOT NULL,         -- written
    request_id      text NOT NULL            -- of the last of them
);
CREATE INDEX audit_log_organization ON atlas.audit_log (organization_id, id DESC);
CREATE INDEX audit_log_owner ON atlas.audit_log (owner_id, id DESC) WHERE owner_id IS NOT NULL;
CREATE INDEX audit_log_at ON atlas.audit_log USING brin (at);
