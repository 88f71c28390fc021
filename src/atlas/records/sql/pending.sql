-- What instructions asked back.

-- name: keep
-- Keeps the question of a conversation, in place of an earlier one, and forgets old ones of the user.
WITH old AS (
    DELETE FROM atlas.pending_instructions
    WHERE user_id = %(user)s AND asked_at < now() - interval '1 day' AND thread_id <> %(thread)s
)
INSERT INTO atlas.pending_instructions AS pending (user_id, thread_id, text, asks, fingerprint, table_name, match)
VALUES (%(user)s, %(thread)s, %(text)s, %(asks)s, %(fingerprint)s, %(table)s, %(match)s)
ON CONFLICT (user_id, thread_id) DO UPDATE
SET text = excluded.text, asks = excluded.asks, fingerprint = excluded.fingerprint,
    table_name = excluded.table_name, match = excluded.match, asked_at = now()

-- name: take
-- Returns and forgets the question of a conversation, unless it is older than an hour.
WITH gone AS (
    DELETE FROM atlas.pending_instructions
    WHERE user_id = %(user)s AND thread_id = %(thread)s
    RETURNING text, asks, fingerprint, table_name, match, asked_at
)
SELECT text, asks, fingerprint, table_name, match FROM gone WHERE asked_at > now() - interval '1 hour'
