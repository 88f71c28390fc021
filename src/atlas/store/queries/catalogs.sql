-- name: table_stamps
-- When each table of an organization last changed.
SELECT id, updated_at::text FROM atlas.tables WHERE organization_id = %(organization)s

-- name: datasets
-- Datasets that a user may read, with the typed columns that they have in PostgreSQL.
SELECT d.id, d.name, d.table_schema, s.row_count, s.version,
       coalesce((SELECT json_agg(json_build_object('name', c.name, 'dtype', c.dtype, 'physical', c.physical) ORDER BY c.id)
                 FROM atlas.dataset_columns c WHERE c.dataset_id = d.id), '[]')
FROM atlas.datasets d JOIN atlas.dataset_state s ON s.dataset_id = d.id
WHERE atlas.can_read(%(user)s, d.id, d.owner_id)
ORDER BY d.id

-- name: find_profile
SELECT stamp, profile, extract(epoch FROM made_at)::float8 FROM atlas.column_profiles WHERE relation = %(relation)s

-- name: store_profile
INSERT INTO atlas.column_profiles (relation, stamp, profile) VALUES (%(relation)s, %(stamp)s, %(profile)s)
ON CONFLICT (relation) DO UPDATE SET stamp = excluded.stamp, profile = excluded.profile, made_at = now()
