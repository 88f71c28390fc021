-- What users may do with datasets.

-- name: access
-- What users may do with datasets, for pairs of both; no row where there is no such dataset.
SELECT wanted.reader, d.id, d.owner_id = wanted.reader AS is_owner,
       ARRAY(SELECT t.name FROM atlas.dataset_tags dt
             JOIN atlas.user_tags ut ON ut.tag_id = dt.tag_id AND ut.user_id = wanted.reader
             JOIN atlas.tags t ON t.id = dt.tag_id
             WHERE dt.dataset_id = d.id ORDER BY t.name) AS matching_tags
FROM unnest(%(users)s::integer[], %(ids)s::integer[]) AS wanted (reader, id)
JOIN atlas.datasets d ON d.id = wanted.id

-- name: readable_pairs
-- Of pairs of a key and a dataset, those whose key is live and may read the dataset.
SELECT p.key_id, p.dataset_id
FROM unnest(%(keys)s::int[], %(datasets)s::int[]) AS p (key_id, dataset_id)
JOIN atlas.api_keys k ON k.id = p.key_id AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())
JOIN atlas.datasets d ON d.id = p.dataset_id
WHERE atlas.can_read(k.user_id, d.id, d.owner_id)

