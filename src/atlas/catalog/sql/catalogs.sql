-- name: find_profile
SELECT stamp, profile, extract(epoch FROM made_at)::float8 FROM atlas.column_profiles WHERE relation = %(relation)s

-- name: store_profile
INSERT INTO atlas.column_profiles (relation, stamp, profile) VALUES (%(relation)s, %(stamp)s, %(profile)s)
ON CONFLICT (relation) DO UPDATE SET stamp = excluded.stamp, profile = excluded.profile, made_at = now()
