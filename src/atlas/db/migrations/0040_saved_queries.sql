-- depends: 0033_open_issues
-- SQL that people keep: their own, which they may share with their organization; and the datasets and tables that they
-- come back to.
CREATE TABLE atlas.saved_queries (
    id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id integer NOT NULL REFERENCES atlas.organizations ON DELETE CASCADE,
    user_id         integer NOT NULL REFERENCES atlas.users ON DELETE CASCADE,
    name            text NOT NULL,
    sql             text NOT NULL,
    shared          boolean NOT NULL DEFAULT false,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX saved_queries_name ON atlas.saved_queries (user_id, lower(name));
CREATE INDEX saved_queries_shared ON atlas.saved_queries (organization_id) WHERE shared;

CREATE TABLE atlas.favourites (
    user_id    integer NOT NULL REFERENCES atlas.users ON DELETE CASCADE,
    dataset_id integer REFERENCES atlas.datasets ON DELETE CASCADE,
    table_id   integer REFERENCES atlas.tables ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK (num_nonnulls(dataset_id, table_id) = 1)
);
CREATE UNIQUE INDEX favourites_dataset ON atlas.favourites (user_id, dataset_id) WHERE dataset_id IS NOT NULL;
CREATE UNIQUE INDEX favourites_table ON atlas.favourites (user_id, table_id) WHERE table_id IS NOT NULL;
CREATE INDEX favourites_of_dataset ON atlas.favourites (dataset_id) WHERE dataset_id IS NOT NULL;
CREATE INDEX favourites_of_table ON atlas.favourites (table_id) WHERE table_id IS NOT NULL;
