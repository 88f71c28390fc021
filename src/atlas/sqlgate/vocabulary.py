"""The words of SQL from outside: functions, types and keywords that a query may use."""

from __future__ import annotations

# Names in pg_proc. The database side of the wall grants EXECUTE on the same ones.
ALLOWED_FUNCTIONS = frozenset(
    # Dates and times.
    "date date_trunc date_part extract age now timezone to_char to_date to_number to_timestamp make_date "
    # Numbers.
    "abs round ceil ceiling floor sqrt power pow ln log exp mod div sign trunc width_bucket "
    # Texts.
    "lower upper initcap btrim ltrim rtrim length char_length character_length substring substr left right position "
    "strpos replace translate reverse split_part starts_with concat concat_ws "
    # Aggregates.
    "count sum avg min max stddev stddev_samp stddev_pop variance var_samp var_pop corr covar_samp covar_pop "
    "regr_slope regr_intercept regr_r2 regr_count percentile_cont percentile_disc mode bool_and bool_or every "
    "string_agg "
    # Windows.
    "row_number rank dense_rank percent_rank cume_dist ntile lag lead first_value last_value nth_value".split()
)
# Written like functions, but of PostgreSQL's grammar: there is nothing to grant.
SYNTAX_FUNCTIONS = frozenset("coalesce nullif greatest least trim".split())

# Types in the words of callers, and in the SQL.
TYPES = {
    "TEXT": "TEXT",
    "VARCHAR": "VARCHAR",
    "CHARACTER VARYING": "VARCHAR",
    "INT": "INT",
    "INTEGER": "INT",
    "INT4": "INT",
    "SMALLINT": "SMALLINT",
    "INT2": "SMALLINT",
    "BIGINT": "BIGINT",
    "INT8": "BIGINT",
    "NUMERIC": "NUMERIC",
    "DECIMAL": "NUMERIC",
    "DOUBLE PRECISION": "DOUBLE PRECISION",
    "FLOAT": "DOUBLE PRECISION",
    "FLOAT8": "DOUBLE PRECISION",
    "REAL": "REAL",
    "FLOAT4": "REAL",
    "BOOLEAN": "BOOLEAN",
    "BOOL": "BOOLEAN",
    "DATE": "DATE",
    "TIME": "TIME",
    "TIME WITHOUT TIME ZONE": "TIME",
    "TIMESTAMP": "TIMESTAMP",
    "TIMESTAMP WITHOUT TIME ZONE": "TIMESTAMP",
    "TIMESTAMPTZ": "TIMESTAMPTZ",
    "TIMESTAMP WITH TIME ZONE": "TIMESTAMPTZ",
    "INTERVAL": "INTERVAL",
}
# How many sizes may follow, as in NUMERIC(10, 2).
TYPE_SIZES = {"VARCHAR": 1, "NUMERIC": 2}
# `DATE '2024-01-31'` is a value of these.
LITERAL_TYPES = frozenset("DATE TIME TIMESTAMP TIMESTAMPTZ INTERVAL".split())
# What PostgreSQL calls a column that is a bare cast.
TYPE_COLUMNS = {
    "INT": "int4",
    "SMALLINT": "int2",
    "BIGINT": "int8",
    "BOOLEAN": "bool",
    "DOUBLE PRECISION": "float8",
    "REAL": "float4",
}
UNITS = frozenset(
    "YEAR QUARTER MONTH WEEK DAY HOUR MINUTE SECOND DOW DOY ISODOW ISOYEAR EPOCH DECADE CENTURY "
    "MILLISECONDS MICROSECONDS".split()
)

# Keywords wherever they stand.
KEYWORDS = frozenset(
    "SELECT WITH AS FROM WHERE GROUP HAVING ORDER LIMIT OFFSET DISTINCT ON USING JOIN INNER LEFT RIGHT FULL OUTER "
    "CROSS UNION INTERSECT EXCEPT ALL AND OR NOT IN EXISTS BETWEEN LIKE ILIKE IS NULL TRUE FALSE CASE WHEN THEN ELSE "
    "END ASC DESC WINDOW CURRENT_DATE CURRENT_TIMESTAMP LOCALTIMESTAMP".split()
)
# Keywords in their places, and names elsewhere.
PLACED = frozenset(
    "BY FILTER OVER WITHIN PARTITION ROWS RANGE GROUPS UNBOUNDED PRECEDING FOLLOWING CURRENT ROW NULLS FIRST LAST AT "
    "TIME ZONE ESCAPE VALUES CAST EXTRACT SUBSTRING POSITION TRIM BOTH LEADING TRAILING FOR".split()
)
# Words that PostgreSQL does not take for a name either.
RESERVED = frozenset(
    "ANALYSE ANALYZE ANY ARRAY ASYMMETRIC AUTHORIZATION BINARY BOTH CHECK COLLATE COLLATION COLUMN CONCURRENTLY "
    "CONSTRAINT CREATE CURRENT_CATALOG CURRENT_ROLE CURRENT_SCHEMA CURRENT_TIME CURRENT_USER DEFAULT DEFERRABLE DO "
    "FETCH FOR FOREIGN FREEZE GRANT INITIALLY INTO ISNULL LATERAL LEADING LOCALTIME NATURAL NOTNULL ONLY OVERLAPS "
    "PLACING PRIMARY REFERENCES RETURNING SESSION_USER SIMILAR SOME SYMMETRIC SYSTEM_USER TABLE TABLESAMPLE TO "
    "TRAILING UNIQUE USER VARIADIC VERBOSE".split()
)
# What a statement other than SELECT starts with, to tell so.
STATEMENTS = frozenset(
    "INSERT UPDATE DELETE MERGE COPY EXPLAIN SHOW SET RESET CALL ALTER DROP TRUNCATE VACUUM REVOKE REINDEX CLUSTER "
    "PREPARE EXECUTE DEALLOCATE LISTEN NOTIFY UNLISTEN LOCK BEGIN START COMMIT ROLLBACK ABORT SAVEPOINT RELEASE "
    "DECLARE CLOSE MOVE DISCARD COMMENT SECURITY REFRESH LOAD CHECKPOINT REASSIGN IMPORT".split()
)
