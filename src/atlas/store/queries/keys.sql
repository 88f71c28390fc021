-- name: find_keys
-- Live keys with a lookup prefix, each with its user and organization.
SELECT k.id, k.key_hash, u.id, u.name, o.id, o.schema_name,
       k.last_used_at IS NULL OR k.last_used_at < now() - interval '1 minute'
FROM atlas.api_keys k
JOIN atlas.users u ON u.id = k.user_id
JOIN atlas.organizations o ON o.id = u.organization_id
WHERE k.prefix = %(prefix)s AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())

-- name: touch_key
-- Records the use of a key, at most once a minute.
UPDATE atlas.api_keys SET last_used_at = now()
WHERE id = %(id)s AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')

-- name: any_key
SELECT EXISTS (SELECT 1 FROM atlas.api_keys)

-- name: create_organization
INSERT INTO atlas.organizations (name, schema_name) VALUES (%(name)s, %(schema)s)
ON CONFLICT (name) DO NOTHING RETURNING id

-- name: find_organization
SELECT id, schema_name FROM atlas.organizations WHERE name = %(name)s

-- name: list_organizations
SELECT o.id, o.name, o.schema_name, o.created_at, count(u.id) AS users
FROM atlas.organizations o LEFT JOIN atlas.users u ON u.organization_id = o.id
GROUP BY o.id ORDER BY o.id

-- name: create_user
INSERT INTO atlas.users (organization_id, name) VALUES (%(organization)s, %(name)s)
ON CONFLICT (organization_id, name) DO NOTHING RETURNING id

-- name: find_user
SELECT id FROM atlas.users WHERE organization_id = %(organization)s AND name = %(name)s

-- name: list_users
SELECT u.id, u.name, o.name AS organization, u.created_at, count(k.id) AS keys
FROM atlas.users u JOIN atlas.organizations o ON o.id = u.organization_id
LEFT JOIN atlas.api_keys k ON k.user_id = u.id
WHERE %(organization)s::text IS NULL OR o.name = %(organization)s
GROUP BY u.id, o.name ORDER BY u.id

-- name: insert_key
INSERT INTO atlas.api_keys (user_id, name, prefix, key_hash, expires_at)
VALUES (%(user)s, %(name)s, %(prefix)s, %(hash)s, %(expires)s) RETURNING id, prefix, expires_at

-- name: list_keys
SELECT k.id, k.name, k.prefix, o.name AS organization, u.name AS "user",
       k.created_at, k.expires_at, k.revoked_at, k.last_used_at
FROM atlas.api_keys k JOIN atlas.users u ON u.id = k.user_id
JOIN atlas.organizations o ON o.id = u.organization_id
WHERE (%(organization)s::text IS NULL OR o.name = %(organization)s)
  AND (%(user)s::text IS NULL OR u.name = %(user)s)
ORDER BY k.id

-- name: revoke_key
UPDATE atlas.api_keys SET revoked_at = coalesce(revoked_at, now()) WHERE id = %(id)s
RETURNING user_id, name, expires_at
