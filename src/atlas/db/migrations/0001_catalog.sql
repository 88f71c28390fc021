-- The catalog: who may do what with which dataset, and where its rows are.
-- One schema, "atlas", apart from the one schema that each organization owns.

CREATE SCHEMA IF NOT EXISTS atlas;

CREATE TABLE atlas.organizations (
    id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text NOT NULL UNIQUE,
    schema_name text NOT NULL UNIQUE,
    created_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE atlas.users (
    id              integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organization_id integer NOT NULL REFERENCES atlas.organizations ON DELETE CASCADE,
    name            text NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    UNIQUE (organization_id, name)
);

-- Only the SHA-256 of a key is kept: a key has 165 random bits, so a slow hash would add nothing.
-- The prefix finds the row; the hash is then compared in constant time by the application.
CREATE TABLE atlas.api_keys (
    id           integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id      integer NOT NULL REFERENCES atlas.users ON DELETE CASCADE,
    name         text NOT NULL DEFAULT '',
    prefix       text NOT NULL,
    key_hash     bytea NOT NULL UNIQUE,
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz,
    revoked_at   timestamptz,
    last_used_at timestamptz
);
CREATE INDEX api_keys_prefix ON atlas.api_keys (prefix);

CREATE TABLE atlas.tags (
    id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text NOT NULL UNIQUE,
    description text NOT NULL DEFAULT '',
    is_public   boolean NOT NULL,
    secret_hash bytea,
    metadata    jsonb NOT NULL DEFAULT '{}',
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    CHECK (is_public OR secret_hash IS NOT NULL)
);

CREATE TABLE atlas.user_tags (
    user_id     integer NOT NULL REFERENCES atlas.users ON DELETE CASCADE,
    tag_id      integer NOT NULL REFERENCES atlas.tags ON DELETE CASCADE,
    acquired_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, tag_id)
);

CREATE TABLE atlas.datasets (
    id           integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    owner_id     integer NOT NULL REFERENCES atlas.users ON DELETE CASCADE,
    name         text NOT NULL,
    description  text NOT NULL DEFAULT '',
    metadata     jsonb NOT NULL DEFAULT '{}',
    table_schema text NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX datasets_owner ON atlas.datasets (owner_id);
CREATE INDEX datasets_metadata ON atlas.datasets USING gin (metadata);

CREATE TABLE atlas.dataset_tags (
    dataset_id integer NOT NULL REFERENCES atlas.datasets ON DELETE CASCADE,
    tag_id     integer NOT NULL REFERENCES atlas.tags ON DELETE CASCADE,
    PRIMARY KEY (dataset_id, tag_id)
);
CREATE INDEX dataset_tags_tag ON atlas.dataset_tags (tag_id);

-- A column of a dataset's values. "physical" is its name in the dataset's table; a key whose values
-- are neither numbers, booleans nor text has none: its values stand in the table's "_extra" column.
CREATE TABLE atlas.dataset_columns (
    id         integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dataset_id integer NOT NULL REFERENCES atlas.datasets ON DELETE CASCADE,
    name       text NOT NULL,
    physical   text,
    dtype      text NOT NULL CHECK (dtype IN ('int', 'float', 'boolean', 'string', 'json')),
    declared   boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (dataset_id, name),
    UNIQUE (dataset_id, physical)
);

-- What every write of a dataset changes. A writer locks its row, so writes to one dataset commit in
-- the order of their sequence numbers: a stream that has seen number n has seen all before it.
CREATE TABLE atlas.dataset_state (
    dataset_id integer PRIMARY KEY REFERENCES atlas.datasets ON DELETE CASCADE,
    last_seq   bigint NOT NULL DEFAULT 0,
    row_count  bigint NOT NULL DEFAULT 0,
    version    bigint NOT NULL DEFAULT 0,
    late_rows  bigint NOT NULL DEFAULT 0,
    max_ts     bigint,
    ts_index   boolean NOT NULL DEFAULT false,
    has_extra  boolean NOT NULL DEFAULT false, -- whether a row has values outside of typed columns
    rewritten  boolean NOT NULL DEFAULT false  -- whether rows were deleted, so that new ones fill gaps
) WITH (fillfactor = 50);

-- Runs of consecutive sequence numbers with their row count and range of timestamps (microseconds
-- since 1970). Exact counts and page bounds come from these instead of from the rows.
CREATE TABLE atlas.row_blocks (
    dataset_id integer NOT NULL REFERENCES atlas.datasets ON DELETE CASCADE,
    first_seq  bigint NOT NULL,
    last_seq   bigint NOT NULL,
    row_count  bigint NOT NULL,
    min_ts     bigint NOT NULL,
    max_ts     bigint NOT NULL,
    PRIMARY KEY (dataset_id, first_seq)
);

CREATE TABLE atlas.idempotency_keys (
    user_id     integer NOT NULL REFERENCES atlas.users ON DELETE CASCADE,
    key         text NOT NULL,
    fingerprint bytea NOT NULL,
    response    jsonb,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, key)
);
CREATE INDEX idempotency_keys_age ON atlas.idempotency_keys (created_at);

INSERT INTO atlas.tags (name, description, is_public) VALUES
    ('public', 'Datasets that everybody may read', true),
    ('test', 'Development and demonstration datasets', true);

-- The one read rule: owners, and users who hold a tag of the dataset. PostgreSQL inlines it, so lists,
-- counts, reads and streams share the same predicate at no cost.
CREATE FUNCTION atlas.can_read(reader integer, dataset integer, owner integer) RETURNS boolean
LANGUAGE sql STABLE AS
'SELECT owner = reader OR EXISTS (
    SELECT 1 FROM atlas.dataset_tags dt JOIN atlas.user_tags ut ON ut.tag_id = dt.tag_id
    WHERE dt.dataset_id = dataset AND ut.user_id = reader)';
