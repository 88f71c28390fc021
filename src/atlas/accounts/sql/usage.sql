-- name: add_usage
-- Adds a process's counts. The order by key keeps concurrent processes from a deadlock.
INSERT INTO atlas.key_usage AS u (key_id, day, requests, errors, bytes_in, bytes_out, rows_written)
SELECT n.* FROM unnest(%(keys)s::int[], %(days)s::date[], %(requests)s::bigint[], %(errors)s::bigint[],
                       %(bytes_in)s::bigint[], %(bytes_out)s::bigint[], %(rows)s::bigint[])
     AS n (key_id, day, requests, errors, bytes_in, bytes_out, rows_written)
WHERE EXISTS (SELECT 1 FROM atlas.api_keys k WHERE k.id = n.key_id)
ORDER BY n.key_id, n.day
ON CONFLICT (key_id, day) DO UPDATE SET
    requests = u.requests + excluded.requests, errors = u.errors + excluded.errors,
    bytes_in = u.bytes_in + excluded.bytes_in, bytes_out = u.bytes_out + excluded.bytes_out,
    rows_written = u.rows_written + excluded.rows_written

-- name: usage_by_day
-- Sums the usage of a user's keys on each of the last UTC days, oldest first.
SELECT d.day::date::text AS date, coalesce(sum(g.requests), 0)::bigint AS requests,
       coalesce(sum(g.errors), 0)::bigint AS errors, coalesce(sum(g.bytes_in), 0)::bigint AS bytes_in,
       coalesce(sum(g.bytes_out), 0)::bigint AS bytes_out, coalesce(sum(g.rows_written), 0)::bigint AS rows_written
FROM generate_series((now() AT TIME ZONE 'UTC')::date - (%(days)s::int - 1), (now() AT TIME ZONE 'UTC')::date,
                     interval '1 day') AS d (day)
LEFT JOIN (SELECT * FROM atlas.key_usage
           WHERE key_id IN (SELECT id FROM atlas.api_keys WHERE user_id = %(user)s)) g ON g.day = d.day::date
GROUP BY d.day ORDER BY d.day

-- name: usage_by_key
-- Sums the usage of each key of a user in the last UTC days.
SELECT k.id AS key_id, k.name, k.prefix, coalesce(sum(g.requests), 0)::bigint AS requests,
       coalesce(sum(g.errors), 0)::bigint AS errors, coalesce(sum(g.bytes_in), 0)::bigint AS bytes_in,
       coalesce(sum(g.bytes_out), 0)::bigint AS bytes_out, coalesce(sum(g.rows_written), 0)::bigint AS rows_written
FROM atlas.api_keys k
LEFT JOIN atlas.key_usage g ON g.key_id = k.id AND g.day > (now() AT TIME ZONE 'UTC')::date - %(days)s::int
WHERE k.user_id = %(user)s GROUP BY k.id ORDER BY k.id

-- name: storage
-- Sums rows and bytes, with indexes, of a user's datasets and of an organization's tables.
SELECT d.*, t.* FROM (
    SELECT count(*) AS datasets, coalesce(sum(s.row_count), 0)::bigint AS dataset_rows,
           coalesce(sum(atlas.dataset_bytes(d.table_schema, d.id)), 0)::bigint AS dataset_bytes
    FROM atlas.datasets d JOIN atlas.dataset_state s ON s.dataset_id = d.id WHERE d.owner_id = %(user)s) d
CROSS JOIN (
    SELECT count(*) AS tables, coalesce(sum(t.row_count), 0)::bigint AS table_rows,
           coalesce(sum(pg_total_relation_size(to_regclass(format('%%I.%%I', o.schema_name, '_table_' || t.id)))), 0)::bigint
               AS table_bytes
    FROM atlas.tables t JOIN atlas.organizations o ON o.id = t.organization_id
    WHERE t.organization_id = %(organization)s) t
