"""Queries that ask for much: each a few hundred bytes to a few kilobytes, on a table `leads` of 2,000 rows."""

from __future__ import annotations

CROSS = "SELECT count(*) FROM leads a, leads b, leads c WHERE a.amount + b.amount + c.amount = 7"


def doubled(depth: int, *, subqueries: bool = False) -> str:
    """Names that each stand twice in the next: 2^depth once expanded."""
    if subqueries:
        inner = "SELECT amount AS v FROM leads"
        for level in range(depth):
            inner = f"SELECT v + v AS v FROM ({inner}) s{level}"
        return f"SELECT count(*) FROM ({inner}) q WHERE v > 0"
    parts = ",".join(f"c{n} AS (SELECT v + v AS v FROM c{n - 1})" for n in range(1, depth + 1))
    return f"WITH c0 AS (SELECT amount AS v FROM leads), {parts} SELECT count(*) FROM c{depth} WHERE v > 0"


def _modulo(terms: int) -> str:
    cells = ",".join(f"mod((x*x)/(x-{n}.5),97)" for n in range(terms))
    return f"SELECT {cells} FROM (SELECT power(9.87654321::numeric, 65000) AS x OFFSET 0) q"


def all_queries() -> dict[str, str]:
    """Each kind by its name."""
    joins = ", ".join(f"leads t{n}" for n in range(14))
    columns = ", ".join(f"max(name || '{n}')" for n in range(200))
    squares = "x"
    for _ in range(8):
        squares = f"({squares} * {squares})"
    return {
        **{f"cte {depth}": doubled(depth) for depth in (16, 18, 20, 24)},
        **{f"subqueries {depth}": doubled(depth, subqueries=True) for depth in (16, 24)},
        "modulo": _modulo(330),
        "squares": f"SELECT {squares} FROM (SELECT power(9.87654321::numeric, 2000) AS x OFFSET 0) q",
        "power": "SELECT power(1.0000001::numeric, 1000000000), exp(5000::numeric)",
        "string_agg": "SELECT string_agg(a.name || b.name, ',') FROM leads a, leads b, leads c",
        "cross": CROSS,
        "cross sort": "SELECT a.name, b.name FROM leads a, leads b ORDER BY b.name || a.name, a.amount * b.amount",
        "distinct": "SELECT count(DISTINCT a.name || b.name || c.name) FROM leads a, leads b, leads c",
        "joins": f"SELECT count(*) FROM {joins} WHERE t0.amount = t13.amount",
        "window": "SELECT sum(a.amount) OVER (ORDER BY b.amount, a.name ROWS BETWEEN UNBOUNDED PRECEDING AND "
        "UNBOUNDED FOLLOWING) FROM leads a, leads b",
        "aggregates": f"SELECT {columns} FROM leads a GROUP BY name || email",
        "in list": f"SELECT count(*) FROM leads WHERE amount IN ({','.join(map(str, range(4000)))})",
        "or": "SELECT count(*) FROM leads WHERE "
        + " OR ".join(f"amount = {n} AND name LIKE '%{n}%'" for n in range(400)),
        "case": "SELECT " + "CASE WHEN amount > 1 THEN " * 150 + "1" + " ELSE 0 END" * 150 + " FROM leads",
        "like": "SELECT count(*) FROM leads a, leads b WHERE a.name || b.name LIKE '" + "%a_" * 200 + "'",
        "union": " UNION ALL ".join("SELECT name, amount FROM leads" for _ in range(150)),
        "intersect": "SELECT a.name || b.email AS t FROM leads a, leads b INTERSECT "
        "SELECT b.name || a.email AS t FROM leads a, leads b",
        "ranks": "SELECT "
        + ", ".join(f"rank() OVER (PARTITION BY a.amount + {n} ORDER BY b.name || a.email)" for n in range(20))
        + " FROM leads a, leads b",
        "percentiles": "SELECT "
        + ", ".join(f"percentile_cont(0.{n}) WITHIN GROUP (ORDER BY a.amount * b.amount + {n})" for n in range(10, 40))
        + " FROM leads a, leads b",
        "distinct aggregates": "SELECT "
        + ", ".join(f"count(DISTINCT a.name || b.email || '{n}')" for n in range(20))
        + " FROM leads a, leads b",
        "wide groups": "SELECT a.name || b.name || a.email || b.email AS k, string_agg(a.name, b.email) AS t "
        "FROM leads a, leads b GROUP BY a.name || b.name || a.email || b.email",
        "correlated": "SELECT a.name, (SELECT count(*) FROM leads b WHERE b.amount > a.amount AND EXISTS "
        "(SELECT 1 FROM leads c WHERE c.amount < b.amount + a.amount)) AS n FROM leads a",
        "not in": "SELECT count(*) FROM leads a, leads b WHERE a.name || b.email NOT IN "
        "(SELECT c.name || d.email FROM leads c, leads d WHERE c.amount > d.amount)",
        "full joins": "SELECT count(*) FROM leads a FULL JOIN "
        "(SELECT d.amount + e.amount AS amount FROM leads d, leads e) b ON a.amount = b.amount "
        "FULL JOIN leads c ON c.amount = b.amount",
        "repeated pairs": "SELECT max(length(repeat(a.name || b.name, 1000))) AS n FROM leads a, leads b",
        "joined pairs": "WITH x AS (SELECT a.name || b.name || a.email || b.email AS t "
        "FROM leads a, leads b) SELECT count(*) FROM x p JOIN x q ON p.t = q.t",
    }
