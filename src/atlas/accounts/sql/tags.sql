-- name: list_tags
-- Lists all tags.
SELECT id, name, description, is_public, metadata, created_at, updated_at FROM atlas.tags ORDER BY id

-- name: find_tag
-- Finds a tag, with the hash of its secret.
SELECT id, name, description, is_public, metadata, created_at, updated_at, secret_hash FROM atlas.tags
WHERE (%(name)s::text IS NOT NULL AND name = %(name)s) OR (%(id)s::int IS NOT NULL AND id = %(id)s)

-- name: create_tag
-- Creates a tag; returns no row when the name is taken.
INSERT INTO atlas.tags (name, description, is_public, secret_hash)
VALUES (%(name)s, %(description)s, %(is_public)s, %(secret_hash)s)
ON CONFLICT (name) DO NOTHING RETURNING id, name, is_public

-- name: acquire_tag
-- Gives a user a tag.
INSERT INTO atlas.user_tags (user_id, tag_id) VALUES (%(user)s, %(tag)s) ON CONFLICT DO NOTHING

-- name: holds_tag
-- Returns a row when a user holds a tag.
SELECT tag_id FROM atlas.user_tags WHERE user_id = %(user)s AND tag_id = %(tag)s

-- name: dataset_tags
-- Lists the tags of a dataset.
SELECT t.id, t.name, t.description, t.is_public, t.metadata, t.created_at, t.updated_at
FROM atlas.dataset_tags dt JOIN atlas.tags t ON t.id = dt.tag_id
WHERE dt.dataset_id = %(dataset)s ORDER BY t.id

-- name: assign_tag
-- Assigns a tag to a dataset.
INSERT INTO atlas.dataset_tags (dataset_id, tag_id) VALUES (%(dataset)s, %(tag)s) ON CONFLICT DO NOTHING

-- name: remove_tag
-- Removes a tag from a dataset; returns no row when the dataset did not have the tag.
DELETE FROM atlas.dataset_tags WHERE dataset_id = %(dataset)s AND tag_id = %(tag)s RETURNING tag_id
