"""Questions on the datasets of `series_data`, written with their right queries before the engine could answer them.

Every second question is of the half that was run only at the end.
"""

from __future__ import annotations

from typing import NamedTuple


class Case(NamedTuple):
    """A question, or a question after others, with the query of which each column must be in the answer.

    gold: empty: the question must be refused.
    """

    table: str
    question: str
    gold: str
    before: tuple[str, ...] = ()


_ACME = "FROM closes WHERE symbol = 'ACME'"
_BOLT = "FROM closes WHERE symbol = 'BOLT'"
_CRUX = "FROM closes WHERE symbol = 'CRUX'"
_IN_2023 = "ts >= '2023-01-01' AND ts < '2024-01-01'"
_RETURNS = "(SELECT ts, symbol, close, close - lag(close) OVER w AS d, (close / lag(close) OVER w - 1) * 100 AS r FROM closes WINDOW w AS (PARTITION BY symbol ORDER BY ts)) x"
_PRICES = "(SELECT ts, close, (close / lag(close) OVER (ORDER BY ts) - 1) * 100 AS r FROM nordex) x"
_MONTHS = "(SELECT m, (c / lag(c) OVER (ORDER BY m) - 1) * 100 AS r FROM (SELECT DISTINCT ON (date_trunc('month', ts)) date_trunc('month', ts) AS m, close AS c {} ORDER BY date_trunc('month', ts), ts DESC) a) b"


def _ends(rows: str) -> str:
    return f"SELECT (b.close / a.close - 1) * 100 FROM (SELECT close {rows} ORDER BY ts LIMIT 1) a, (SELECT close {rows} ORDER BY ts DESC LIMIT 1) b"


QUESTIONS = [
    Case("closes", "What is the latest close of ACME?", f"SELECT close {_ACME} ORDER BY ts DESC LIMIT 1"),
    Case(
        "closes",
        "latest price for each symbol",
        "SELECT DISTINCT ON (symbol) symbol, close FROM closes ORDER BY symbol, ts DESC",
    ),
    Case("closes", "When did BOLT reach its highest close?", f"SELECT ts {_BOLT} ORDER BY close DESC LIMIT 1"),
    Case(
        "closes",
        "What was the highest close of CRUX in 2023 and when?",
        f"SELECT ts, close {_CRUX} AND {_IN_2023} ORDER BY close DESC LIMIT 1",
    ),
    Case("closes", "By how much did ACME rise in 2023, in percent?", _ends(f"{_ACME} AND {_IN_2023}")),
    Case(
        "closes",
        "average close per symbol by month in 2024",
        "SELECT date_trunc('month', ts), symbol, avg(close) FROM closes WHERE ts >= '2024-01-01' GROUP BY 1, 2",
    ),
    Case(
        "closes", "30 day moving average of BOLT", f"SELECT ts, avg(close) OVER (ORDER BY ts ROWS 29 PRECEDING) {_BOLT}"
    ),
    Case(
        "closes",
        "biggest one-day drop of ACME",
        f"SELECT ts, d FROM {_RETURNS} WHERE symbol = 'ACME' ORDER BY d LIMIT 1",
    ),
    Case("closes", "ACME's return year to date", _ends(f"{_ACME} AND ts >= '2024-01-01'")),
    Case(
        "closes",
        "maximum drawdown of BOLT",
        f"SELECT min(close / m - 1) * 100 FROM (SELECT close, max(close) OVER (ORDER BY ts) AS m {_BOLT}) x",
    ),
    Case(
        "closes", "volatility of daily returns by symbol", f"SELECT symbol, stddev_samp(r) FROM {_RETURNS} GROUP BY 1"
    ),
    Case(
        "closes",
        "correlation between ACME and CRUX",
        "SELECT corr(a.close, b.close) FROM closes a JOIN closes b USING (ts) WHERE a.symbol = 'ACME' AND b.symbol = 'CRUX'",
    ),
    Case(
        "closes",
        "weekly OHLC for ACME in March 2024",
        f"SELECT date_trunc('week', ts), (array_agg(open ORDER BY ts))[1], max(high), min(low), (array_agg(close ORDER BY ts DESC))[1] {_ACME} AND ts >= '2024-03-01' AND ts < '2024-04-01' GROUP BY 1",
    ),
    Case(
        "closes",
        "Which weekday has the highest average volume?",
        "SELECT extract(isodow FROM ts), avg(volume) FROM closes GROUP BY 1 ORDER BY 2 DESC LIMIT 1",
    ),
    Case(
        "closes",
        "close of CRUX as of 2023-07-02",
        f"SELECT close {_CRUX} AND ts < '2023-07-03' ORDER BY ts DESC LIMIT 1",
    ),
    Case(
        "closes",
        "Compare ACME and BOLT by year",
        "SELECT date_trunc('year', ts), symbol, avg(close) FROM closes WHERE symbol IN ('ACME', 'BOLT') GROUP BY 1, 2",
    ),
    Case(
        "closes",
        "last close of each month for ACME in 2023",
        f"SELECT DISTINCT ON (date_trunc('month', ts)) date_trunc('month', ts), close {_ACME} AND {_IN_2023} ORDER BY date_trunc('month', ts), ts DESC",
    ),
    Case("closes", "On how many days did BOLT close above 120?", f"SELECT count(*) {_BOLT} AND close > 120"),
    Case(
        "closes",
        "longest winning streak of ACME",
        f"SELECT max(n) FROM (SELECT count(*) AS n FROM (SELECT sum(CASE WHEN d > 0 THEN 0 ELSE 1 END) OVER (ORDER BY ts) AS g, d FROM {_RETURNS} WHERE symbol = 'ACME') y WHERE d > 0 GROUP BY g) z",
    ),
    Case("closes", "When did CRUX first close below 54?", f"SELECT min(ts) {_CRUX} AND close < 54"),
    Case("closes", "top 5 days by volume for BOLT", f"SELECT ts, volume {_BOLT} ORDER BY volume DESC LIMIT 5"),
    Case(
        "closes",
        "monthly returns of ACME in 2023",
        f"SELECT m, r FROM {_MONTHS.format(_ACME)} WHERE m >= '2023-01-01' AND m < '2024-01-01'",
    ),
    Case(
        "closes",
        "total volume per symbol last year",
        f"SELECT symbol, sum(volume) FROM closes WHERE {_IN_2023} GROUP BY 1",
    ),
    Case(
        "closes",
        "Which symbol gained the most in 2023?",
        f"SELECT symbol FROM (SELECT symbol, max(close) FILTER (WHERE b = 1) / max(close) FILTER (WHERE a = 1) AS r FROM (SELECT symbol, close, row_number() OVER (PARTITION BY symbol ORDER BY ts) a, row_number() OVER (PARTITION BY symbol ORDER BY ts DESC) b FROM closes WHERE {_IN_2023}) x GROUP BY 1) y ORDER BY r DESC LIMIT 1",
    ),
    Case("nordex", "What is the last close?", "SELECT close FROM nordex ORDER BY ts DESC LIMIT 1"),
    Case("nordex", "All-time high and its date", "SELECT ts, close FROM nordex ORDER BY close DESC LIMIT 1"),
    Case(
        "nordex",
        "How many days have passed since the all-time high?",
        "SELECT DATE '2024-07-01' - ts::date FROM nordex ORDER BY close DESC LIMIT 1",
    ),
    Case("nordex", "average close by year", "SELECT date_trunc('year', ts), avg(close) FROM nordex GROUP BY 1"),
    Case(
        "nordex",
        "year over year change of the average close by month in 2023",
        "SELECT a.m, (a.v / b.v - 1) * 100 FROM (SELECT date_trunc('month', ts) AS m, avg(close) AS v FROM nordex GROUP BY 1) a JOIN (SELECT date_trunc('month', ts) AS m, avg(close) AS v FROM nordex GROUP BY 1) b ON b.m = a.m - interval '1 year' WHERE a.m >= '2023-01-01' AND a.m < '2024-01-01'",
    ),
    Case(
        "nordex",
        "worst month since 2021",
        f"SELECT m, r FROM {_MONTHS.format('FROM nordex')} WHERE m >= '2021-01-01' ORDER BY r LIMIT 1",
    ),
    Case(
        "nordex",
        "200 day moving average since 2023",
        "SELECT ts, a FROM (SELECT ts, avg(close) OVER (ORDER BY ts ROWS 199 PRECEDING) AS a FROM nordex) x WHERE ts >= '2023-01-01'",
    ),
    Case(
        "nordex",
        "What was the close on 15 March 2023?",
        "SELECT close FROM nordex WHERE ts >= '2023-03-15' AND ts < '2023-03-16'",
    ),
    Case(
        "nordex",
        "How much did the close change between January 2022 and June 2023?",
        "SELECT b.close - a.close FROM (SELECT close FROM nordex WHERE ts >= '2022-01-01' ORDER BY ts LIMIT 1) a, (SELECT close FROM nordex WHERE ts < '2023-07-01' ORDER BY ts DESC LIMIT 1) b",
    ),
    Case(
        "nordex", "annualized volatility in 2023", f"SELECT stddev_samp(r) * sqrt(252) FROM {_PRICES} WHERE {_IN_2023}"
    ),
    Case(
        "nordex",
        "drawdown over time in 2022",
        "SELECT ts, d FROM (SELECT ts, (close / max(close) OVER (ORDER BY ts) - 1) * 100 AS d FROM nordex WHERE ts >= '2022-01-01' AND ts < '2023-01-01') x",
    ),
    Case(
        "nordex",
        "first and last close of each year",
        "SELECT date_trunc('year', ts), (array_agg(close ORDER BY ts))[1], (array_agg(close ORDER BY ts DESC))[1] FROM nordex GROUP BY 1",
    ),
    Case(
        "nordex",
        "highest close per quarter of 2023",
        f"SELECT date_trunc('quarter', ts), max(close) FROM nordex WHERE {_IN_2023} GROUP BY 1",
    ),
    Case(
        "fuel_prices",
        "latest diesel price",
        "SELECT price FROM fuel_prices WHERE fuel = 'diesel' ORDER BY ts DESC LIMIT 1",
    ),
    Case(
        "fuel_prices",
        "average petrol price per year",
        "SELECT date_trunc('year', ts), avg(price) FROM fuel_prices WHERE fuel = 'petrol' GROUP BY 1",
    ),
    Case(
        "fuel_prices",
        "compare diesel and petrol by month in 2022",
        "SELECT ts, fuel, price FROM fuel_prices WHERE ts >= '2022-01-01' AND ts < '2023-01-01'",
    ),
    Case(
        "fuel_prices",
        "In which month was diesel cheapest?",
        "SELECT ts, price FROM fuel_prices WHERE fuel = 'diesel' ORDER BY price LIMIT 1",
    ),
    Case(
        "fuel_prices",
        "How has petrol changed since January 2020?",
        "SELECT b.price - a.price FROM (SELECT price FROM fuel_prices WHERE fuel = 'petrol' AND ts >= '2020-01-01' ORDER BY ts LIMIT 1) a, (SELECT price FROM fuel_prices WHERE fuel = 'petrol' ORDER BY ts DESC LIMIT 1) b",
    ),
    Case(
        "fuel_prices",
        "average price of diesel by month of the year",
        "SELECT extract(month FROM ts), avg(price) FROM fuel_prices WHERE fuel = 'diesel' GROUP BY 1",
    ),
    Case(
        "fuel_prices",
        "correlation of diesel and petrol prices",
        "SELECT corr(a.price, b.price) FROM fuel_prices a JOIN fuel_prices b USING (ts) WHERE a.fuel = 'diesel' AND b.fuel = 'petrol'",
    ),
    Case(
        "greenhouse",
        "latest reading of sensor B",
        "SELECT temperature, humidity FROM greenhouse WHERE sensor = 'B' ORDER BY ts DESC LIMIT 1",
    ),
    Case(
        "greenhouse",
        "average temperature by hour of day",
        "SELECT extract(hour FROM ts), avg(temperature) FROM greenhouse GROUP BY 1",
    ),
    Case(
        "greenhouse",
        "max temperature per day for sensor A in April",
        "SELECT date_trunc('day', ts), max(temperature) FROM greenhouse WHERE sensor = 'A' AND ts < '2024-05-01' GROUP BY 1",
    ),
    Case(
        "greenhouse",
        "correlation between temperature and humidity",
        "SELECT corr(temperature, humidity) FROM greenhouse",
    ),
    Case(
        "greenhouse",
        "Are there any gaps in the data of sensor B?",
        "SELECT p, ts FROM (SELECT ts, lag(ts) OVER (ORDER BY ts) AS p FROM greenhouse WHERE sensor = 'B') x WHERE ts - p > interval '90 minutes'",
    ),
    Case(
        "greenhouse",
        "how many hours was sensor C above 30 degrees?",
        "SELECT count(*) FROM greenhouse WHERE sensor = 'C' AND temperature > 30",
    ),
    Case(
        "greenhouse",
        "Which sensor had the highest average humidity in May 2024?",
        "SELECT sensor, avg(humidity) FROM greenhouse WHERE ts >= '2024-05-01' GROUP BY 1 ORDER BY 2 DESC LIMIT 1",
    ),
    Case(
        "greenhouse",
        "24 hour rolling average of the temperature of sensor A",
        "SELECT ts, avg(temperature) OVER (ORDER BY ts RANGE interval '23 hours' PRECEDING) FROM greenhouse WHERE sensor = 'A'",
    ),
    Case(
        "greenhouse",
        "difference between the highest and lowest temperature per day for sensor B",
        "SELECT date_trunc('day', ts), max(temperature) - min(temperature) FROM greenhouse WHERE sensor = 'B' GROUP BY 1",
    ),
    Case(
        "greenhouse",
        "longest time sensor A stayed below 12 degrees",
        "SELECT max(n) FROM (SELECT count(*) AS n FROM (SELECT temperature, sum(CASE WHEN temperature < 12 THEN 0 ELSE 1 END) OVER (ORDER BY ts) AS g FROM greenhouse WHERE sensor = 'A') y WHERE temperature < 12 GROUP BY g) z",
    ),
    Case(
        "greenhouse",
        "Plot humidity of sensor B over time",
        "SELECT date_trunc('day', ts), avg(humidity) FROM greenhouse WHERE sensor = 'B' GROUP BY 1",
    ),
    Case(
        "meter",
        "total kwh per day in February",
        "SELECT date_trunc('day', ts), sum(kwh) FROM meter WHERE ts >= '2024-02-01' AND ts < '2024-03-01' GROUP BY 1",
    ),
    Case("meter", "average kwh by weekday", "SELECT extract(isodow FROM ts), avg(kwh) FROM meter GROUP BY 1"),
    Case(
        "meter",
        "Which hour of the day has the highest kwh on average?",
        "SELECT extract(hour FROM ts), avg(kwh) FROM meter GROUP BY 1 ORDER BY 2 DESC LIMIT 1",
    ),
    Case("meter", "peak kwh and when it happened", "SELECT ts, kwh FROM meter ORDER BY kwh DESC LIMIT 1"),
    Case(
        "meter",
        "cumulative kwh by day in January",
        "SELECT d, sum(v) OVER (ORDER BY d) FROM (SELECT date_trunc('day', ts) AS d, sum(kwh) AS v FROM meter WHERE ts < '2024-02-01' GROUP BY 1) x",
    ),
    Case("meter", "minimum voltage in March", "SELECT min(voltage) FROM meter WHERE ts >= '2024-03-01'"),
    Case(
        "meter",
        "longest gap between readings",
        "SELECT p, ts FROM (SELECT ts, lag(ts) OVER (ORDER BY ts) AS p FROM meter) x WHERE p IS NOT NULL ORDER BY ts - p DESC LIMIT 1",
    ),
    Case("web_traffic", "visits per month", "SELECT date_trunc('month', ts), sum(visits) FROM web_traffic GROUP BY 1"),
    Case(
        "web_traffic",
        "compare visits in 2023 and 2024",
        "SELECT date_trunc('year', ts), sum(visits) FROM web_traffic GROUP BY 1",
    ),
    Case(
        "web_traffic",
        "7 day moving average of signups",
        "SELECT ts, avg(signups) OVER (ORDER BY ts ROWS 6 PRECEDING) FROM web_traffic",
    ),
    Case(
        "web_traffic",
        "month over month growth of visits",
        "SELECT m, (v / lag(v) OVER (ORDER BY m) - 1) * 100 FROM (SELECT date_trunc('month', ts) AS m, sum(visits) AS v FROM web_traffic GROUP BY 1) x",
    ),
    Case("web_traffic", "busiest day by visits", "SELECT ts, visits FROM web_traffic ORDER BY visits DESC LIMIT 1"),
    Case(
        "web_traffic", "which days had more than 2000 visits?", "SELECT ts, visits FROM web_traffic WHERE visits > 2000"
    ),
    Case(
        "web_traffic",
        "95th percentile of visits",
        "SELECT percentile_cont(0.95) WITHIN GROUP (ORDER BY visits) FROM web_traffic",
    ),
    Case(
        "web_traffic",
        "what day had the fewest signups in 2023",
        f"SELECT ts, signups FROM web_traffic WHERE {_IN_2023} AND signups = (SELECT min(signups) FROM web_traffic WHERE {_IN_2023})",
    ),
    Case("web_traffic", "When does the data start and end?", "SELECT min(ts), max(ts) FROM web_traffic"),
    Case(
        "web_traffic",
        "average visits on weekends in 2024",
        "SELECT avg(visits) FROM web_traffic WHERE ts >= '2024-01-01' AND extract(isodow FROM ts) > 5",
    ),
]

# Written after the engine, for what was added while it was tuned: no part of the measured halves.
FURTHER = [
    Case(
        "closes",
        "What was the average price of each stock in 2023?",
        f"SELECT symbol, avg(close) FROM closes WHERE {_IN_2023} GROUP BY 1",
    ),
    Case(
        "closes", "52 week high of ACME", f"SELECT ts, close {_ACME} AND ts >= '2023-06-30' ORDER BY close DESC LIMIT 1"
    ),
    Case(
        "closes",
        "average price per stock per year",
        "SELECT symbol, date_trunc('year', ts), avg(close) FROM closes GROUP BY 1, 2",
    ),
    Case(
        "closes",
        "monthly closing prices of CRUX",
        f"SELECT DISTINCT ON (date_trunc('month', ts)) date_trunc('month', ts), close {_CRUX} ORDER BY date_trunc('month', ts), ts DESC",
    ),
    Case(
        "closes",
        "on how many days did ACME rise in 2023",
        f"SELECT count(*) FROM {_RETURNS} WHERE symbol = 'ACME' AND d > 0 AND {_IN_2023}",
    ),
    Case("closes", "what is the price of ACME compared to a year ago", _ends(f"{_ACME} AND ts >= '2023-06-29'")),
    Case("closes", "how many symbols are there", "SELECT count(DISTINCT symbol) FROM closes"),
    Case(
        "closes",
        "monthly high and low of ACME",
        f"SELECT date_trunc('month', ts), max(close), min(close) {_ACME} GROUP BY 1",
    ),
    Case(
        "closes",
        "highest close of each year and when for ACME",
        f"SELECT DISTINCT ON (date_trunc('year', ts)) date_trunc('year', ts), ts, close {_ACME} ORDER BY date_trunc('year', ts), close DESC",
    ),
    Case("nordex", "average daily return", f"SELECT avg(r) FROM {_PRICES}"),
    Case(
        "nordex",
        "which year had the best return",
        "SELECT y, (c / lag(c) OVER (ORDER BY y) - 1) * 100 FROM (SELECT DISTINCT ON (date_trunc('year', ts)) date_trunc('year', ts) AS y, close AS c FROM nordex ORDER BY date_trunc('year', ts), ts DESC) x ORDER BY 2 DESC NULLS LAST LIMIT 1",
    ),
    Case(
        "nordex",
        "What was the closing value on the last trading day of 2022?",
        "SELECT close FROM nordex WHERE ts < '2023-01-01' ORDER BY ts DESC LIMIT 1",
    ),
    Case(
        "fuel_prices",
        "difference between petrol and diesel by year",
        "SELECT date_trunc('year', ts), avg(price) FILTER (WHERE fuel = 'petrol') - avg(price) FILTER (WHERE fuel = 'diesel') FROM fuel_prices GROUP BY 1",
    ),
    Case(
        "greenhouse",
        "hourly average temperature on May 3rd",
        "SELECT ts, avg(temperature) FROM greenhouse WHERE ts >= '2024-05-03' AND ts < '2024-05-04' GROUP BY 1",
    ),
    Case(
        "greenhouse",
        "hottest hour of the day",
        "SELECT extract(hour FROM ts), avg(temperature) FROM greenhouse GROUP BY 1 ORDER BY 2 DESC LIMIT 1",
    ),
    Case(
        "greenhouse",
        "average temperature weekdays vs weekends",
        "SELECT avg(temperature) FROM greenhouse GROUP BY extract(isodow FROM ts) > 5",
    ),
    Case(
        "meter", "average daily consumption", "SELECT avg(v) FROM (SELECT sum(kwh) AS v FROM meter GROUP BY ts::date) x"
    ),
    Case(
        "meter", "highest daily consumption", "SELECT ts::date, sum(kwh) FROM meter GROUP BY 1 ORDER BY 2 DESC LIMIT 1"
    ),
    Case(
        "web_traffic",
        "signups per visit by month",
        "SELECT date_trunc('month', ts), sum(signups) * 1.0 / sum(visits) FROM web_traffic GROUP BY 1",
    ),
    Case(
        "web_traffic",
        "rolling 30 day total of visits",
        "SELECT ts, sum(visits) OVER (ORDER BY ts ROWS 29 PRECEDING) FROM web_traffic",
    ),
    # Readings that would drop a word, or need another definition.
    Case("nordex", "returns on mondays", ""),
    Case("nordex", "monthly returns by year", ""),
    Case("nordex", "high of the day", ""),
    Case("closes", "average of high and low for ACME", ""),
    Case("web_traffic", "growth of visits in 2023", ""),
    Case("fuel_prices", "price in March by year for diesel", ""),
    Case("greenhouse", "average temperature of all sensors except A", ""),
]

_YEARLY = "SELECT date_trunc('year', ts), avg(close) FROM nordex"
FOLLOW_UPS = [
    Case(
        "nordex",
        "and by month?",
        "SELECT date_trunc('month', ts), avg(close) FROM nordex GROUP BY 1",
        ("average close by year",),
    ),
    Case("nordex", "only 2023", f"{_YEARLY} WHERE {_IN_2023} GROUP BY 1", ("average close by year",)),
    Case(
        "nordex",
        "what about the minimum?",
        "SELECT date_trunc('year', ts), min(close) FROM nordex GROUP BY 1",
        ("average close by year",),
    ),
    Case(
        "greenhouse",
        "and for sensor B?",
        "SELECT avg(temperature) FROM greenhouse WHERE sensor = 'B'",
        ("average temperature of sensor A",),
    ),
    Case(
        "greenhouse",
        "and in May?",
        "SELECT max(temperature) FROM greenhouse WHERE sensor = 'A' AND ts >= '2024-05-01'",
        ("max temperature of sensor A in April 2024",),
    ),
    Case(
        "closes",
        "show the top 3",
        "SELECT ts, volume FROM closes WHERE symbol = 'BOLT' ORDER BY volume DESC LIMIT 3",
        ("top 10 days by volume for BOLT",),
    ),
    Case(
        "web_traffic",
        "why not per week",
        "SELECT date_trunc('week', ts), sum(visits) FROM web_traffic GROUP BY 1",
        ("visits per month",),
    ),
    Case(
        "web_traffic",
        "sort by visits",
        "SELECT date_trunc('month', ts), sum(visits) FROM web_traffic GROUP BY 1",
        ("visits per month",),
    ),
    Case(
        "web_traffic",
        "what about signups?",
        "SELECT date_trunc('month', ts), sum(signups) FROM web_traffic GROUP BY 1",
        ("visits per month",),
    ),
    Case(
        "web_traffic",
        "and the average?",
        "SELECT date_trunc('month', ts), avg(visits) FROM web_traffic GROUP BY 1",
        ("visits per month",),
    ),
    Case(
        "closes", "and BOLT?", f"SELECT close {_BOLT} ORDER BY ts DESC LIMIT 1", ("What is the latest close of ACME?",)
    ),
    Case(
        "closes",
        "and the volume?",
        f"SELECT volume {_ACME} ORDER BY ts DESC LIMIT 1",
        ("What is the latest close of ACME?",),
    ),
    Case(
        "closes",
        "what about the lowest?",
        f"SELECT ts, close {_BOLT} ORDER BY close LIMIT 1",
        ("When did BOLT reach its highest close?",),
    ),
    Case(
        "closes",
        "in 2022?",
        _ends(f"{_ACME} AND ts >= '2022-01-01' AND ts < '2023-01-01'"),
        ("By how much did ACME rise in 2023, in percent?",),
    ),
    Case(
        "closes",
        "now for CRUX",
        f"SELECT ts, avg(close) OVER (ORDER BY ts ROWS 29 PRECEDING) {_CRUX}",
        ("30 day moving average of BOLT",),
    ),
    Case(
        "closes",
        "make it 50 days",
        f"SELECT ts, avg(close) OVER (ORDER BY ts ROWS 49 PRECEDING) {_BOLT}",
        ("30 day moving average of BOLT",),
    ),
    Case(
        "closes",
        "for each symbol",
        "SELECT symbol, date_trunc('month', ts), avg(close) FROM closes GROUP BY 1, 2",
        ("average close by month",),
    ),
    Case(
        "greenhouse",
        "by weekday instead",
        "SELECT extract(isodow FROM ts), avg(temperature) FROM greenhouse GROUP BY 1",
        ("average temperature by hour of day",),
    ),
    Case(
        "greenhouse",
        "only sensor C",
        "SELECT extract(hour FROM ts), avg(temperature) FROM greenhouse WHERE sensor = 'C' GROUP BY 1",
        ("average temperature by hour of day",),
    ),
    Case(
        "greenhouse",
        "which hour is the hottest?",
        "SELECT extract(hour FROM ts), avg(temperature) FROM greenhouse GROUP BY 1 ORDER BY 2 DESC LIMIT 1",
        ("average temperature by hour of day",),
    ),
    Case(
        "meter",
        "and the total?",
        "SELECT extract(isodow FROM ts), sum(kwh) FROM meter GROUP BY 1",
        ("average kwh by weekday",),
    ),
    Case(
        "meter",
        "highest first",
        "SELECT extract(isodow FROM ts), avg(kwh) FROM meter GROUP BY 1",
        ("average kwh by weekday",),
    ),
    Case(
        "meter",
        "since March",
        "SELECT date_trunc('day', ts), sum(kwh) FROM meter WHERE ts >= '2024-03-01' GROUP BY 1",
        ("total kwh per day",),
    ),
    Case("meter", "when was that?", "SELECT ts, voltage FROM meter ORDER BY voltage LIMIT 1", ("minimum voltage",)),
    Case(
        "fuel_prices",
        "and petrol?",
        "SELECT price FROM fuel_prices WHERE fuel = 'petrol' ORDER BY ts DESC LIMIT 1",
        ("latest diesel price",),
    ),
    Case(
        "fuel_prices",
        "compare with petrol",
        "SELECT date_trunc('year', ts), fuel, avg(price) FROM fuel_prices GROUP BY 1, 2",
        ("average diesel price per year",),
    ),
    Case(
        "fuel_prices",
        "by quarter since 2020",
        "SELECT date_trunc('quarter', ts), avg(price) FROM fuel_prices WHERE fuel = 'petrol' AND ts >= '2020-01-01' GROUP BY 1",
        ("average petrol price per year",),
    ),
    Case(
        "web_traffic",
        "only weekends",
        "SELECT date_trunc('month', ts), sum(visits) FROM web_traffic WHERE extract(isodow FROM ts) > 5 GROUP BY 1",
        ("visits per month",),
    ),
    Case(
        "web_traffic",
        "just the last 5",
        "SELECT date_trunc('month', ts), sum(visits) FROM web_traffic WHERE ts >= '2024-02-01' GROUP BY 1",
        ("visits per month",),
    ),
    Case(
        "web_traffic",
        "and 30 days?",
        "SELECT ts, avg(signups) OVER (ORDER BY ts ROWS 29 PRECEDING) FROM web_traffic",
        ("7 day moving average of signups",),
    ),
    Case(
        "nordex",
        "by quarter, for 2022 and 2023",
        "SELECT date_trunc('quarter', ts), avg(close) FROM nordex WHERE ts >= '2022-01-01' AND ts < '2024-01-01' GROUP BY 1",
        ("average close by year",),
    ),
]

_BY_PRODUCT = "SELECT product, {} FROM orders {} GROUP BY 1"
_PAID = "SELECT order_id, amount FROM orders"
# Follow-ups of questions on a table that is no time series.
OF_TABLES = [
    Case(
        "orders",
        "and by status?",
        "SELECT status, sum(amount) FROM orders GROUP BY 1",
        ("total amount of orders by product",),
    ),
    Case(
        "orders",
        "only 2023",
        _BY_PRODUCT.format("sum(amount)", "WHERE order_date < '2024-01-01'"),
        ("total amount of orders by product",),
    ),
    Case(
        "orders",
        "and 2024?",
        "SELECT date_trunc('month', order_date), sum(amount) FROM orders WHERE order_date >= '2024-01-01' GROUP BY 1",
        ("total amount of orders per month in 2023",),
    ),
    Case(
        "orders",
        "what about the quantity?",
        _BY_PRODUCT.format("avg(quantity)", ""),
        ("average amount of orders by product",),
    ),
    Case(
        "orders",
        "what about the minimum?",
        _BY_PRODUCT.format("min(amount)", ""),
        ("average amount of orders by product",),
    ),
    Case(
        "orders",
        "why not per status",
        "SELECT status, count(*) FROM orders GROUP BY 1",
        ("how many orders per product",),
    ),
    Case("orders", "and the lowest?", f"{_PAID} ORDER BY amount LIMIT 5", ("top 5 orders by amount",)),
    Case("orders", "show the top 3", f"{_PAID} ORDER BY amount DESC LIMIT 3", ("top 5 orders by amount",)),
    Case(
        "orders",
        "only paid",
        f"{_PAID} WHERE status = 'paid' ORDER BY amount DESC LIMIT 5",
        ("top 5 orders by amount",),
    ),
    Case(
        "orders",
        "how many are there?",
        "SELECT count(*) FROM orders WHERE amount > 200",
        ("orders with amount over 200",),
    ),
    Case(
        "orders",
        "how many with status paid?",
        "SELECT count(*) FROM orders WHERE amount > 200 AND status = 'paid'",
        ("orders with amount over 200",),
    ),
    Case(
        "orders",
        "show just the product",
        "SELECT product FROM orders ORDER BY amount DESC LIMIT 5",
        ("top 5 orders by amount",),
    ),
    Case("orders", "highest first", _BY_PRODUCT.format("avg(amount)", ""), ("average amount of orders by product",)),
    # An order by what the groups do not have, and an extreme of one figure.
    Case("orders", "sort by order date", "", ("average amount of orders by product",)),
    Case("orders", "and the highest 3?", "", ("average amount of orders",)),
]

REFUSED = [
    Case("closes", "What will ACME close at next month?", ""),
    Case("closes", "forecast the price of BOLT for 2025", ""),
    Case("closes", "Should I buy CRUX?", ""),
    Case("closes", "Is ACME a good investment?", ""),
    Case("closes", "Why did BOLT fall in 2023?", ""),
    Case("closes", "what caused the drop of ACME in March 2024", ""),
    Case("closes", "What is the market cap of ACME?", ""),
    Case("closes", "latest price of ZETA", ""),
    Case("closes", "dividend yield of CRUX", ""),
    Case("closes", "Which stock will perform best next year?", ""),
    Case("closes", "Is BOLT overvalued?", ""),
    Case("closes", "price to earnings ratio of ACME", ""),
    Case("nordex", "Predict the index for the next 30 days", ""),
    Case("nordex", "what is the trading volume of the index in 2023", ""),
    Case("nordex", "what do you think about the index", ""),
    Case("nordex", "when will the close reach 2000?", ""),
    Case("greenhouse", "What is the soil moisture of sensor A?", ""),
    Case("greenhouse", "why is sensor B warmer than sensor A?", ""),
    Case("greenhouse", "latest temperature of sensor Z", ""),
    Case("greenhouse", "will it be hot tomorrow", ""),
    Case("meter", "how much does a kwh cost", ""),
    Case("meter", "expected consumption next week", ""),
    Case("meter", "who used the most electricity?", ""),
    Case("web_traffic", "Which country do the visitors come from?", ""),
    Case("web_traffic", "what explains the growth of visits?", ""),
    Case("web_traffic", "is our bounce rate good?", ""),
    Case("fuel_prices", "latest price of kerosene", ""),
]
