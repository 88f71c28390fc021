-- depends: 0008_accounts
-- When a row changed, and when the change was taken back: such changes stay, so that the row's history is whole.

ALTER TABLE atlas.row_changes ADD COLUMN at timestamptz, ADD COLUMN undone_at timestamptz;
-- Older changes have the time of their import instead.
ALTER TABLE atlas.row_changes ALTER COLUMN at SET DEFAULT now();
