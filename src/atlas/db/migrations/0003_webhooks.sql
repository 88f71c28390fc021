-- depends: 0002_content
-- Results of imports on their way to the URLs that callers gave.

ALTER TABLE atlas.organizations ADD COLUMN webhook_secret text;

CREATE TABLE atlas.webhook_deliveries (
    id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id integer NOT NULL REFERENCES atlas.organizations ON DELETE CASCADE,
    import_id       uuid NOT NULL REFERENCES atlas.imports ON DELETE CASCADE,
    url             text NOT NULL,
    payload         text NOT NULL,
    status          text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'delivered', 'failed')),
    created_at      timestamptz NOT NULL DEFAULT now(),
    delivered_at    timestamptz
);
CREATE INDEX webhook_deliveries_newest ON atlas.webhook_deliveries (organization_id, created_at DESC);
CREATE INDEX webhook_deliveries_import ON atlas.webhook_deliveries (import_id);

CREATE TABLE atlas.webhook_attempts (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    delivery_id uuid NOT NULL REFERENCES atlas.webhook_deliveries ON DELETE CASCADE,
    at          timestamptz NOT NULL DEFAULT now(),
    status      integer,
    error       text,
    seconds     double precision NOT NULL
);
CREATE INDEX webhook_attempts_delivery ON atlas.webhook_attempts (delivery_id, id);
