-- name: begin
-- Stores a new session of a browser.
INSERT INTO atlas.sessions (user_id, expires_at) VALUES (%(user)s, now() + make_interval(secs => %(seconds)s))
RETURNING id

-- name: sweep
-- Deletes sessions that have expired.
DELETE FROM atlas.sessions WHERE expires_at <= now()

-- name: living
-- Returns those of the given sessions that have not ended.
SELECT id FROM atlas.sessions WHERE id = ANY (%(ids)s) AND expires_at > now()

-- name: end_one
-- Ends a session.
DELETE FROM atlas.sessions WHERE id = %(id)s

-- name: end_all
-- Ends every session of a session's user.
DELETE FROM atlas.sessions WHERE user_id = (SELECT s.user_id FROM atlas.sessions s WHERE s.id = %(id)s)
