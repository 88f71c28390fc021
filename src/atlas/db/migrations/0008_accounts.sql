-- depends: 0007_wall
-- What users may manage, and what their keys have used.

-- A member uses what is shared; an admin manages users, keys and jobs of the organization; an operator also manages tags
-- and every organization.
ALTER TABLE atlas.users ADD COLUMN role text NOT NULL DEFAULT 'member' CHECK (role IN ('member', 'admin', 'operator'));

-- The user that the first start made, with the first key of all.
UPDATE atlas.users u SET role = 'operator' FROM atlas.organizations o
WHERE o.id = u.organization_id AND o.name = 'default' AND u.name = 'admin'
  AND u.id = (SELECT k.user_id FROM atlas.api_keys k ORDER BY k.id LIMIT 1);

-- Requests of each key by UTC day. Every process adds what it has counted in memory.
CREATE TABLE atlas.key_usage (
    key_id       integer NOT NULL REFERENCES atlas.api_keys ON DELETE CASCADE,
    day          date NOT NULL,
    requests     bigint NOT NULL DEFAULT 0,
    errors       bigint NOT NULL DEFAULT 0,
    bytes_in     bigint NOT NULL DEFAULT 0,
    bytes_out    bigint NOT NULL DEFAULT 0,
    rows_written bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (key_id, day)
);
