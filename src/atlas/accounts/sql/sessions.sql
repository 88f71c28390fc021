-- name: begin
-- Stores a new session of a browser.
INSERT INTO atlas.sessions (user_id, expires_at) VALUES (%(user)s, now() + make_interval(secs => %(seconds)s))
RETURNING id

-- name: sweep
-- Deletes sessions that have expired.
DELETE FROM atlas.sessions WHERE expires_at <= now()

-- name: living
-- Finds which of some sessions have not ended.
SELECT id FROM atlas.sessions WHERE id = ANY (%(ids)s) AND expires_at > now()

-- name: end_one
-- Ends a session.
DELETE FROM atlas.sessions WHERE id = %(id)s

-- name: end_all
-- Every session of whose this one is.
DELETE FROM atlas.sessions WHERE user_id = (SELECT s.user_id FROM atlas.sessions s WHERE s.id = %(id)s)
