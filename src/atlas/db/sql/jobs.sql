-- name: heartbeats
-- Lists each worker's last heartbeat, by the database's clock.
SELECT id, last_heartbeat::text AS at FROM procrastinate_workers

-- name: reschedule
-- Makes jobs due that wait for longer than their delay, because the clock has since been set back. An import waits 5 s
-- for its next attempt. A delivery waits five times as long each time.
UPDATE procrastinate_jobs SET scheduled_at = now()
WHERE status = 'todo' AND scheduled_at > now() + make_interval(
    secs => 60 + CASE task_name WHEN 'import' THEN 5 ELSE 5 ^ (attempts + 1) END)
