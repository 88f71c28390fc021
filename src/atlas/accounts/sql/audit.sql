-- name: add_entries
-- Adds a process's entries. Reads count only when another user owns the dataset.
INSERT INTO atlas.audit_log (at, organization_id, owner_id, user_id, user_name, key_id, action, method, path, dataset_id,
                             status, requests, rows, request_id)
SELECT n.at, n.organization_id, u.organization_id, n.user_id, n.user_name, n.key_id, n.action, n.method, n.path,
       n.dataset_id, n.status, n.requests, n.rows, n.request_id
FROM unnest(%(at)s::timestamptz[], %(organization_id)s::int[], %(user_id)s::int[], %(user_name)s::text[],
            %(key_id)s::int[], %(action)s::text[], %(method)s::text[], %(path)s::text[], %(dataset_id)s::int[],
            %(status)s::smallint[], %(requests)s::int[], %(rows)s::bigint[], %(request_id)s::text[])
     WITH ORDINALITY AS n (at, organization_id, user_id, user_name, key_id, action, method, path, dataset_id, status,
                           requests, rows, request_id, n)
LEFT JOIN atlas.datasets d ON d.id = n.dataset_id
LEFT JOIN atlas.users u ON u.id = d.owner_id
WHERE n.action = 'write' OR d.owner_id <> n.user_id
ORDER BY n.n

-- name: list_entries
-- Lists actions of an organization's users, and of others on its datasets; newest first.
SELECT a.id, a.at, a.user_name AS "user", o.name AS organization, a.key_id, a.action, a.method, a.path, a.dataset_id,
       a.status, a.requests, a.rows, a.request_id, count(*) OVER () AS total
FROM atlas.audit_log a LEFT JOIN atlas.organizations o ON o.id = a.organization_id
WHERE (a.organization_id = %(organization)s OR a.owner_id = %(organization)s)
  AND (%(user)s::text IS NULL OR a.user_name = %(user)s)
  AND (%(action)s::text IS NULL OR a.action = %(action)s)
  AND (%(dataset)s::int IS NULL OR a.dataset_id = %(dataset)s)
ORDER BY a.id DESC LIMIT %(limit)s OFFSET %(offset)s

-- name: forget_entries
-- Deletes entries past their retention.
DELETE FROM atlas.audit_log WHERE at < now() - make_interval(days => %(days)s)
