"""The phrases of questions on time series, as patterns over the marked text of `scanning`."""

from __future__ import annotations

import re

HIGH = (
    "highest|maximum|maximal|max|peaks?|peaked|top|record|largest|biggest|greatest|most expensive|most|best|all time high|hottest|"
    "warmest|busiest|priciest|dearest|wettest|rainiest|windiest|strongest|high point|highs?"
)
LOW = (
    "lowest|minimum|minimal|min|smallest|least expensive|least|fewest|worst|all time low|coldest|coolest|quietest|cheapest|"
    "driest|calmest|weakest|low point|lows?|bottom|trough|bottomed"
)
UNIT = r"(?:minute|hour|day|week|month|quarter|year)"
_AVERAGE = "average|mean|avg"
AGGREGATES = {
    "avg": f"(?:on )?(?:{_AVERAGE}|averages)",
    "sum": "total|sum|totals|overall total|in total|altogether",
    "median": "median",
    "stddev": "standard deviation|std dev|stddev|deviation",
    "min": "minimum|min|minima",
    "max": "maximum|max|maxima",
    "count": "number of (?:readings|rows|records|values|data points|observations|entries|measurements)",
}


def rx(text: str) -> re.Pattern[str]:
    """Compiles a pattern of whole words."""
    return re.compile(rf"(?<= )(?:{text})(?= )")


_OF = "(?: (?:of|in|for|the|to|from|on|by|at|between))*"
_VERB = (
    r"(?:(?:was|were|is|are|be|been|being|stay|stays|stayed|remain|remained|go|goes|went|gone|rise|rises|rose|risen|fall|falls|fell|fallen|drop|drops|"
    r"dropped|close|closed|closes|get|got|climb|climbed|traded|trade|ever|had|has|have|did|C\d+) )*"
)
_OVER = "above|over|more than|greater than|higher than|larger than|exceed|exceeds|exceeded|exceeding|in excess of|crossed above|cross above|surpassed|surpass|>"
_UNDER = "below|under|less than|lower than|fewer than|smaller than|crossed below|cross below|<"
_LEAST = "at least|reach|reached|reaches|hit|hits|no less than|>="
_MOST = "at most|no more than|up to|<="
_AMOUNT = (
    "degrees|degree|celsius|dollars|usd|euros|percent|points|kwh|volts|volt|watts|times|cm|mm|m|meters|metres|km|mb|gb|kb|ms|hpa|bar|psi|"
    "kw|mw|mph|kmh|db|ppm|units|litres|liters|kg|°c"
)
THRESHOLD = rx(
    rf"{_VERB}(?:(?P<over>{_OVER})|(?P<under>{_UNDER})|(?P<least>{_LEAST})|(?P<most>{_MOST})) (?:a |the )?N(?P<n>\d+)"
    rf"(?! (?:{UNIT})s?\b)(?: (?:{_AMOUNT}))?(?: (?:a )?(?P<c>C\d+))?"
)
BETWEEN = rx(rf"{_VERB}between N(?P<n>\d+) and N(?P<m>\d+)(?: (?:{_AMOUNT}))?(?: (?P<c>C\d+))?")
OR_MORE = rx(r"N(?P<n>\d+) or (?P<way>more|less|fewer|above|below|higher|lower)(?: (?P<c>C\d+))?")

MOVING = rx(
    rf"(?:moving|rolling|trailing) N(?P<n3>\d+) (?P<u3>{UNIT})s? (?P<f2>{_AVERAGE}|sum|total|maximum|minimum|max|min)|(?:N(?P<n>\d+) (?P<u>{UNIT})s? )?(?:simple |trailing )?(?:moving|rolling|trailing|running) (?P<f>{_AVERAGE}|median|sum|total|maximum|minimum|max|min|standard deviation|stddev|std dev|std|volatility)"
    rf"(?:(?: (?:of|over|for|with|a|the|last|window))* N(?P<n2>\d+) (?P<u2>{UNIT})s?)?"
)
WINDOW = rx(rf"(?:(?:over|with|of|using) )?(?:a |the )?(?:window of )?N(?P<n>\d+) (?P<u>{UNIT})s?(?: window)?")
DIFFERENCE = rx(
    r"(?:price |average )?(?:difference|differences|spread|gap|delta)(?: (?:in|of) (?P<c>C\d+))? between (?:the )?(?P<a>(?:L\d+ )?[CV]\d+) and (?:the )?(?P<b>(?:L\d+ )?[CV]\d+)|C\d+ minus C\d+"
)
RATIO = rx(
    r"(?:ratio (?:of |between )?)?(?P<a>C\d+) (?:per|divided by|over|to|and|as (?:a )?(?P<share>share|percentage|percent|proportion|fraction) of|/) (?P<b>C\d+)"
)
RATIO_WORD = rx("ratio|per|divided|as")
YEAR_HIGH = rx(r"N(?P<n>\d+) (?P<u>week|month|day|year)s? (?P<way>high|low|highs|lows|maximum|minimum)")
HOW_MEASURED = rx(r"how(?= C\d)")
CUMULATIVE = rx("cumulative|cumulated|accumulated|running total|cumulative total|cumulative sum|cumsum|running sum")
DRAWDOWN = rx(
    f"(?P<most>(?:{HIGH}|worst|deepest) )?(?:drawdowns?|draw downs?|drop from (?:its |the )?peak|peak to trough (?:decline|loss|drop|fall))(?P<all>{_OF} over time)?"
)
OVER_TIME = rx(
    "over time|over the period|over the whole period|through time|time series|history|historical|trend|trends|development|evolution|evolve|evolved|course"
)
VOLATILITY = rx(
    f"(?P<annual>annuali[sz]ed |annual )?(?:(?:daily|historical|realized|price|weekly|monthly) )?volatility(?:{_OF} (?:daily )?(?:returns|changes))?|standard deviation of (?:the )?(?:daily )?(?:returns|changes)"
)
VOLATILE = rx("(?P<way>most|least) volatile")
CORRELATION = rx(
    "(?:how (?:strongly )?)?(?:correlation|correlations|correlated|correlate|correlates|correlation coefficient)(?: (?:between|of|with|to|strongly|is|are|the))*"
)
OF_RETURNS = rx("(?:(?:daily|monthly) )?(?:returns|changes)(?: (?:of|in|for|between))*")
GAPS = rx(
    f"(?P<long>(?:{HIGH}|longest) )?(?:(?:data )?gaps?|outages?|missing (?:data|days|hours|readings|values|rows|dates|periods|timestamps|measurements)|interruptions?)(?:{_OF} (?:data|readings|measurements|series|values|rows))*"
)
OHLC = rx("ohlc|ohlcv|open high low close|candles?|candlesticks?|candle sticks?")
ROWWISE = "streak|run|stretch|spell|series|period|time|sequence"
RUN = rx(
    rf"longest(?: (?P<way>winning|losing|rising|falling|up|down|growth|upward|downward))? (?:{ROWWISE})(?: (?:of|in|with))*"
    rf"(?: (?:consecutive|successive|straight|{UNIT}s?|hours|row|a|the|in))*"
)
IN_A_ROW = rx(rf"(?:most|how many|maximum|longest)(?: number of)? (?:consecutive )?{UNIT}s (?:in a row)?")
RISING = rx(
    "(?:rising|increasing|gains|gaining|positive|up|winning|closed higher than the day before|growth)(?: (?:days|returns|values|closes))?"
)
FALLING = rx(
    "(?:falling|decreasing|losses|losing|negative|down|declining|closed lower than the day before)(?: (?:days|returns|values|closes))?"
)
SINCE = rx(
    "how (?:many days|long)(?: (?:have|has|is|it|been|passed|ago|was|gone|by|elapsed))*(?: (?:since|was))(?: (?:the|its|last|latest|most recent|time))*"
)
FIRST_TIME = rx(rf"(?:for the )?(?:very )?first(?: (?:time|date|{UNIT}))?(?: (?:that|it|when))?|earliest")
LAST_TIME = rx(rf"(?:for the )?last(?: (?:time|date|{UNIT}))?(?: (?:that|it|when))?|most recently|latest")
WHEN = rx(
    "(?:and|with) (?:the |its |their )?(?:dates?|times?|days?|timestamps?)(?: of (?:it|that|each))?|(?:and |on |at |in )?(?:when|(?:what|which) (?:date|time|moment)|the (?:date|time|moment)|(?:and|on) the day|its date|its time|the dates?|date of (?:it|that))(?: (?:it|that|this) (?:was|happened|occurred))?(?: (?:did|was|were|is|has|does))?"
)
_UP_DAYS = "up|positive|rising|winning|green|gaining"
_DOWN_DAYS = "down|negative|falling|losing|red|declining"
_ROSE = "rise|rose|risen|gain|gained|increase|increased|go up|went up|close up|closed up|close higher|closed higher|C\\d+ up|C\\d+ higher"
_FELL = "fall|fell|fallen|drop|dropped|decline|declined|decrease|decreased|lose|lost|go down|went down|close down|closed down|close lower|closed lower|C\\d+ down|C\\d+ lower"
_BEFORE = "(?: than (?:on )?(?:the )?(?:day|week|month|hour|year|one) before| than (?:the )?(?:previous|prior|last) (?:day|week|month|hour|year))?"
MOVES = rx(
    rf"(?:(?P<share>share|percentage|percent|proportion|fraction) of|(?:on )?how many|the number of|number of|count of) (?:the )?(?:(?:(?P<up>{_UP_DAYS})|(?P<down>{_DOWN_DAYS})) (?P<u>{UNIT})s?|(?P<u2>{UNIT})s(?= .*(?:{_ROSE}|{_FELL}) ))"
)
MOVED = rx(rf"(?:(?P<up>{_ROSE})|(?P<down>{_FELL})){_BEFORE}")
MEAN_STEP = rx(
    rf"(?P<f>{_AVERAGE}|median) (?:absolute )?(?P<u>daily|weekly|monthly|quarterly|yearly|annual|hourly) (?:price |percentage |percent )*(?:change|changes|growth|return|returns|move|moves|increase|decrease|gain|loss)|(?P<f2>{_AVERAGE}|median) (?:returns?|changes?|growth) (?:per|by|from) (?P<u2>{UNIT})(?: to (?:the next|{UNIT}))?"
)
ENDS_DIFFERENCE = rx(
    "(?:difference|change) between (?:the )?(?:first|last|latest|opening|closing) and (?:the )?(?:first|last|latest|opening|closing)"
)
BOUNDS = rx(
    "(?:(?:what|which) (?:is|was) )?(?:the )?(?:most recent|latest|last|newest|earliest|first|oldest) (?:date|timestamp|time stamp)(?: (?:in|of) the data)?|"
    "(?:when|what) (?:does|do|did|is|was) (?:the |this )?(?:data|series|record|records|T\\d+|dataset|readings|time)?(?: (?:start|begin|range|period))?(?: and (?:when does it |when do they )?(?:end|stop))|"
    "(?:when) (?:does|do|did) (?:the |this )?(?:data|series|record|records|T\\d+|dataset|readings|time)(?: series)? (?:start|begin|end|stop)|"
    "(?:date range|time range|timespan|time span|time frame|first and last (?:date|time|timestamp|day)s?|start and end (?:date|time)?s?)|"
    "(?:what|which) (?:time |period|dates?|time period|range)*(?: of time)?(?: (?:does|do|is))?(?: the)?(?: (?:data|T\\d+))? (?:cover|covers|covered)"
)
RANGE = rx(
    f"(?:difference|spread|gap|distance) between (?:the |its )?(?:{HIGH}|{LOW}) and (?:the |its )?(?:{LOW}|{HIGH})|"
    "(?:min max )?range|amplitude|swing|high low (?:range|spread)"
)
PERCENTILE = rx(r"(?P<p>\d+)(?:st|nd|rd|th) percentile|percentile N(?P<q>\d+)|p(?P<r>\d\d)")
_CHANGES = "change|changes|growth|return|returns|difference|differences|move|moves|increase|increases|performance|gain|gains|loss|losses"
YEARS_BEFORE = rx(
    f"(?:year over year|year on year|yoy|y y)(?: (?:{_CHANGES}))?|"
    f"(?:compared|versus|vs|relative|against)(?: (?:to|with))? (?:the )?(?:same (?:month|period|quarter|week|time) )?(?:of |in )?(?:the )?(?:last|previous|prior|preceding) year|"
    "the same month"
)
STEPS = {
    "day": "day over day|day to day|daily|day on day|dod",
    "week": "week over week|weekly|week on week|wow|week to week",
    "month": "month over month|month on month|monthly|mom|month to month",
    "quarter": "quarter over quarter|quarterly|qoq|quarter on quarter",
    "year": "yearly|annual|calendar year|year to year",
    "hour": "hourly|hour over hour|hour to hour",
}
GROWTH = {
    unit: rx(f"(?:{words})(?: (?:percentage|percent|price|relative|{_CHANGES}|C\\d+))*? (?:{_CHANGES}|growth rates?)|(?:{words.split('|')[0]})(?: (?:{_CHANGES}))?" if unit in ("month", "week", "quarter") else f"(?:{words})(?: (?:percentage|percent|price|relative))? (?:{_CHANGES}|growth rates?)|(?:{words.split('|')[0]})")
    for unit, words in STEPS.items() if unit not in ("year", "hour")
} | {
    unit: rx(f"(?:{STEPS[unit]})(?: (?:percentage|percent|price))? (?:{_CHANGES}|growth rates?)") for unit in ("year", "hour")
}  # fmt: skip
_DOWN = "drops?|falls?|declines?|loss|losses|decreases?|dips?|crash|crashes|plunges?"
_UP = "gains?|rises?|jumps?|increases?|climbs?|surges?|growth|spikes?"
STEP_EXTREME = rx(
    rf"(?:N(?P<k>\d+) )?(?P<most>{HIGH}|worst|sharpest|steepest)(?: N(?P<k2>\d+))?(?: (?:percentage|percent|relative))?(?: (?:one|single|1|a|N\d+))?(?: (?P<u>{UNIT}|daily|weekly|monthly|hourly|yearly|quarterly))?"
    rf"(?: (?:price|percentage|percent|C\d+))? (?:(?P<down>{_DOWN})|(?P<up>{_UP})|(?P<any>changes?|moves?|returns?))(?: (?:in|on) (?:a|one) (?:single )?(?P<u2>{UNIT}))?(?: from one (?P<u3>{UNIT}) to the next)?"
)
BEST_PERIOD = rx(rf"(?:N(?P<k>\d+) )?(?P<way>best|worst)(?: N(?P<k2>\d+))?(?: (?:performing|trading))? (?P<u>{UNIT})s?")
_CHANGED = (
    "growth rates?|rates? of (?:return|growth)|change|changed|changes|rise|rose|risen|gain|gained|gains|fall|fell|fallen|drop|dropped|grow|grew|grown|growth|return|returns|returned|increase|increased|"
    "decrease|decreased|decline|declined|lose|lost|perform|performed|performance|climb|climbed|develop|developed|appreciate|appreciated|move|moved"
)
BEGINNING = rx(r"(?:at )?the (?:beginning|start)(?= (?:of )?P\d)")
CHANGE = rx(
    rf"(?:by )?(?:how much|how many percent|how many (?:dollars|euros|points|degrees|units)|by how many (?:dollars|euros|points|degrees|units)|how|what|by what percentage|by how many percent|percentage|percent|total|overall|absolute)*(?: (?:did|has|have|is|was|the))*(?: (?:percentage|percent|price|total))* ?"
    rf"(?:{_CHANGED})"
)
PERCENT = rx(
    "in percent|in percentage|percentage|percent|%|percentage wise|in relative terms|in %|relative|in percentage terms|percentage change"
)
_FALL = "fall|fell|drop|dropped|decline|declined|lose|lost|decrease|decreased|sink|sank"
_RISE = "rise|rose|gain|gained|grow|grew|increase|increased|climb|climbed|jump|jumped"
UNIT_MOST = rx(
    rf"(?:(?:on |in |during )?(?:which|what) (?P<u>{UNIT})|when) (?:did |has |have )?(?:the )?(?P<said>(?:[CVLT]\d+ )*)(?:(?P<down>{_FALL})|(?P<up>{_RISE})) (?:the )?most"
    rf"(?: in (?:a|one) (?:single )?(?P<u2>{UNIT}))?"
)
CHANGED_MOST = rx(
    "(?:(?P<up>gained|rose|grew|increased|returned|climbed|performed|changed)|(?P<down>lost|fell|dropped|declined|decreased)) (?:the )?(?P<way>most|least|best|worst)|(?P<best>best|worst) (?:performing|performer|performance|return)|(?P<ret>highest|lowest) (?:return|growth|gain)"
)
LATEST = rx(
    "(?:the )?(?:latest|most recent|newest|current|currently|right now|now|as of now|at the moment|at present)(?: N(?P<n>\\d+))?|"
    "(?:the )?last N(?P<n2>\\d+)|(?:on )?(?:the )?last (?:trading |business )?day|last"
)
FIRST = rx(
    "(?:on )?(?:the )?first (?:trading |business )?day|(?:the )?(?:first|earliest|oldest|initial|starting|opening)(?: N(?P<n>\\d+))?"
)
BOTH = rx("first and (?:the )?last|opening and closing|start and end|beginning and end|last and first")
AT_END = rx(f"(?P<u>{UNIT}) end|end of (?:the |each |every )?(?P<u2>{UNIT})")
AS_OF = rx("as P(?P<p>\\d+)|as of P(?P<p2>\\d+)|(?:at )?the end P(?P<p3>\\d+)")
EXTREME = rx(
    rf"(?:(?:top|bottom) )?N(?P<n>\d+) (?P<way>{HIGH}|{LOW})|(?P<way2>{HIGH}|{LOW}) N(?P<n2>\d+)|(?P<way3>{HIGH}|{LOW})(?: (?:ever|so far))?"
)
TOP_UNITS = rx(
    rf"N(?P<n2>\d+) (?P<u2>{UNIT})s? (?:with|of|by|having) (?:the )?(?P<way2>{HIGH}|{LOW})|(?P<way>{HIGH}|{LOW}) N(?P<n>\d+) (?P<u>{UNIT})s?(?: (?:by|with|in terms of))?(?: (?:the )?(?:{HIGH}|{LOW}))?"
)
DAY_WITH = rx(rf"(?P<u>{UNIT})s? (?:had|has|have|having|with|of|was|is|were|saw|did|does|are)(?: (?:the|there))*")
# A unit right behind a superlative that was taken: `hottest day`.
UNIT_BESIDE = re.compile(rf"(?<= ; )(?P<u>{UNIT})s?(?: (?:by|for|in terms of))?(?= )")
PARTS = {
    "hour": "(?:the )?(?:hours? of (?:the )?day|time of (?:the )?day)",
    "weekday": "(?:the )?(?:weekdays?|days? of (?:the )?week)",
    "month": "(?:the )?(?:months? of (?:the )?year|calendar months?|season)",
}
WHICH = r"(?:which|what|in which|in what|on which|on what|at which|at what|the)"
_ITEM = rf"(?:the )?(?:L\d+s?|{'|'.join(PARTS.values())}|{UNIT}s?)"
PER = r"(?:broken down by|grouped by|split by|group by|by the|by|per|for each|for every|of each|of every|in each|in every|on each|each|every|at each|across|for all|over the|of all|within each|at the end of each)"
GROUPED = rx(rf"{PER} (?P<items>{_ITEM}(?:(?: ;)?(?: and| per| by| for each| ;)* {_ITEM})*)")
ADVERBS = {
    "year": "yearly|annual|annually",
    "quarter": "quarterly",
    "month": "monthly",
    "week": "weekly",
    "day": "daily",
    "hour": "hourly",
}
BY_ADVERB = {unit: rx(words) for unit, words in ADVERBS.items()}
BY_PART = {name: rx(rf"(?:{PER} )?{words}") for name, words in PARTS.items()}
WHICH_LABEL = rx(r"(?:which|what) (?:of the )?(?P<l>L\d+)s?(?: (?:had|has|have|was|is|were|saw|did))?")
WHICH_PART = {
    name: rx(rf"{WHICH} {words}(?: (?:had|has|have|was|is|were|saw|did|does))?") for name, words in PARTS.items()
}
WHICH_UNIT = rx(
    rf"(?:which|what|in which|in what|on which|on what|at which|at what|during which) (?P<u>{UNIT})s?(?: (?:had|has|have|was|is|were|saw|did|does))?"
)
WEEKEND_OR_NOT = rx(
    "(?:on )?(?:weekends?|weekdays?)(?: days)? (?:vs|versus|and|or|against|compared to|compared with|than)(?: on)? (?:weekends?|weekdays?)"
)
WEEKEND = rx("(?:on |only |at |during )*(?:the )?weekends?(?: only| days)?|(?:on |only )*saturdays? and sundays?")
WEEKDAYS = rx(
    "(?:on |only )+(?:weekdays|working days|workdays|business days)|(?:on )?(?:working days|workdays|business days)(?: only)?"
)
ON_DAY = rx("(?:on |only |for )*(?P<d>monday|tuesday|wednesday|thursday|friday|saturday|sunday)s?")
HOW_MANY = rx(
    rf"(?:on |for |during )?(?:how many|the total number of|total number of|total(?= (?:hours|days|weeks|months) )|the number of|number of|count of) (?:(?:trading|business|different|full) )?(?P<u>{UNIT})s?(?: (?:are|were) there)?(?: (?:when|where|that|with|on which))?"
)
HOW_MANY_LABELS = rx(
    r"(?:how many|the number of|number of|count of|count the|count) (?:(?:different|distinct|unique|the) )*L(?P<l>\d+)s?(?: (?:are|were) there)?"
)
LABELS = rx(
    r"(?:(?:which|what|list|show|all|the|me|give|different|distinct|unique|available|names? of) )+L(?P<l>\d+)s?(?: (?:are|is) (?:there|available|in the data|in))?"
)
_FIGURE = rf"{_AVERAGE}|median|total|sum|{HIGH}|{LOW}"
SEVERAL = rx(rf"(?:{_FIGURE})(?:(?: ;| and| plus| as well as)+(?: the)? (?:{_FIGURE}))+")
FIGURE = re.compile(rf"(?<!\S)(?:{_FIGURE})(?!\S)")
SEASONAL = rx(r"(?:seasonality|seasonal (?:pattern|profile|averages?))(?: (?:by|per) (?:month|calendar month))?")
DAILY_PROFILE = rx("(?:hourly|daily|intraday|diurnal) (?:profile|pattern|cycle)")
FULL_CHANGE = rx("(?:cumulative|total|overall) (?:percentage |percent |price )?(?:return|change|growth|gain|loss)")
DID = rx(
    "how (?:did|has|have|is|was)(?= .* (?:do|done|doing|fare|fared|perform|performed|change|changed|develop|developed|evolve|evolved|move|moved|go|gone) )"
)
DONE = rx("(?:do|done|doing|fare|fared|go|gone)")
YEAR_AGO = rx(
    "(?:compared (?:to|with)|versus|vs|than|relative to|against|from) (?:a|one) year (?:ago|earlier|before)|(?:over|in) (?:the )?(?:12 months|one year)"
)
HOW_MANY_ROWS = rx(
    "how many (?:readings|rows|records|data points|observations|entries|measurements|values|T\\d+)(?: (?:are|were) there)?|number of (?:readings|rows|records|data points|observations|entries|measurements)|how often|how many times"
)
WHICH_ROWS = rx(
    rf"(?:(?:list|show|which|what|all|the|find|give|me) )*(?P<u>{UNIT})s (?:when|where|with|on which|that|had|has|have|in which)|when"
)
COMPARE = rx("compare|comparing|comparison|compared|versus|vs|against|compare to|compared to|compared with")
SHOW = rx("plot|chart|graph|draw|visuali[sz]e|show|list|display")
SORT = rx(
    f"(?:sort|sorted|order|ordered|rank|ranked)(?: (?:by|it|them|from|the|results?))*(?: (?:C\\d+|{_AVERAGE}|value|total|amount))?"
)
DESCENDING = rx(
    "(?:in )?(?:descending|decreasing)(?: order)?|desc|(?:highest|largest|biggest|most|greatest) first|high to low|largest to smallest"
)
ASCENDING = rx("(?:in )?(?:ascending|increasing)(?: order)?|asc|(?:lowest|smallest|least|fewest) first|low to high")
HOW_MUCH = rx("(?:by )?how (?:many|much)(?: (?:in total|altogether))?|what is the total")
# Words without a meaning of their own beside what was understood.
FREE = frozenset(
    "a an the of for in on at to from with within is are was were be been has have had did do does it its their there this that these show me give "
    "list display what which and please can could you i want need would like see get find tell us let know data dataset series readings reading "
    "values value rows T records record ; price prices measured recorded reported registered happen happened occur occurred reach "
    "reached go went index whole all so far hit hits touched available we our ever look looks period traded trading".split()
)
OPENING = re.compile(r"^ (?:(?:;|and|now|only|just|then|also|same|but|what about|how about|ok|okay) )+")
