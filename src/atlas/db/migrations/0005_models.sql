-- depends: 0003_webhooks
-- The model provider that an organization has chosen. Without a row the operator's default counts, if there is one.
-- The key is encrypted with the server's secret and bound to the organization; see kit/encryption.py.

CREATE TABLE atlas.model_settings (
    organization_id   integer PRIMARY KEY REFERENCES atlas.organizations ON DELETE CASCADE,
    provider          text NOT NULL CHECK (provider IN ('openai', 'anthropic', 'none')),
    model             text,
    base_url          text,
    api_key_encrypted bytea,
    samples           boolean NOT NULL DEFAULT false, -- whether values of cells may be sent
    timeout_seconds   double precision NOT NULL,
    updated_at        timestamptz NOT NULL DEFAULT now(),
    updated_by        integer REFERENCES atlas.users ON DELETE SET NULL,
    CHECK (provider = 'none' OR model IS NOT NULL)
);
