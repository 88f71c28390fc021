-- name: find_keys
-- Finds live keys by lookup prefixes, each with its user and organization.
SELECT k.prefix, k.id, k.key_hash, u.id, u.name, o.id, o.schema_name, u.role,
       k.last_used_at IS NULL OR k.last_used_at < now() - interval '1 minute'
FROM atlas.api_keys k
JOIN atlas.users u ON u.id = k.user_id
JOIN atlas.organizations o ON o.id = u.organization_id
WHERE k.prefix = ANY(%(prefixes)s::text[]) AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())

-- name: count_live
-- Counts the live keys among ids.
SELECT count(*) FROM atlas.api_keys
WHERE id = ANY(%(ids)s) AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())

-- name: touch_key
-- Records the use of a key, at most once a minute.
UPDATE atlas.api_keys SET last_used_at = now()
WHERE id = %(id)s AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')

-- name: any_key
-- Tells whether any key exists, including revoked keys.
SELECT EXISTS (SELECT 1 FROM atlas.api_keys)

-- name: create_organization
-- Creates an organization; returns no row when the name is taken.
INSERT INTO atlas.organizations (name, schema_name) VALUES (%(name)s, %(schema)s)
ON CONFLICT (name) DO NOTHING RETURNING id

-- name: find_organization
-- Finds an organization by its name.
SELECT id, schema_name FROM atlas.organizations WHERE name = %(name)s

-- name: list_organizations
-- Lists organizations with the number of their users.
SELECT o.id, o.name, o.schema_name, o.created_at, count(u.id) AS users
FROM atlas.organizations o LEFT JOIN atlas.users u ON u.organization_id = o.id
GROUP BY o.id ORDER BY o.id

-- name: create_user
-- Creates a user; returns no row when the organization has a user of the name.
INSERT INTO atlas.users (organization_id, name, role) VALUES (%(organization)s, %(name)s, %(role)s)
ON CONFLICT (organization_id, name) DO NOTHING RETURNING id

-- name: find_user
-- Finds a user of an organization by name.
SELECT id FROM atlas.users WHERE organization_id = %(organization)s AND name = %(name)s

-- name: get_user
-- Returns a user with the name of the organization.
SELECT u.id, u.name, o.name AS organization, u.organization_id, u.role, u.created_at
FROM atlas.users u JOIN atlas.organizations o ON o.id = u.organization_id WHERE u.id = %(id)s

-- name: set_role
-- Sets the role of a user.
UPDATE atlas.users SET role = %(role)s WHERE id = %(id)s

-- name: lock_operators
-- Keeps other transactions from changing operators until this transaction ends.
SELECT id FROM atlas.users WHERE role = 'operator' ORDER BY id FOR NO KEY UPDATE

-- name: other_operator
-- Tells whether another user can act as an operator.
SELECT EXISTS (SELECT 1 FROM atlas.users u JOIN atlas.api_keys k ON k.user_id = u.id
               WHERE u.role = 'operator' AND u.id <> %(id)s AND k.revoked_at IS NULL
                 AND (k.expires_at IS NULL OR k.expires_at > now()))

-- name: list_users
-- Lists users with their live keys, their datasets and the last use of any key.
SELECT u.id, u.name, o.name AS organization, u.role, u.created_at, k.keys, d.datasets, k.last_used_at
FROM atlas.users u JOIN atlas.organizations o ON o.id = u.organization_id
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())) AS keys,
           max(last_used_at) AS last_used_at
    FROM atlas.api_keys WHERE user_id = u.id) k
CROSS JOIN LATERAL (SELECT count(*) AS datasets FROM atlas.datasets WHERE owner_id = u.id) d
WHERE %(organization)s::text IS NULL OR o.name = %(organization)s
ORDER BY u.id

-- name: lock_user
-- Lets one transaction at a time create keys for a user.
SELECT id FROM atlas.users WHERE id = %(user)s FOR NO KEY UPDATE

-- name: count_live_keys
-- Counts the keys of a user that are neither revoked nor expired.
SELECT count(*) FROM atlas.api_keys
WHERE user_id = %(user)s AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())

-- name: insert_key
-- Stores a new key by its hash.
INSERT INTO atlas.api_keys (user_id, name, prefix, key_hash, expires_at)
VALUES (%(user)s, %(name)s, %(prefix)s, %(hash)s, %(expires)s) RETURNING id, prefix, created_at, expires_at

-- name: list_keys
-- Lists keys, only of the named organization or user.
SELECT k.id, k.name, k.prefix, o.name AS organization, u.name AS "user",
       k.created_at, k.expires_at, k.revoked_at, k.last_used_at
FROM atlas.api_keys k JOIN atlas.users u ON u.id = k.user_id
JOIN atlas.organizations o ON o.id = u.organization_id
WHERE (%(organization)s::text IS NULL OR o.name = %(organization)s)
  AND (%(user)s::text IS NULL OR u.name = %(user)s)
ORDER BY k.id

-- name: revoke_key
-- Revokes a key. A revoked key keeps its time of revocation.
UPDATE atlas.api_keys SET revoked_at = coalesce(revoked_at, now()) WHERE id = %(id)s
RETURNING user_id, name, expires_at

-- name: revoke_own_key
-- Revokes a key of the user's own.
UPDATE atlas.api_keys SET revoked_at = coalesce(revoked_at, now()) WHERE id = %(id)s AND user_id = %(user)s
RETURNING user_id, name, expires_at

-- name: lock_own_key
-- Lets one transaction at a time replace a key of the user's own.
SELECT revoked_at FROM atlas.api_keys WHERE id = %(id)s AND user_id = %(user)s FOR NO KEY UPDATE

-- name: list_own_keys
-- Lists a user's own keys.
SELECT id, name, prefix, created_at, expires_at, revoked_at, last_used_at
FROM atlas.api_keys WHERE user_id = %(user)s ORDER BY id

-- name: identity
-- Returns the identity of a key: its user, organization, and the tags that the user holds.
SELECT u.id AS user_id, u.name AS user_name, u.role, o.id AS organization_id, o.name AS organization_name,
       k.id, k.name, k.prefix, k.created_at, k.expires_at, k.last_used_at,
       ARRAY(SELECT t.name FROM atlas.user_tags ut JOIN atlas.tags t ON t.id = ut.tag_id
             WHERE ut.user_id = u.id ORDER BY t.name) AS tags
FROM atlas.api_keys k JOIN atlas.users u ON u.id = k.user_id
JOIN atlas.organizations o ON o.id = u.organization_id
WHERE k.id = %(key)s
