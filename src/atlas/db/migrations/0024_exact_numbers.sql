-- depends: 0013_columnstore
-- Exact decimals as a type of columns, and how the last file wrote the values of each column.

ALTER TABLE atlas.table_columns
    DROP CONSTRAINT table_columns_type_check,
    ADD CONSTRAINT table_columns_type_check CHECK (
        type IN ('text', 'bigint', 'numeric', 'double', 'boolean', 'date', 'timestamp', 'json')),
    -- Signs, digits, formats of dates and words, see column_formats/model.py; null where nothing is known.
    ADD COLUMN format jsonb;
