"""Functions that SQL from outside may call: the parser's wall admits them, and the database's grants no others."""

from __future__ import annotations

from sqlglot import exp

# PostgreSQL's names. None of them reads settings, files, the catalog or other sessions, waits, or makes a value
# much longer than its arguments are (repeat and lpad do).
ALLOWED_FUNCTIONS = frozenset(
    "count sum avg min max stddev stddev_pop stddev_samp variance var_pop var_samp corr covar_pop covar_samp "
    "regr_slope regr_intercept regr_r2 percentile_cont percentile_disc mode bool_and bool_or every string_agg "
    "row_number rank dense_rank percent_rank cume_dist ntile lag lead first_value last_value nth_value "
    "abs round ceil ceiling floor sqrt power ln log exp mod sign trunc div width_bucket "
    "lower upper initcap btrim ltrim rtrim length char_length character_length substring substr left right strpos "
    "position replace split_part concat concat_ws "
    "date_trunc date_part extract age now to_char to_date to_timestamp make_date timezone".split()
)

# What sqlglot reads those as, where it does not leave them anonymous, and expressions that look like functions.
FUNCTION_NODES: frozenset[type[exp.Expr]] = frozenset(
    {
        exp.Count, exp.Sum, exp.Avg, exp.Min, exp.Max, exp.Stddev, exp.StddevPop, exp.StddevSamp, exp.Variance,
        exp.VariancePop, exp.Corr, exp.CovarPop, exp.CovarSamp, exp.RegrSlope, exp.RegrIntercept, exp.RegrR2,
        exp.PercentileCont, exp.PercentileDisc, exp.Mode, exp.LogicalAnd, exp.LogicalOr, exp.GroupConcat,
        exp.RowNumber, exp.Rank, exp.DenseRank, exp.PercentRank, exp.CumeDist, exp.Ntile, exp.Lag, exp.Lead,
        exp.FirstValue, exp.LastValue, exp.NthValue, exp.Abs, exp.Round, exp.Ceil, exp.Floor, exp.Sqrt, exp.Pow, exp.Ln,
        exp.Log, exp.Exp, exp.Mod, exp.Sign, exp.Trunc, exp.IntDiv, exp.WidthBucket, exp.Lower, exp.Upper, exp.Initcap,
        exp.Trim, exp.Length, exp.Substring, exp.Left, exp.Right, exp.StrPosition, exp.Replace, exp.SplitPart,
        exp.Concat, exp.ConcatWs, exp.TimestampTrunc, exp.Extract, exp.CurrentTimestamp, exp.CurrentDate,
        exp.Localtimestamp, exp.TimeToStr, exp.StrToDate, exp.StrToTime, exp.UnixToTime, exp.Coalesce, exp.Nullif,
        exp.Greatest, exp.Least, exp.Case, exp.If, exp.Cast, exp.And, exp.Or, exp.Exists,
    }
)  # fmt: skip
