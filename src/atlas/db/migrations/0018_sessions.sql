-- depends: 0017_samples
-- Sessions of browsers that have not been ended. A cookie names one; it is good for nothing else.
CREATE TABLE atlas.sessions (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id    integer NOT NULL REFERENCES atlas.users ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
CREATE INDEX sessions_user ON atlas.sessions (user_id);
CREATE INDEX sessions_expiry ON atlas.sessions (expires_at);
