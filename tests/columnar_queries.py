# ruff: noqa: E501
"""Queries on two datasets, `p` and `o`, that PostgreSQL and DuckDB answer alike, or that only PostgreSQL answers."""

from __future__ import annotations

QUERIES = """
SELECT count(*) FROM p
SELECT count(close), count(DISTINCT lots), count(DISTINCT side) FROM p
SELECT avg(close), sum(close), min(close), max(close), stddev(close), var_pop(close), variance(noise) FROM p
SELECT sum(volume), sum(lots), min(volume), max(lots), avg(volume), avg(lots) FROM p
SELECT avg(volume) FROM p WHERE volume IS NULL
SELECT date_trunc('day', ts) AS day, sum(volume), avg(close) FROM p GROUP BY 1 ORDER BY 1
SELECT date_trunc('week', ts), count(*) FROM p GROUP BY date_trunc('week', ts) ORDER BY 1 DESC
SELECT extract(hour FROM ts) AS h, avg(lots) AS m FROM p GROUP BY h ORDER BY h
SELECT extract(dow FROM ts), extract(isodow FROM ts), extract(week FROM ts), extract(doy FROM ts), count(*) FROM p GROUP BY 1, 2, 3, 4 ORDER BY 4
SELECT ts::date, max(ts), min(ts) FROM p GROUP BY 1 ORDER BY 1
SELECT date(ts) AS d, count(*) FROM p WHERE date(ts) >= '2023-11-20' GROUP BY d ORDER BY d
SELECT side, count(*) FROM p GROUP BY side ORDER BY side
SELECT side, max(side), min(side) FROM p GROUP BY side ORDER BY 1 DESC
SELECT side, count(*) AS n FROM p WHERE side <> 'buy' GROUP BY side HAVING count(*) > 10 ORDER BY n DESC, side
SELECT count(*) FROM p WHERE side LIKE '%u%' OR side LIKE 'a_b' OR side IN ('sell', 'buy')
SELECT count(*) FROM p WHERE side IS NULL OR side NOT LIKE 'b%'
SELECT count(*) FROM p WHERE ts >= '2023-11-16' AND ts < '2023-11-17 12:30:00+02:00'
SELECT count(*) FROM p WHERE ts BETWEEN '2023-11-16' AND '2023-11-17' AND close > 1.5
SELECT count(*) FROM p WHERE ts > now() - interval '20 years'
SELECT count(*) FROM p WHERE ts < now() - interval '1 month 2 days' AND lots > 1.5
SELECT count(*) FROM p WHERE ts < CURRENT_DATE AND volume > 99.5
SELECT count(*) FROM p WHERE lots / 2 = -3
SELECT lots, lots / 2, lots % 3, lots * 2 - 1, -lots FROM p GROUP BY lots ORDER BY lots
SELECT sum(close * volume) / sum(volume) AS vwap FROM p WHERE volume > 0
SELECT sum(close / noise) FROM p WHERE noise <> 0
SELECT round(avg(close)::numeric, 2), round(max(noise)::numeric, 0), round((sum(close) / 7)::numeric, 4) FROM p
SELECT side, round(avg(close)::numeric, 2) AS m FROM p GROUP BY side ORDER BY m DESC
SELECT round(noise), count(*) FROM p WHERE abs(noise) < 100 GROUP BY 1 ORDER BY 1
SELECT floor(close), ceil(close), sqrt(abs(close)), abs(noise) FROM p ORDER BY close, noise, ts LIMIT 50
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY close), percentile_cont(0.9) WITHIN GROUP (ORDER BY volume DESC) FROM p
SELECT bool_and(open), bool_or(open), every(open) FROM p WHERE open IS NOT NULL
SELECT count(*) FILTER (WHERE open), sum(close) FILTER (WHERE lots > 0) FROM p
SELECT open, count(*) FROM p GROUP BY open ORDER BY open
SELECT CASE WHEN lots > 0 THEN 'up' WHEN lots < 0 THEN 'down' ELSE 'flat' END AS way, count(*) FROM p GROUP BY way ORDER BY way
SELECT sum(CASE WHEN lots > 0 THEN close ELSE 0 END), sum(coalesce(close, 0)), count(nullif(lots, 0)) FROM p
SELECT ts, close, avg(close) OVER (ORDER BY ts ROWS BETWEEN 4 PRECEDING AND CURRENT ROW) FROM p ORDER BY ts LIMIT 100
SELECT ts, close, lag(close) OVER (ORDER BY ts), lead(lots, 2) OVER w, row_number() OVER w FROM p WINDOW w AS (ORDER BY ts DESC) ORDER BY ts LIMIT 40
SELECT side, lots, rank() OVER (PARTITION BY side ORDER BY lots), dense_rank() OVER (PARTITION BY side ORDER BY lots) FROM p ORDER BY side, lots, ts LIMIT 100
SELECT * FROM p ORDER BY ts DESC LIMIT 20
SELECT * FROM p ORDER BY close DESC NULLS LAST, ts LIMIT 20 OFFSET 5
SELECT DISTINCT side, open FROM p ORDER BY side, open
SELECT p.side, count(*), sum(o.lots) FROM p JOIN o ON p.lots = o.lots AND p.side = o.side GROUP BY p.side ORDER BY 1
SELECT count(*), count(o.ts) FROM p LEFT JOIN o ON date_trunc('hour', p.ts) = date_trunc('hour', o.ts) WHERE p.ts >= '2023-11-15'
SELECT count(*) FROM p LEFT JOIN o ON p.lots = o.lots WHERE o.ts >= '2023-11-25' AND p.ts < '2023-11-16'
SELECT count(*) FROM p FULL JOIN o USING (ts)
SELECT ts, count(*) FROM p JOIN o USING (ts) GROUP BY ts ORDER BY ts
WITH d AS (SELECT date_trunc('day', ts) AS day, avg(close) AS m FROM p GROUP BY 1) SELECT day, m, m - lag(m) OVER (ORDER BY day) AS change FROM d ORDER BY day
SELECT day, n FROM (SELECT date_trunc('day', ts) AS day, count(*) AS n FROM p GROUP BY 1) AS q WHERE n > 100 ORDER BY day
SELECT count(*) FROM p WHERE close > (SELECT avg(close) FROM p)
SELECT count(*) FROM p WHERE lots IN (SELECT lots FROM o WHERE open) AND EXISTS (SELECT ts FROM o WHERE o.lots = p.lots)
SELECT lots FROM p WHERE open UNION SELECT lots FROM o ORDER BY lots
SELECT side FROM p EXCEPT SELECT side FROM o WHERE side = 'buy'
SELECT max(ts) - interval '1 day' AS before FROM p
SELECT date_part('hour', ts), count(*) FROM p GROUP BY 1
SELECT avg(close) AS "Ä", count(*) AS "count", max(lots) + 1 FROM p
SELECT 1 + 1 AS two, count(*) FROM p
SELECT max(lots) = 7 AS most, min(close) < -100.25 FROM p
SELECT count(*) FROM p AS a JOIN p AS b ON a.ts = b.ts WHERE a.ts < '2023-11-15'
SELECT sum(power(close, 2)), exp(min(close) / 1000) FROM p
SELECT noise * 0 AS zero, count(*) FROM p GROUP BY 1
SELECT count(DISTINCT noise * 0), count(DISTINCT -noise) FROM p WHERE noise = 0
SELECT DISTINCT noise * 0 FROM p WHERE noise IS NOT NULL
SELECT stddev_pop(noise) FROM p WHERE lots = 3
SELECT side, sum(sum(close)) OVER (ORDER BY side), max(count(*)) OVER () FROM p GROUP BY side HAVING count(*) > 1 ORDER BY side
SELECT o.ts, (SELECT count(*) FROM p WHERE p.lots = o.lots AND p.ts < o.ts) AS before FROM o ORDER BY o.ts LIMIT 12
WITH a AS (SELECT side, lots FROM o), b AS (SELECT side, count(*) AS n FROM a GROUP BY side) SELECT b.n, a.lots FROM a JOIN b ON a.side = b.side ORDER BY b.n, a.lots LIMIT 30
SELECT lots, count(*) FROM (SELECT lots FROM p INTERSECT SELECT lots FROM o WHERE lots > 0) AS q GROUP BY lots ORDER BY lots
SELECT ts, first_value(lots) OVER w, last_value(lots) OVER w, sum(lots) OVER w FROM o WINDOW w AS (PARTITION BY open ORDER BY ts ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) ORDER BY ts LIMIT 9
SELECT date_trunc('quarter', ts::date) AS q, extract(year FROM ts) AS y, count(*) FROM p GROUP BY 1, 2 ORDER BY 1, 2
SELECT count(*) FROM p RIGHT JOIN o ON p.ts = o.ts WHERE o.lots BETWEEN -2 AND 2.5
SELECT side, length(side), char_length(side) + 1, left(side, 2), right(side, 1), substr(side, 2), substring(side FROM 1 FOR 2) FROM p GROUP BY side ORDER BY 1
SELECT side || '-' || coalesce(side, '?') AS twice, concat(side, NULL, '!'), concat(side, side) FROM p GROUP BY side ORDER BY side
SELECT replace(side, 'u', 'oo'), strpos(side, 'l'), position('y' IN side), starts_with(side, 'b'), split_part(side, 'e', 2) FROM p GROUP BY side ORDER BY side
SELECT trim('  x '), ltrim(side, 'bs'), rtrim(side, 'yl'), btrim(side, 'b'), trim(BOTH 's' FROM side), trim(LEADING 'b' FROM side), trim(side) FROM p GROUP BY side ORDER BY side
SELECT CASE side WHEN 'buy' THEN 1 WHEN 'sell' THEN -1 ELSE 0 END AS way, sum(lots) FROM p GROUP BY 1 ORDER BY 1
SELECT lots::text, open::text, side::text, count(*) FROM p GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
SELECT to_char(ts, 'YYYY-MM-DD HH24:MI') AS t, to_char(ts, 'Dy, DD Mon YYYY'), count(*) FROM p GROUP BY 1, 2 ORDER BY 1 LIMIT 60
SELECT max(ts) - min(ts) AS span, date(max(ts)) - date(min(ts)) AS days, max(ts) - date(min(ts)) FROM p
SELECT ts, ts - lag(ts) OVER (ORDER BY ts) AS gap FROM p ORDER BY ts LIMIT 40
SELECT count(*) FROM (SELECT ts - lag(ts) OVER (ORDER BY ts) AS gap FROM p) AS q WHERE gap > interval '2 minutes' OR gap = interval '1 day 2 hours'
SELECT max(gap), min(gap), count(DISTINCT gap) FROM (SELECT ts - lag(ts) OVER (ORDER BY ts) AS gap FROM p) AS q
SELECT extract(epoch FROM ts), date_part('epoch', ts), extract(epoch FROM ts)::float8 / 60 FROM p ORDER BY ts LIMIT 20
SELECT extract(epoch FROM max(ts) - min(ts)) FROM p
SELECT date(ts) - 1 AS before, date(ts) + 7, count(*) FROM p GROUP BY 1, 2 ORDER BY 1
SELECT corr(close, lots), regr_slope(close, lots), regr_intercept(close, lots), regr_r2(close, lots), covar_samp(close, lots), covar_pop(close, volume) FROM p WHERE lots <> 0
SELECT round(avg(lots), 2), round(avg(volume), 0), round(avg(lots) , 7) FROM p WHERE lots < 5
SELECT side, round(avg(lots), 3) FROM p GROUP BY side ORDER BY side
SELECT greatest(lots, 3), least(lots, 2), greatest(close, lots), least(ts, '2023-11-20') FROM p ORDER BY ts LIMIT 30
SELECT ts, ntile(4) OVER (ORDER BY ts) FROM p ORDER BY ts LIMIT 50
SELECT ln(abs(close) + 1), log(abs(close) + 1), trunc(close) FROM p ORDER BY ts LIMIT 30
""".strip().splitlines()
FAILING = {
    "SELECT sum(close / noise) FROM p": "division by zero",
    "SELECT sum(lots % lots) FROM p": "division by zero",
    "SELECT sqrt(min(close)) FROM p": "cannot take square root of a negative number",
    "SELECT max(volume * volume * volume) FROM p": "bigint out of range",
    "SELECT max(exp(close * 1000)) FROM p": "value out of range: overflow",
}
# Left to PostgreSQL, since a part of them has no equal in DuckDB.
LEFT = {
    "SELECT avg(volume), side FROM p GROUP BY side ORDER BY 1",
    "SELECT string_agg(side, ',') FROM p",
    "SELECT close::text, count(*) FROM p GROUP BY 1",
    "SELECT DISTINCT round(close::numeric, 0) FROM p",
    "SELECT round(close::numeric, 0) AS r, count(*) FROM p GROUP BY r",
    "SELECT count(*) FROM p WHERE ts > 'yesterday'",
    "SELECT sum(lots) / 2 FROM p",
    "SELECT avg(gap) FROM (SELECT ts - lag(ts) OVER (ORDER BY ts) AS gap FROM p) AS q",
    "SELECT count(*) FROM p WHERE ts - '2023-11-16' > interval '1 month'",
    "SELECT to_char(ts, 'Month') FROM p",
    "SELECT substr(side, -1) FROM p",
    "SELECT reverse(side), initcap(side) FROM p",
    "SELECT extract(epoch FROM ts) / 60 FROM p",
    "SELECT count(*) FROM p WHERE extract(epoch FROM ts) > 100.5",
    "SELECT side::varchar(2) FROM p",
    "SELECT close || 'x' FROM p",
}
