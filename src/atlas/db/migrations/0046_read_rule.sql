-- depends: 0044_shared_imports
-- Who may read a dataset stands in accounts/sql/dataset_access.sql, for lists of datasets and for single ones: PostgreSQL
-- called this function for each row.
DROP FUNCTION atlas.can_read(integer, integer, integer);
