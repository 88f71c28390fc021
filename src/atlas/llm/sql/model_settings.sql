-- name: find
-- Finds the model settings of an organization, and the user who set them.
SELECT m.provider, m.model, m.base_url, m.api_key_encrypted, m.samples, m.timeout_seconds, m.updated_at, u.name
FROM atlas.model_settings m LEFT JOIN atlas.users u ON u.id = m.updated_by
WHERE m.organization_id = %(organization)s;

-- name: save
-- Saves the model settings of an organization. Without a new key the stored key stays, but only for its own address:
-- an administrator, who cannot read the key, could otherwise have it sent to another server. For another address no row
-- is returned.
INSERT INTO atlas.model_settings AS m
    (organization_id, provider, model, base_url, api_key_encrypted, samples, timeout_seconds, updated_by)
VALUES (%(organization)s, %(provider)s, %(model)s, %(base_url)s, %(key)s, %(samples)s, %(timeout)s, %(user)s)
ON CONFLICT (organization_id) DO UPDATE SET
    provider = excluded.provider, model = excluded.model, base_url = excluded.base_url,
    api_key_encrypted = CASE WHEN %(keep_key)s THEN m.api_key_encrypted ELSE excluded.api_key_encrypted END,
    samples = excluded.samples, timeout_seconds = excluded.timeout_seconds,
    updated_at = now(), updated_by = excluded.updated_by
WHERE NOT %(keep_key)s OR m.api_key_encrypted IS NULL
    OR (m.provider = excluded.provider AND m.base_url IS NOT DISTINCT FROM excluded.base_url)
RETURNING organization_id;

-- name: delete
-- Deletes the model settings of an organization.
DELETE FROM atlas.model_settings WHERE organization_id = %(organization)s;
