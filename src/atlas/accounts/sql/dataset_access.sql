-- What users may do with datasets.

-- fragment: opened(reader)
-- Lists tags of datasets that a reader holds. A holder of a dataset's tag may read the dataset.
atlas.dataset_tags dt JOIN atlas.user_tags ut ON ut.tag_id = dt.tag_id AND ut.user_id = $reader

-- fragment: readable(reader, dataset)
-- The read rule, for lists: the owner and holders of a dataset's tags may read it. All datasets that the reader's tags
-- open are found once, and the rows that pass a list's other conditions are looked up among them.
($dataset.owner_id = $reader
    OR $dataset.id IN (SELECT dt.dataset_id FROM /* include: accounts/dataset_access.opened($reader) */))

-- fragment: readable_one(reader, dataset)
-- The read rule, for single datasets: their tags are looked up, however many datasets the reader's tags open.
($dataset.owner_id = $reader
    OR EXISTS (SELECT FROM /* include: accounts/dataset_access.opened($reader) */ WHERE dt.dataset_id = $dataset.id))

-- name: access
-- Returns the rights of users on datasets, for pairs of both; no row for a missing dataset.
SELECT wanted.reader, d.id, d.owner_id = wanted.reader AS is_owner,
       ARRAY(SELECT t.name FROM /* include: accounts/dataset_access.opened(wanted.reader) */
             JOIN atlas.tags t ON t.id = dt.tag_id WHERE dt.dataset_id = d.id ORDER BY t.name) AS matching_tags
FROM unnest(%(users)s::integer[], %(ids)s::integer[]) AS wanted (reader, id)
JOIN atlas.datasets d ON d.id = wanted.id

-- name: readable_pairs
-- Returns those pairs of a key and a dataset whose key is live and may read the dataset.
SELECT p.key_id, p.dataset_id
FROM unnest(%(keys)s::int[], %(datasets)s::int[]) AS p (key_id, dataset_id)
JOIN atlas.api_keys k ON k.id = p.key_id AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())
JOIN atlas.datasets d ON d.id = p.dataset_id
WHERE /* include: accounts/dataset_access.readable_one(k.user_id, d) */
