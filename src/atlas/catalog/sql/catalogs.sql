-- name: find_profile
-- Finds the profile of a relation's columns, its stamp, and when it was made.
SELECT stamp, profile, extract(epoch FROM made_at)::float8 FROM atlas.column_profiles WHERE relation = %(relation)s

-- name: store_profile
-- Stores the profile of a relation's columns in place of an older one.
INSERT INTO atlas.column_profiles (relation, stamp, profile) VALUES (%(relation)s, %(stamp)s, %(profile)s)
ON CONFLICT (relation) DO UPDATE SET stamp = excluded.stamp, profile = excluded.profile, made_at = now()
