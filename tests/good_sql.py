"""Queries that the gate lets through, and how it writes them with the users' names."""

# ruff: noqa: E501
from __future__ import annotations

# Text, `logical`. Tables and columns are those of tests/sql_catalog.py.
GOOD: tuple[tuple[str, str], ...] = (
    ("SELECT 1", "SELECT 1"),
    ("select name from leads;", "SELECT name FROM leads"),
    ("SELECT * FROM leads", "SELECT * FROM leads"),
    ("SELECT l.* FROM leads l", "SELECT l.* FROM leads AS l"),
    (
        "SELECT leads.*, o.total FROM leads JOIN orders o ON o.lead_id = leads.id",
        "SELECT leads.*, o.total FROM leads JOIN orders AS o ON o.lead_id = leads.id",
    ),
    (
        'SELECT "name", leads."email", L.State FROM leads JOIN leads AS l USING (id, name, email)',
        "SELECT name, leads.email, l.state FROM leads JOIN leads AS l USING (id, name, email)",
    ),
    ("SELECT DISTINCT state FROM leads ORDER BY state", "SELECT DISTINCT state FROM leads ORDER BY state"),
    (
        "SELECT DISTINCT ON (state) state, name, amount FROM leads ORDER BY state, amount DESC NULLS LAST, id",
        "SELECT DISTINCT ON (state) state, name, amount FROM leads ORDER BY state, amount DESC NULLS LAST, id",
    ),
    (
        "SELECT DISTINCT ON (lower(state)) name FROM leads ORDER BY lower(state), id",
        "SELECT DISTINCT ON (LOWER(state)) name FROM leads ORDER BY LOWER(state), id",
    ),
    (
        "SELECT state, count(*) FROM leads GROUP BY state ORDER BY count(*) DESC, 1 LIMIT 5",
        "SELECT state, COUNT(*) FROM leads GROUP BY state ORDER BY COUNT(*) DESC, 1 LIMIT 5",
    ),
    (
        "SELECT state AS s, COUNT(*) AS n FROM leads GROUP BY s HAVING count(*) > 1 ORDER BY n DESC, s OFFSET 1",
        "SELECT state AS s, COUNT(*) AS n FROM leads GROUP BY s HAVING COUNT(*) > 1 ORDER BY n DESC, s OFFSET 1",
    ),
    (
        "SELECT state s, sum(amount) total FROM leads GROUP BY 1 ORDER BY total NULLS FIRST, s",
        "SELECT state AS s, SUM(amount) AS total FROM leads GROUP BY 1 ORDER BY total NULLS FIRST, s",
    ),
    (
        "SELECT date_trunc('month', created_at) AS created_at, count(*) FROM leads GROUP BY date_trunc('month', created_at) ORDER BY 1",
        "SELECT DATE_TRUNC('month', created_at) AS created_at, COUNT(*) FROM leads GROUP BY DATE_TRUNC('month', created_at) ORDER BY 1",
    ),
    (
        "SELECT upper(state) AS state, count(*) FROM leads GROUP BY leads.state ORDER BY state",
        "SELECT UPPER(state) AS state, COUNT(*) FROM leads GROUP BY leads.state ORDER BY state",
    ),
    (
        "SELECT count(DISTINCT state), count(name), count(*) - count(amount) AS missing FROM leads",
        "SELECT COUNT(DISTINCT state), COUNT(name), COUNT(*) - COUNT(amount) AS missing FROM leads",
    ),
    (
        "SELECT sum(amount), avg(amount), min(amount), max(amount), stddev(amount), var_pop(amount), variance(amount) FROM leads",
        "SELECT SUM(amount), AVG(amount), MIN(amount), MAX(amount), STDDEV(amount), VAR_POP(amount), VARIANCE(amount) FROM leads",
    ),
    (
        "SELECT corr(amount, id), covar_pop(amount, id), regr_slope(amount, id), regr_r2(amount, id) FROM leads",
        "SELECT CORR(amount, id), COVAR_POP(amount, id), REGR_SLOPE(amount, id), REGR_R2(amount, id) FROM leads",
    ),
    (
        "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY amount) AS median, mode() WITHIN GROUP (ORDER BY state) FROM leads",
        "SELECT PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY amount) AS median, MODE() WITHIN GROUP (ORDER BY state) FROM leads",
    ),
    (
        "SELECT percentile_disc(0.9) WITHIN GROUP (ORDER BY amount DESC) FILTER (WHERE amount > 10) FROM leads",
        "SELECT PERCENTILE_DISC(0.9) WITHIN GROUP (ORDER BY amount DESC) FILTER (WHERE amount > 10) FROM leads",
    ),
    (
        "SELECT state, count(*) FILTER (WHERE amount >= 100) AS big FROM leads GROUP BY state ORDER BY state",
        "SELECT state, COUNT(*) FILTER (WHERE amount >= 100) AS big FROM leads GROUP BY state ORDER BY state",
    ),
    (
        "SELECT round(100.0 * count(*) FILTER (WHERE state = 'CA') / nullif(count(*), 0), 2) AS share FROM leads",
        "SELECT ROUND(100.0 * COUNT(*) FILTER (WHERE state = 'CA') / NULLIF(COUNT(*), 0), 2) AS share FROM leads",
    ),
    (
        "SELECT bool_and(amount > 0), bool_or(amount > 0), every(id > 0) FROM leads",
        "SELECT BOOL_AND(amount > 0), BOOL_OR(amount > 0), EVERY(id > 0) FROM leads",
    ),
    (
        "SELECT string_agg(name, ', ' ORDER BY name DESC), string_agg(DISTINCT state, ',') FROM leads",
        "SELECT STRING_AGG(name, ', ' ORDER BY name DESC), STRING_AGG(DISTINCT state, ',') FROM leads",
    ),
    (
        "SELECT string_agg(DISTINCT state, ',' ORDER BY state DESC) FROM leads",
        "SELECT STRING_AGG(DISTINCT state, ',' ORDER BY state DESC) FROM leads",
    ),
    (
        "SELECT name, row_number() OVER (PARTITION BY state ORDER BY amount DESC, id) AS place FROM leads ORDER BY id",
        "SELECT name, ROW_NUMBER() OVER (PARTITION BY state ORDER BY amount DESC, id) AS place FROM leads ORDER BY id",
    ),
    (
        "SELECT id, rank() OVER w, dense_rank() OVER w, percent_rank() OVER w FROM leads WINDOW w AS (ORDER BY amount) ORDER BY id",
        "SELECT id, RANK() OVER w, DENSE_RANK() OVER w, PERCENT_RANK() OVER w FROM leads WINDOW w AS (ORDER BY amount) ORDER BY id",
    ),
    (
        "SELECT id, sum(amount) OVER (ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS running FROM leads ORDER BY id",
        "SELECT id, SUM(amount) OVER (ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS running FROM leads ORDER BY id",
    ),
    (
        "SELECT id, avg(amount) OVER (ORDER BY id ROWS 2 PRECEDING), sum(id) OVER () FROM leads ORDER BY id",
        "SELECT id, AVG(amount) OVER (ORDER BY id ROWS 2 PRECEDING), SUM(id) OVER () FROM leads ORDER BY id",
    ),
    (
        "SELECT id, count(*) OVER (ORDER BY created_at RANGE BETWEEN INTERVAL '7 days' PRECEDING AND INTERVAL '1' DAY FOLLOWING) FROM leads ORDER BY id",
        "SELECT id, COUNT(*) OVER (ORDER BY created_at RANGE BETWEEN INTERVAL '7 days' PRECEDING AND INTERVAL '1 DAY' FOLLOWING) FROM leads ORDER BY id",
    ),
    (
        "SELECT id, lag(amount, 1, 0) OVER (ORDER BY id), lead(amount) OVER (ORDER BY id), first_value(name) OVER (ORDER BY id), nth_value(name, 2) OVER (ORDER BY id GROUPS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) FROM leads ORDER BY id",
        "SELECT id, LAG(amount, 1, 0) OVER (ORDER BY id), LEAD(amount) OVER (ORDER BY id), FIRST_VALUE(name) OVER (ORDER BY id), NTH_VALUE(name, 2) OVER (ORDER BY id GROUPS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) FROM leads ORDER BY id",
    ),
    (
        "SELECT id, ntile(4) OVER (ORDER BY id), cume_dist() OVER (ORDER BY state) FROM leads ORDER BY id",
        "SELECT id, NTILE(4) OVER (ORDER BY id), CUME_DIST() OVER (ORDER BY state) FROM leads ORDER BY id",
    ),
    (
        "SELECT state, sum(count(*)) OVER (ORDER BY state) FROM leads GROUP BY state ORDER BY state",
        "SELECT state, SUM(COUNT(*)) OVER (ORDER BY state) FROM leads GROUP BY state ORDER BY state",
    ),
    (
        "SELECT sum(amount) FILTER (WHERE id > 2) OVER (PARTITION BY state), id FROM leads ORDER BY id",
        "SELECT SUM(amount) FILTER (WHERE id > 2) OVER (PARTITION BY state), id FROM leads ORDER BY id",
    ),
    (
        "SELECT l.name, o.total FROM leads l JOIN orders o ON o.lead_id = l.id ORDER BY o.id",
        "SELECT l.name, o.total FROM leads AS l JOIN orders AS o ON o.lead_id = l.id ORDER BY o.id",
    ),
    (
        "SELECT l.name, o.total FROM leads AS l LEFT OUTER JOIN orders AS o ON (l.id = o.lead_id AND o.total > 10) ORDER BY l.id, o.id",
        "SELECT l.name, o.total FROM leads AS l LEFT JOIN orders AS o ON (l.id = o.lead_id AND o.total > 10) ORDER BY l.id, o.id",
    ),
    (
        "SELECT l.name, o.total FROM leads l RIGHT JOIN orders o ON l.id = o.lead_id WHERE l.id IS NULL",
        "SELECT l.name, o.total FROM leads AS l RIGHT JOIN orders AS o ON l.id = o.lead_id WHERE l.id IS NULL",
    ),
    (
        "SELECT id, count(*) FROM leads FULL JOIN orders USING (id) GROUP BY id ORDER BY id",
        "SELECT id, COUNT(*) FROM leads FULL JOIN orders USING (id) GROUP BY id ORDER BY id",
    ),
    (
        "SELECT * FROM leads FULL OUTER JOIN orders USING (id) ORDER BY id",
        "SELECT * FROM leads FULL JOIN orders USING (id) ORDER BY id",
    ),
    (
        "SELECT id, name FROM orders RIGHT JOIN leads USING (id) ORDER BY id",
        "SELECT id, name FROM orders RIGHT JOIN leads USING (id) ORDER BY id",
    ),
    (
        "SELECT id FROM leads l JOIN orders o USING (id) JOIN orders p USING (id, lead_id) ORDER BY lead_id",
        "SELECT id FROM leads AS l JOIN orders AS o USING (id) JOIN orders AS p USING (id, lead_id) ORDER BY lead_id",
    ),
    (
        "SELECT a.name, b.name FROM leads a CROSS JOIN leads b WHERE a.id < b.id ORDER BY a.id, b.id",
        "SELECT a.name, b.name FROM leads AS a CROSS JOIN leads AS b WHERE a.id < b.id ORDER BY a.id, b.id",
    ),
    (
        "SELECT count(*) FROM leads, orders WHERE lead_id = leads.id",
        "SELECT COUNT(*) FROM leads, orders WHERE lead_id = leads.id",
    ),
    (
        "SELECT name FROM leads WHERE id IN (SELECT lead_id FROM orders WHERE total > 20) ORDER BY name",
        "SELECT name FROM leads WHERE id IN (SELECT lead_id FROM orders WHERE total > 20) ORDER BY name",
    ),
    (
        "SELECT name FROM leads WHERE id NOT IN (1, 2, 3) AND state NOT LIKE 'C%' ORDER BY id",
        "SELECT name FROM leads WHERE id NOT IN (1, 2, 3) AND state NOT LIKE 'C%' ORDER BY id",
    ),
    (
        "SELECT name FROM leads l WHERE EXISTS (SELECT 1 FROM orders o WHERE o.lead_id = l.id) ORDER BY id",
        "SELECT name FROM leads AS l WHERE EXISTS (SELECT 1 FROM orders AS o WHERE o.lead_id = l.id) ORDER BY id",
    ),
    (
        "SELECT name FROM leads WHERE NOT EXISTS (SELECT * FROM orders WHERE lead_id = leads.id) ORDER BY id",
        "SELECT name FROM leads WHERE NOT EXISTS (SELECT * FROM orders WHERE lead_id = leads.id) ORDER BY id",
    ),
    (
        "SELECT name, (SELECT max(total) FROM orders WHERE lead_id = leads.id) AS best FROM leads ORDER BY leads.id",
        "SELECT name, (SELECT MAX(total) FROM orders WHERE lead_id = leads.id) AS best FROM leads ORDER BY leads.id",
    ),
    (
        "SELECT name FROM leads WHERE (state, amount) IN (SELECT state, max(amount) FROM leads GROUP BY state) ORDER BY name",
        "SELECT name FROM leads WHERE (state, amount) IN (SELECT state, MAX(amount) FROM leads GROUP BY state) ORDER BY name",
    ),
    (
        "SELECT name FROM leads WHERE amount > (SELECT avg(amount) FROM leads) ORDER BY amount",
        "SELECT name FROM leads WHERE amount > (SELECT AVG(amount) FROM leads) ORDER BY amount",
    ),
    (
        "SELECT s.state, s.n FROM (SELECT state, count(*) AS n FROM leads GROUP BY state) AS s WHERE s.n > 1 ORDER BY s.state",
        "SELECT s.state, s.n FROM (SELECT state, COUNT(*) AS n FROM leads GROUP BY state) AS s WHERE s.n > 1 ORDER BY s.state",
    ),
    (
        "SELECT max, count FROM (SELECT max(amount), count(*) FROM leads) s",
        "SELECT max, count FROM (SELECT MAX(amount), COUNT(*) FROM leads) AS s",
    ),
    (
        "SELECT t.a, b FROM (SELECT id, name FROM leads) t(a, b) ORDER BY 1",
        "SELECT t.a, b FROM (SELECT id, name FROM leads) AS t(a, b) ORDER BY 1",
    ),
    (
        "SELECT date, \"case\", int4, amount FROM (SELECT created_at::date, DATE '2024-01-01', CASE WHEN id > 1 THEN 2 END, '1'::int, amount::text FROM leads) AS x(c) ORDER BY c, amount",
        'SELECT "date", "case", "int4", amount FROM (SELECT CAST(created_at AS DATE), DATE \'2024-01-01\', CASE WHEN id > 1 THEN 2 END, CAST(\'1\' AS INT), CAST(amount AS TEXT) FROM leads) AS x(c) ORDER BY c, amount',
    ),
    (
        "WITH m AS (SELECT date_trunc('month', created_at)::date AS month, sum(amount) AS total FROM leads GROUP BY 1) SELECT month, total, total - lag(total) OVER (ORDER BY month) AS growth FROM m ORDER BY month",
        "WITH m AS (SELECT CAST(DATE_TRUNC('month', created_at) AS DATE) AS month, SUM(amount) AS total FROM leads GROUP BY 1) SELECT month, total, total - LAG(total) OVER (ORDER BY month) AS growth FROM m ORDER BY month",
    ),
    (
        "WITH a AS (SELECT id FROM leads), b AS (SELECT id FROM a WHERE id > 1) SELECT count(*) FROM b JOIN a USING (id)",
        "WITH a AS (SELECT id FROM leads), b AS (SELECT id FROM a WHERE id > 1) SELECT COUNT(*) FROM b JOIN a USING (id)",
    ),
    (
        "WITH t(x, y) AS (SELECT id, name FROM leads) SELECT x, y FROM t ORDER BY x",
        "WITH t(x, y) AS (SELECT id, name FROM leads) SELECT x, y FROM t ORDER BY x",
    ),
    (
        "WITH a AS (SELECT 1 AS id) SELECT id FROM (WITH a AS (SELECT 2 AS id) SELECT id FROM a) AS x",
        "WITH a AS (SELECT 1 AS id) SELECT id FROM (WITH a AS (SELECT 2 AS id) SELECT id FROM a) AS x",
    ),
    (
        'WITH a AS (SELECT state FROM leads UNION SELECT "Größe" FROM orders) SELECT count(*) FROM a',
        'WITH a AS (SELECT state FROM leads UNION SELECT "Größe" FROM orders) SELECT COUNT(*) FROM a',
    ),
    (
        'SELECT name FROM leads UNION ALL SELECT "Größe" FROM orders ORDER BY name LIMIT 3',
        'SELECT name FROM leads UNION ALL SELECT "Größe" FROM orders ORDER BY name LIMIT 3',
    ),
    (
        "SELECT id FROM leads INTERSECT SELECT lead_id FROM orders ORDER BY 1",
        "SELECT id FROM leads INTERSECT SELECT lead_id FROM orders ORDER BY 1",
    ),
    (
        "SELECT id FROM leads EXCEPT ALL SELECT lead_id FROM orders ORDER BY id DESC",
        "SELECT id FROM leads EXCEPT ALL SELECT lead_id FROM orders ORDER BY id DESC",
    ),
    (
        "SELECT id FROM leads UNION SELECT id FROM orders INTERSECT SELECT lead_id FROM orders ORDER BY id",
        "SELECT id FROM leads UNION (SELECT id FROM orders INTERSECT SELECT lead_id FROM orders) ORDER BY id",
    ),
    (
        "(SELECT name FROM leads ORDER BY id LIMIT 1) UNION ALL (SELECT name FROM leads ORDER BY id DESC LIMIT 1)",
        "(SELECT name FROM leads ORDER BY id LIMIT 1) UNION ALL (SELECT name FROM leads ORDER BY id DESC LIMIT 1)",
    ),
    (
        "SELECT CASE WHEN amount >= 100 THEN 'big' WHEN amount IS NULL THEN 'none' ELSE 'small' END AS size, count(*) FROM leads GROUP BY size ORDER BY size",
        "SELECT CASE WHEN amount >= 100 THEN 'big' WHEN amount IS NULL THEN 'none' ELSE 'small' END AS size, COUNT(*) FROM leads GROUP BY size ORDER BY size",
    ),
    (
        "SELECT CASE state WHEN 'CA' THEN 1 ELSE 0 END FROM leads ORDER BY id",
        "SELECT CASE state WHEN 'CA' THEN 1 ELSE 0 END FROM leads ORDER BY id",
    ),
    (
        "SELECT coalesce(name, email, 'none'), nullif(state, ''), greatest(amount, 1), least(id, 2) FROM leads ORDER BY id",
        "SELECT COALESCE(name, email, 'none'), NULLIF(state, ''), GREATEST(amount, 1), LEAST(id, 2) FROM leads ORDER BY id",
    ),
    (
        "SELECT amount::int, amount::numeric(10, 1), id::text, cast(id AS double precision), id::float / 2, '2024-01-31'::date, id::real, id::smallint, id::varchar(3) FROM leads ORDER BY leads.id",
        "SELECT CAST(amount AS INT), CAST(amount AS NUMERIC(10, 1)), CAST(id AS TEXT), CAST(id AS DOUBLE PRECISION), CAST(id AS DOUBLE PRECISION) / 2, DATE '2024-01-31', CAST(id AS REAL), CAST(id AS SMALLINT), CAST(id AS VARCHAR(3)) FROM leads ORDER BY leads.id",
    ),
    (
        "SELECT created_at::timestamp without time zone, created_at::date - date '2024-01-01', timestamp '2024-01-01 10:00' + interval '1 day 2 hours' FROM leads ORDER BY id",
        "SELECT CAST(created_at AS TIMESTAMP), CAST(created_at AS DATE) - DATE '2024-01-01', TIMESTAMP '2024-01-01 10:00' + INTERVAL '1 day 2 hours' FROM leads ORDER BY id",
    ),
    (
        "SELECT extract(year FROM created_at), EXTRACT('dow' FROM created_at), date_part('hour', created_at), extract(epoch FROM created_at - timestamptz '2024-01-01') FROM leads ORDER BY id",
        "SELECT EXTRACT(YEAR FROM created_at), EXTRACT(DOW FROM created_at), DATE_PART('hour', created_at), EXTRACT(EPOCH FROM created_at - TIMESTAMPTZ '2024-01-01') FROM leads ORDER BY id",
    ),
    (
        "SELECT to_char(created_at, 'YYYY-MM'), to_date('31.01.2024', 'DD.MM.YYYY'), make_date(2024, 1, 31), date(created_at) FROM leads ORDER BY id",
        "SELECT TO_CHAR(created_at, 'YYYY-MM'), TO_DATE('31.01.2024', 'DD.MM.YYYY'), MAKE_DATE(2024, 1, 31), DATE(created_at) FROM leads ORDER BY id",
    ),
    (
        "SELECT age(timestamptz '2024-03-01', timestamptz '2024-01-01'), now() - interval '30 days' < current_timestamp, current_date >= date '2024-01-01', localtimestamp > timestamp '2020-01-01'",
        "SELECT AGE(TIMESTAMPTZ '2024-03-01', TIMESTAMPTZ '2024-01-01'), NOW() - INTERVAL '30 days' < CURRENT_TIMESTAMP, CURRENT_DATE >= DATE '2024-01-01', LOCALTIMESTAMP > TIMESTAMP '2020-01-01'",
    ),
    (
        "SELECT created_at AT TIME ZONE 'Europe/Berlin', date_trunc('day', created_at AT TIME ZONE 'UTC') FROM leads ORDER BY id",
        "SELECT created_at AT TIME ZONE 'Europe/Berlin', DATE_TRUNC('day', created_at AT TIME ZONE 'UTC') FROM leads ORDER BY id",
    ),
    (
        "SELECT id FROM leads WHERE created_at BETWEEN '2024-01-01' AND '2024-12-31' AND amount NOT BETWEEN 5 AND 10 ORDER BY id",
        "SELECT id FROM leads WHERE created_at BETWEEN '2024-01-01' AND '2024-12-31' AND amount NOT BETWEEN 5 AND 10 ORDER BY id",
    ),
    (
        "SELECT id FROM leads WHERE name ILIKE '%a%' OR name LIKE 'a\\_b%' OR name NOT ILIKE 'x!%' ESCAPE '!' ORDER BY id",
        "SELECT id FROM leads WHERE name ILIKE '%a%' OR name LIKE 'a\\_b%' OR name NOT ILIKE 'x!%' ESCAPE '!' ORDER BY id",
    ),
    (
        "SELECT id FROM leads WHERE name ~ '^[A-C]' AND name !~* '\\mx' ORDER BY id",
        "SELECT id FROM leads WHERE name ~ '^[A-C]' AND NOT name ~* '\\mx' ORDER BY id",
    ),
    (
        "SELECT id FROM leads WHERE amount IS NOT NULL AND name IS DISTINCT FROM 'Ann' AND (id > 1) IS TRUE AND state IS NOT DISTINCT FROM 'CA' ORDER BY id",
        "SELECT id FROM leads WHERE amount IS NOT NULL AND name IS DISTINCT FROM 'Ann' AND (id > 1) IS TRUE AND state IS NOT DISTINCT FROM 'CA' ORDER BY id",
    ),
    (
        "SELECT id FROM leads WHERE NOT (state = 'CA' OR state <> 'NY') OR id != 3 AND amount < 1e3 ORDER BY id",
        "SELECT id FROM leads WHERE NOT (state = 'CA' OR state <> 'NY') OR id <> 3 AND amount < 1e3 ORDER BY id",
    ),
    (
        "SELECT abs(-1), round(2.567, 2), ceil(1.2), ceiling(1.2), floor(1.8), sqrt(16), power(2, 10), ln(1), log(100), exp(0), mod(7, 3), sign(-2), trunc(1.99, 1), 7 / 2, 7 % 3, - -1, -(-1), 2 * -3, .5 + 1.",
        "SELECT ABS(-1), ROUND(2.567, 2), CEIL(1.2), CEILING(1.2), FLOOR(1.8), SQRT(16), POWER(2, 10), LN(1), LOG(100), EXP(0), MOD(7, 3), SIGN(-2), TRUNC(1.99, 1), 7 / 2, 7 % 3, - -1, -(-1), 2 * -3, 0.5 + 1.",
    ),
    (
        "SELECT lower(name), UPPER(state), initcap('ab cd'), length(name), left(name, 2), right(name, 2), reverse(name) FROM leads ORDER BY id",
        "SELECT LOWER(name), UPPER(state), INITCAP('ab cd'), LENGTH(name), LEFT(name, 2), RIGHT(name, 2), REVERSE(name) FROM leads ORDER BY id",
    ),
    (
        "SELECT trim(name), trim(BOTH 'x' FROM name), trim(leading from name), btrim(name, 'A'), ltrim(name), rtrim(name, 'n') FROM leads ORDER BY id",
        "SELECT TRIM(name), TRIM(BOTH 'x' FROM name), TRIM(LEADING FROM name), BTRIM(name, 'A'), LTRIM(name), RTRIM(name, 'n') FROM leads ORDER BY id",
    ),
    (
        "SELECT substring(name FROM 2 FOR 3), substring(name, 2), substr(name, 1, 1), substring(email from position('@' in email) + 1), strpos(email, '@') FROM leads ORDER BY id",
        "SELECT SUBSTRING(name FROM 2 FOR 3), SUBSTRING(name, 2), SUBSTR(name, 1, 1), SUBSTRING(email FROM POSITION('@' IN email) + 1), STRPOS(email, '@') FROM leads ORDER BY id",
    ),
    (
        "SELECT replace(name, 'n', 'm'), split_part(email, '@', 2), concat(name, '-', id), concat_ws(', ', name, state), starts_with(name, 'A') FROM leads ORDER BY id",
        "SELECT REPLACE(name, 'n', 'm'), SPLIT_PART(email, '@', 2), CONCAT(name, '-', id), CONCAT_WS(', ', name, state), STARTS_WITH(name, 'A') FROM leads ORDER BY id",
    ),
    (
        "SELECT name || ' <' || email || '>' AS contact, 'it''s ' || '%' || '\\n' AS text FROM leads ORDER BY id",
        "SELECT name || ' <' || email || '>' AS contact, 'it''s ' || '%' || '\\n' AS \"text\" FROM leads ORDER BY id",
    ),
    (
        'SELECT \'DROP TABLE leads; --\' AS note, name AS "select", id AS "Mixed Case" FROM leads ORDER BY "Mixed Case"',
        'SELECT \'DROP TABLE leads; --\' AS note, name AS "select", id AS "Mixed Case" FROM leads ORDER BY "Mixed Case"',
    ),
    (
        "SELECT v.n, l.name FROM (VALUES (1, 'a'), (2, 'b')) AS v(n, t) JOIN leads l ON l.id = v.n ORDER BY n",
        "SELECT v.n, l.name FROM (VALUES (1, 'a'), (2, 'b')) AS v(n, t) JOIN leads AS l ON l.id = v.n ORDER BY n",
    ),
    (
        'SELECT "order", o."Größe", "Größe" AS g FROM orders o ORDER BY "order"',
        'SELECT "order", o."Größe", "Größe" AS g FROM orders AS o ORDER BY "order"',
    ),
    (
        'SELECT "Close Price", p."xmin", * FROM prices AS p WHERE "Close Price" > 1 ORDER BY ts',
        'SELECT "Close Price", p.xmin, * FROM prices AS p WHERE "Close Price" > 1 ORDER BY ts',
    ),
    (
        'SELECT count(*) AS count, avg("Close Price") FROM prices GROUP BY xmin ORDER BY count',
        'SELECT COUNT(*) AS count, AVG("Close Price") FROM prices GROUP BY xmin ORDER BY count',
    ),
    (
        "SELECT name AS id, id AS name FROM leads ORDER BY name DESC",
        "SELECT name AS id, id AS name FROM leads ORDER BY name DESC",
    ),
    ("SELECT leads.*, name FROM leads ORDER BY name, id", "SELECT leads.*, name FROM leads ORDER BY name, id"),
    (
        "SELECT name FROM leads ORDER BY length(name), lower(name) DESC, id",
        "SELECT name FROM leads ORDER BY LENGTH(name), LOWER(name) DESC, id",
    ),
    (
        "SELECT state, name FROM leads GROUP BY state, name ORDER BY (state), (2)",
        "SELECT state, name FROM leads GROUP BY state, name ORDER BY (state), (2)",
    ),
    (
        "SELECT date, value, count FROM (SELECT created_at AS date, amount AS value, id AS count FROM leads) AS first ORDER BY count",
        'SELECT "date", value, count FROM (SELECT created_at AS "date", amount AS value, id AS count FROM leads) AS "first" ORDER BY count',
    ),
)
