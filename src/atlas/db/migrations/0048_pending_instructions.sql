-- depends: 0047_file_formats
-- What an instruction in a conversation asked back, so that the next message can answer it: the text, what is asked, what
-- was answered before, and for a change of many rows a fingerprint of the rows and values that were shown.
CREATE TABLE atlas.pending_instructions (
    user_id     integer NOT NULL REFERENCES atlas.users ON DELETE CASCADE,
    thread_id   text NOT NULL,
    text        text NOT NULL,
    asks        text NOT NULL,
    fingerprint text,
    table_name  text,
    match       jsonb NOT NULL DEFAULT '{}',
    asked_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, thread_id)
);
