"""Queries that would take all of a machine's memory or time, each in its own way. `leads`: id, name, amount."""

from __future__ import annotations

from collections.abc import Iterable

FILLED = b"id,name,amount\n" + b"".join(b"%d,name %d,%d.5\n" % (n, n, n) for n in range(400))


def _doubled(depth: int, step: str = "v + v") -> str:
    steps = ", ".join(f"c{n} AS (SELECT {step} AS v FROM c{n - 1})" for n in range(1, depth + 1))
    return f"WITH c0 AS (SELECT amount AS v FROM leads), {steps} SELECT count(*) FROM c{depth} WHERE v > 0"


def _listed(parts: Iterable[object], by: str = ", ") -> str:
    return by.join(map(str, parts))


_CROSS = "leads AS a, leads AS b, leads AS c"
_HUGE = "(SELECT power(9.87654321::numeric, 65000) AS x OFFSET 0) AS q"
_TEXT = f"(SELECT replace(min(name), 'a', '{'a' * 9000}') AS x FROM leads) AS q"
_PAIRS = "(SELECT a.id * 1000 + b.id AS k, a.name AS n FROM leads AS a, leads AS b) AS"

HOSTILE_QUERIES: dict[str, str] = {
    # Of the planner.
    "doubled 16": _doubled(16),
    "doubled 24": _doubled(24),
    "doubled by subqueries": "SELECT count(*) FROM "
    + f"{'(SELECT v + v AS v FROM ' * 18}(SELECT amount AS v FROM leads) AS q{') AS q' * 18} WHERE v > 0",
    "tripled by CASE": _doubled(14, "CASE WHEN v > 1 THEN v ELSE -v END"),
    "two columns": "WITH c0 AS (SELECT id AS a, id AS b FROM leads), "
    + _listed(f"c{n} AS (SELECT a + b AS a, a - b AS b FROM c{n - 1})" for n in range(1, 22))
    + " SELECT count(*) FROM c21 WHERE a = b",
    "clique": f"SELECT count(*) FROM {_listed(f'leads AS t{n}' for n in range(12))} WHERE "
    + _listed((f"t{n}.id < t{m}.id + {n}" for n in range(12) for m in range(n)), " AND "),
    "hundred tables": f"SELECT count(*) FROM {_listed(f'leads AS t{n}' for n in range(100))} WHERE "
    + _listed((f"t{n}.id = t{n - 1}.id" for n in range(1, 100)), " AND "),
    "exists": "SELECT count(*) FROM leads AS a WHERE "
    + _listed((f"EXISTS (SELECT 1 FROM leads AS b WHERE b.id = a.id + {n})" for n in range(100)), " AND "),
    "unions": _listed((f"SELECT id + {n} AS v FROM leads" for n in range(300)), " UNION "),
    # Of the executor.
    "cross join": f"SELECT count(*) FROM {_CROSS}, leads AS d WHERE a.amount + b.amount + c.amount + d.amount = 7",
    "string_agg": f"SELECT length(string_agg(a.name || b.name || c.name, ',')) FROM {_CROSS}",
    "many aggregates": f"SELECT {_listed(f'string_agg(a.name || {n}, $)' for n in range(40))} FROM {_CROSS}".replace(
        "$", "','"
    ),
    "sort": f"SELECT a.name, b.name AS n, c.name AS o FROM {_CROSS} ORDER BY c.name DESC, b.name, a.name",
    "distinct": f"SELECT count(DISTINCT a.name || b.name || c.name) FROM {_CROSS}",
    "groups": f"SELECT a.id + b.id * 1000 AS g, c.id AS h, string_agg(a.name, ',') FROM {_CROSS} GROUP BY 1, 2",
    "hash joins": f"SELECT count(*) FROM {_PAIRS} t0 "
    + _listed((f"JOIN {_PAIRS} t{n} ON t{n}.k = t{n - 1}.k" for n in range(1, 12)), " "),
    "kept queries": f"WITH c0 AS (SELECT k, n FROM {_PAIRS} t), "
    + _listed(f"c{n} AS (SELECT k + 1 AS k, n || '{n}' AS n FROM c{n - 1})" for n in range(1, 12))
    + f" SELECT count(*) FROM {_listed(f'c{n}' for n in range(12))} WHERE "
    + _listed((f"c{n}.k = c0.k" for n in range(1, 12)), " AND "),
    "windows": "SELECT "
    + _listed(f"sum(a.id) OVER (PARTITION BY a.id % {n + 1} ORDER BY b.amount) AS w{n}" for n in range(60))
    + " FROM leads AS a, leads AS b",
    "medians": "SELECT "
    + _listed(f"percentile_cont(0.5) WITHIN GROUP (ORDER BY a.id + b.id + {n})" for n in range(60))
    + " FROM leads AS a, leads AS b",
    "wide rows": f"SELECT {_listed(f'a.name || b.name || {n} AS c{n}' for n in range(200))} FROM {_CROSS} "
    + "ORDER BY 1, 2",
    # Of one row, within which nothing looks for an end.
    "huge remainders": f"SELECT {_listed(f'mod((x * x) / (x - {n}.5), 97)' for n in range(300))} FROM {_HUGE}",
    "squares": "WITH c0 AS (SELECT cast(id AS numeric) + 1.5 AS v FROM leads), "
    + _listed(f"c{n} AS (SELECT v * v AS v FROM c{n - 1})" for n in range(1, 40))
    + " SELECT max(v) FROM c39",
    "texts as numbers": "SELECT "
    + _listed(f"cast('1e{100000 + n}' AS numeric) / cast(name AS numeric) * 1.{n} AS c{n}" for n in range(200))
    + " FROM leads",
    "huge roots": f"SELECT {_listed(f'sqrt(x + {n}) * ln(x + {n})' for n in range(200))} FROM {_HUGE}",
    "rounded": f"SELECT {_listed(f'round(1.5, 16000) * round(x, 16000) / (x + {n})' for n in range(200))} FROM {_HUGE}",
    "translate": f"SELECT length(translate(x, '{'b' * 9000}', '')) FROM {_TEXT}",
    "trim": f"SELECT length(trim('{'b' * 8000}' FROM x)) FROM {_TEXT}",
    "like": f"SELECT x LIKE '%{'a' * 8000}b' FROM {_TEXT}",
    "place": f"SELECT strpos(x, 'b' || left(x, 5000)) FROM {_TEXT}",
    "upper": f"SELECT {_listed(f'length(upper(x || {n}))' for n in range(400))} FROM {_TEXT}",
    "regular expressions": "SELECT count(*) FROM leads WHERE "
    + _listed((f"name ~ '((x*)*y*){{1,{100 + n}}}((a|b|c|d|e){{1,50}}){{1,40}}'" for n in range(40)), " OR "),
}

# As physical SQL, where nothing has been bounded.
PAST_THE_GATE: dict[str, str] = {
    "doubled": _doubled(24),
    "two columns": HOSTILE_QUERIES["two columns"],
    "string_agg": HOSTILE_QUERIES["string_agg"],
    "medians": HOSTILE_QUERIES["medians"],
}
