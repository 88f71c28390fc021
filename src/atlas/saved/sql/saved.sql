-- fragment: listed(query)
-- Selects the caller's own queries and those that the organization shares, with `pattern` in name or SQL.
$query.organization_id = %(organization)s AND ($query.user_id = %(user)s OR $query.shared)
  AND (%(pattern)s::text IS NULL OR $query.name ILIKE %(pattern)s OR $query.sql ILIKE %(pattern)s)

-- name: find_saved
-- Lists the queries that the caller may see, by name.
SELECT s.id, s.name, s.sql, s.shared, s.user_id = %(user)s AS own, u.name AS owner, s.created_at, s.updated_at
FROM atlas.saved_queries s JOIN atlas.users u ON u.id = s.user_id
WHERE /* include: saved/saved.listed(s) */
  AND (%(id)s::uuid IS NULL OR s.id = %(id)s)
ORDER BY lower(s.name), s.id LIMIT %(limit)s OFFSET %(offset)s

-- name: count_saved
-- Counts the queries of `find_saved`.
SELECT count(*) FROM atlas.saved_queries s
WHERE /* include: saved/saved.listed(s) */

-- name: count_own
-- Counts a user's own saved queries.
SELECT count(*) FROM atlas.saved_queries WHERE user_id = %(user)s

-- name: insert_saved
-- Stores a new query of a user.
INSERT INTO atlas.saved_queries (organization_id, user_id, name, sql, shared)
VALUES (%(organization)s, %(user)s, %(name)s, %(sql)s, %(shared)s) RETURNING id

-- name: update_saved
-- Replaces a user's own saved query, or returns no row when there is none.
UPDATE atlas.saved_queries SET name = %(name)s, sql = %(sql)s, shared = %(shared)s, updated_at = clock_timestamp()
WHERE id = %(id)s AND user_id = %(user)s RETURNING id

-- name: delete_saved
-- Deletes a user's own saved query.
DELETE FROM atlas.saved_queries WHERE id = %(id)s AND user_id = %(user)s

-- name: list_favourites
-- Lists the caller's favourites that the caller may still read, the last added first.
SELECT 'dataset' AS kind, d.id AS dataset_id, d.name, f.created_at
FROM atlas.favourites f JOIN atlas.datasets d ON d.id = f.dataset_id
WHERE f.user_id = %(user)s AND /* include: accounts/dataset_access.readable_one(%(user)s, d) */
UNION ALL
SELECT 'table', NULL, t.name, f.created_at
FROM atlas.favourites f JOIN atlas.tables t ON t.id = f.table_id
WHERE f.user_id = %(user)s AND t.organization_id = %(organization)s
ORDER BY created_at DESC, name

-- name: add_favourite
-- Adds a dataset or a table to a user's favourites.
INSERT INTO atlas.favourites (user_id, dataset_id, table_id) VALUES (%(user)s, %(dataset)s, %(table)s)
ON CONFLICT DO NOTHING

-- name: remove_favourite
-- Removes a dataset or a table from a user's favourites.
DELETE FROM atlas.favourites
WHERE user_id = %(user)s AND (dataset_id = %(dataset)s OR table_id = %(table)s)

-- name: count_other_favourites
-- Counts a user's favourites besides this dataset or table.
SELECT count(*) FROM atlas.favourites
WHERE user_id = %(user)s AND (dataset_id = %(dataset)s OR table_id = %(table)s) IS NOT TRUE
