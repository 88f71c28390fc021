-- depends: 0001_catalog
-- Tables that come from imports, the imports themselves, and what is left to review.

-- A table of an organization. Its rows are in "_table_<id>" of the organization's schema; a view with the
-- table's own name shows those that are not archived, without Atlas's columns.
CREATE TABLE atlas.tables (
    id              integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organization_id integer NOT NULL REFERENCES atlas.organizations ON DELETE CASCADE,
    name            text NOT NULL,
    key_columns     text[] NOT NULL DEFAULT '{}', -- what makes two rows the same; none: all columns
    row_count       bigint NOT NULL DEFAULT 0,    -- without archived rows
    last_row        bigint NOT NULL DEFAULT 0,    -- greatest number given to a row
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    UNIQUE (organization_id, name)
);

CREATE TABLE atlas.table_columns (
    id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    table_id    integer NOT NULL REFERENCES atlas.tables ON DELETE CASCADE,
    name        text NOT NULL,
    type        text NOT NULL CHECK (type IN ('text', 'bigint', 'double', 'boolean', 'date', 'timestamp', 'json')),
    header      text NOT NULL DEFAULT '',  -- what the file that brought it called it
    semantic    text CHECK (semantic IN ('email', 'url', 'phone')),
    required    boolean NOT NULL DEFAULT false,
    rules       jsonb NOT NULL DEFAULT '{}',
    position    integer NOT NULL,
    UNIQUE (table_id, name)
);

CREATE TABLE atlas.imports (
    id                uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    number            integer GENERATED ALWAYS AS IDENTITY UNIQUE, -- what rows carry instead of the uuid
    organization_id   integer NOT NULL REFERENCES atlas.organizations ON DELETE CASCADE,
    user_id           integer REFERENCES atlas.users ON DELETE SET NULL,
    table_id          integer REFERENCES atlas.tables ON DELETE SET NULL,
    dataset_id        integer REFERENCES atlas.datasets ON DELETE SET NULL,
    table_name        text,
    kind              text NOT NULL CHECK (kind IN ('import', 'update', 'instruction')),
    file_name         text,
    file_bytes        bigint,
    instruction       text NOT NULL DEFAULT '',
    thread_id         text,
    status            text NOT NULL CHECK (status IN ('pending', 'running', 'success', 'failed', 'undone', 'reset')),
    action_taken      text,
    summary           text,
    error             text,
    records           bigint NOT NULL DEFAULT 0,
    inserted          bigint NOT NULL DEFAULT 0,
    updated           bigint NOT NULL DEFAULT 0,
    duplicates        bigint NOT NULL DEFAULT 0,
    failures          bigint NOT NULL DEFAULT 0,
    replacements      bigint NOT NULL DEFAULT 0,
    first_row         bigint,
    last_row          bigint,
    plan              jsonb,
    made_table        boolean NOT NULL DEFAULT false,
    new_columns       text[] NOT NULL DEFAULT '{}',
    callback_url      text,
    callback_metadata jsonb,
    created_at        timestamptz NOT NULL DEFAULT now(),
    started_at        timestamptz,
    finished_at       timestamptz
);
CREATE INDEX imports_newest ON atlas.imports (organization_id, created_at DESC);
CREATE INDEX imports_thread ON atlas.imports (organization_id, thread_id, created_at DESC) WHERE thread_id IS NOT NULL;

-- How far a running import is. Written outside of its transaction, so that others see it.
CREATE TABLE atlas.import_progress (
    import_id  uuid PRIMARY KEY REFERENCES atlas.imports ON DELETE CASCADE,
    stage      text NOT NULL,
    records    bigint NOT NULL DEFAULT 0,
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- Imported files, compressed, in pieces: for asynchronous imports and for running an import again.
CREATE TABLE atlas.import_files (
    import_id uuid NOT NULL REFERENCES atlas.imports ON DELETE CASCADE,
    part      integer NOT NULL,
    data      bytea NOT NULL,
    PRIMARY KEY (import_id, part)
);
ALTER TABLE atlas.import_files ALTER COLUMN data SET STORAGE EXTERNAL;

CREATE TABLE atlas.import_issues (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    import_number integer NOT NULL REFERENCES atlas.imports (number) ON DELETE CASCADE,
    kind          text NOT NULL CHECK (kind IN ('duplicate', 'validation', 'replacement')),
    record_number bigint NOT NULL,
    row_id        bigint,          -- the row that came of it, or that it is about
    record        json,            -- the record as it would be inserted
    details       json NOT NULL,
    status        text NOT NULL DEFAULT 'pending',
    resolution    jsonb,           -- what was asked for, so that asking again is no change
    resolved_at   timestamptz
);
CREATE INDEX import_issues_page ON atlas.import_issues (import_number, kind, id);
CREATE INDEX import_issues_record ON atlas.import_issues (import_number, kind, record_number);

-- Every change of a row after its insert, so that an import can be undone exactly.
CREATE TABLE atlas.row_changes (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    table_id      integer NOT NULL REFERENCES atlas.tables ON DELETE CASCADE,
    row_id        bigint NOT NULL,
    import_number integer NOT NULL REFERENCES atlas.imports (number) ON DELETE CASCADE,
    before        jsonb NOT NULL,
    after         jsonb NOT NULL
);
CREATE INDEX row_changes_import ON atlas.row_changes (import_number);
CREATE INDEX row_changes_row ON atlas.row_changes (table_id, row_id, id);
