-- depends: 0005_models
-- Questions that were asked, and what organizations teach the engines that answer them.

-- Nobody but its user sees a question, so a thread is a user's thread, whatever others call theirs.
CREATE TABLE atlas.questions (
    id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id integer NOT NULL REFERENCES atlas.organizations ON DELETE CASCADE,
    user_id         integer NOT NULL REFERENCES atlas.users ON DELETE CASCADE,
    thread_id       text NOT NULL,
    prompt          text NOT NULL,
    table_hint      text,
    engine          text NOT NULL CHECK (engine IN ('offline', 'model', 'verified')),
    status          text NOT NULL CHECK (status IN ('answered', 'unclear', 'failed')),
    sql             text,              -- with the names that users know
    state           text,              -- what the engine wants to know when the next question of the thread comes
    response        text NOT NULL,
    rows_returned   integer NOT NULL DEFAULT 0,
    seconds         double precision NOT NULL DEFAULT 0,
    confidence      double precision NOT NULL DEFAULT 0,
    rating          smallint CHECK (rating IN (-1, 1)),
    rating_comment  text,
    corrected_sql   text,
    created_at      timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX questions_thread ON atlas.questions (user_id, thread_id, created_at DESC);
CREATE INDEX questions_newest ON atlas.questions (user_id, created_at DESC);

-- Questions with SQL that a person has found right, and those that a rating suggests.
CREATE TABLE atlas.verified_questions (
    id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id integer NOT NULL REFERENCES atlas.organizations ON DELETE CASCADE,
    question        text NOT NULL,
    normalized      text NOT NULL,     -- what two wordings that differ in case, blanks or end marks share
    sql             text NOT NULL,
    tables          text[] NOT NULL,
    dataset_ids     integer[] NOT NULL DEFAULT '{}', -- of datasets among `tables`: who may not read them all sees nothing
    source          text NOT NULL CHECK (source IN ('user', 'rating')),
    status          text NOT NULL CHECK (status IN ('verified', 'suggested')),
    question_id     uuid REFERENCES atlas.questions ON DELETE SET NULL, -- whose rating suggests it
    created_by      integer REFERENCES atlas.users ON DELETE SET NULL,
    created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at      timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX verified_questions_text ON atlas.verified_questions (organization_id, md5(normalized));
CREATE UNIQUE INDEX verified_questions_rated ON atlas.verified_questions (question_id) WHERE status = 'suggested';

-- What an organization's words mean: a condition on a table, or plain words.
CREATE TABLE atlas.glossary (
    id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id integer NOT NULL REFERENCES atlas.organizations ON DELETE CASCADE,
    term            text NOT NULL,
    meaning         text NOT NULL,
    table_name      text,
    dataset_id      integer REFERENCES atlas.datasets ON DELETE CASCADE, -- where `table_name` is a dataset
    created_by      integer REFERENCES atlas.users ON DELETE SET NULL,
    created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at      timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE UNIQUE INDEX glossary_term ON atlas.glossary (organization_id, lower(term));
