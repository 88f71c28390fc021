-- name: heartbeats
-- When each worker last said that it lives, by the clock of the database.
SELECT id, last_heartbeat::text AS at FROM procrastinate_workers

-- name: reschedule
-- Jobs that wait for longer than their wait was: the clock has been set back since. They may run now. An import waits 5 s
-- for its next attempt, a delivery five times as long each time.
UPDATE procrastinate_jobs SET scheduled_at = now()
WHERE status = 'todo' AND scheduled_at > now() + make_interval(
    secs => 60 + CASE task_name WHEN 'import' THEN 5 ELSE 5 ^ (attempts + 1) END)
