"""Functions that callers' SQL may call. Every other function is revoked from the roles that read."""

from __future__ import annotations

# Names in pg_proc. The database roles (see `hardening`) get EXECUTE on the same names.
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
