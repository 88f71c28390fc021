-- name: find
-- Finds a user's dataset of a measurement: the oldest of this name that was made for the bucket.
SELECT id FROM atlas.datasets
WHERE owner_id = %(user)s AND name = %(name)s AND metadata ->> 'bucket' = %(bucket)s ORDER BY id LIMIT 1

-- name: alone
-- Waits for others who make the same dataset, until the transaction ends.
SELECT pg_advisory_xact_lock(hashtextextended('atlas lines ' || %(name)s, 0))
