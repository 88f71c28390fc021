-- depends: 0005_models
-- Questions, what organizations teach the language engines, and what readers of questions may read.

-- Which version of store/hardening.py has been applied to this database.
CREATE TABLE atlas.hardening (
    version    integer NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);

-- Datasets that a user's reader role has been granted. A question grants those that it reads, and revokes those that
-- its user may no longer read.
CREATE TABLE atlas.reader_grants (
    user_id    integer NOT NULL REFERENCES atlas.users ON DELETE CASCADE,
    dataset_id integer NOT NULL REFERENCES atlas.datasets ON DELETE CASCADE,
    PRIMARY KEY (user_id, dataset_id)
);

-- What is known of the values of a table or dataset, so that questions can name them.
CREATE TABLE atlas.column_profiles (
    relation   text PRIMARY KEY,  -- schema.relation
    stamp      text NOT NULL,     -- what the relation was like when it was profiled
    profile    jsonb NOT NULL,
    made_at    timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE atlas.questions (
    id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id integer NOT NULL REFERENCES atlas.organizations ON DELETE CASCADE,
    user_id         integer NOT NULL REFERENCES atlas.users ON DELETE CASCADE,
    thread_id       text NOT NULL,
    question        text NOT NULL,
    engine          text NOT NULL CHECK (engine IN ('offline', 'model', 'verified')),
    status          text NOT NULL CHECK (status IN ('answered', 'unclear', 'failed')),
    sql             text,              -- with the names that users know
    state           text,              -- what the engine keeps for follow-ups
    response        text NOT NULL,
    row_count       integer NOT NULL DEFAULT 0,
    seconds         double precision NOT NULL DEFAULT 0,
    confidence      double precision NOT NULL DEFAULT 0,
    rating          text CHECK (rating IN ('up', 'down')),
    comment         text,
    created_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX questions_thread ON atlas.questions (user_id, thread_id, created_at DESC);
CREATE INDEX questions_newest ON atlas.questions (user_id, created_at DESC);

-- Questions whose SQL a person has found right, and those that a rating suggests.
CREATE TABLE atlas.verified_questions (
    id              integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organization_id integer NOT NULL REFERENCES atlas.organizations ON DELETE CASCADE,
    question        text NOT NULL,
    sql             text NOT NULL,
    status          text NOT NULL CHECK (status IN ('verified', 'suggested')),
    created_by      integer REFERENCES atlas.users ON DELETE SET NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX verified_questions_text ON atlas.verified_questions (organization_id, lower(question));

CREATE TABLE atlas.glossary (
    id              integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organization_id integer NOT NULL REFERENCES atlas.organizations ON DELETE CASCADE,
    term            text NOT NULL,
    meaning         text NOT NULL,
    table_name      text,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX glossary_term ON atlas.glossary (organization_id, lower(term), coalesce(table_name, ''));

-- Views had the names of their tables, which a reader of another organization could have told from their oids.
DO $$
DECLARE t record;
BEGIN
    FOR t IN SELECT tables.id, tables.name, o.schema_name FROM atlas.tables JOIN atlas.organizations o
             ON o.id = tables.organization_id LOOP
        EXECUTE format('ALTER VIEW %I.%I RENAME TO %I', t.schema_name, t.name, '_view_' || t.id);
    END LOOP;
    -- Colleagues may not read each other's datasets, so the organization's role reads none.
    FOR t IN SELECT d.id, d.table_schema FROM atlas.datasets d LOOP
        EXECUTE format('REVOKE SELECT ON %I.%I FROM %I', t.table_schema, 'dataset_' || t.id, t.table_schema || '_reader');
    END LOOP;
END $$;
