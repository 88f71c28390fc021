"""Phrases with a role in the grammar: compare, count, group, sort, exclude."""

from __future__ import annotations

from atlas.language.offline.questions.lexicon import AGGREGATES

# Triples of role, the role's value, and phrases separated by bars. Of two equal phrases the later entry counts.
_ENTRIES: tuple[tuple[str, object, str], ...] = (
    (
        "cmp",
        ">",
        "greater than|more than|larger than|higher than|bigger than|over|above|exceeding|exceeds|exceed|in "
        "excess of|better than|beyond|upwards of|later than|>",
    ),
    ("cmp", "<", "less than|fewer than|lower than|smaller than|under|below|worse than|earlier than|<"),
    (
        "cmp",
        ">=",
        "at least|no less than|not less than|no fewer than|minimum of|a minimum of|>=|greater than or equal "
        "to|more than or equal to|on or after|on and after|not before|no earlier than|not earlier than|at or after",
    ),
    (
        "cmp",
        "<=",
        "at most|no more than|not more than|up to|maximum of|a maximum of|<=|less than or equal to|on or before|on and before|not after|no later than|not later than|at or before",
    ),
    ("cmp", "=", "equal to|equals|exactly|=|equal"),
    ("cmp", "<>", "not equal to|different from|!=|<>|unequal to"),
    ("after", ">=", "or more|or above|or higher|or greater|and above|or over"),
    ("after", "<=", "or less|or fewer|or below|or lower|and below|or under"),
    (
        "count",
        None,
        "how many|number of|the number of|count of|count|no. of|no . of|no of|total number of|total count "
        "of|the count of|numbers of|how often|how many times",
    ),
    ("much", None, "how much"),
    (
        "per",
        None,
        "for each|per|in each|of each|by each|each|every|grouped by|group by|broken down by|split by|break "
        "down by|breakdown by|for every|in every|across different|across various|across each|across all|at "
        "each|on each|from each|to each|with each|segmented by|summarized by|for all the different|across|per"
        " each|within each|among different|for different|between different|instead of by|grouped per|over "
        "each|over the|partitioned by|through each",
    ),
    ("by", None, "by|in terms of|based on|according to|with respect to|measured by|as measured by"),
    (
        "order",
        None,
        "ordered by|sorted by|order by|sort by|ranked by|in order of|order them by|sort them by|ordered "
        "according to|sorted in order of|order the results by|sort the results by|ordered|sorted|order "
        "results by|rank by|in the order of|ordered on|arranged by",
    ),
    (
        "desc",
        None,
        "in descending order|descending|desc|in descending|descending order|highest first|largest "
        "first|newest first|most first|latest first|in decreasing order|in reverse order|from most to "
        "least|in descending order of|in decreasing order of",
    ),
    (
        "asc",
        None,
        "in ascending order|ascending|asc|in ascending|ascending order|lowest first|smallest first|oldest "
        "first|in increasing order|from least to most|in ascending order of|alphabetically|in alphabetical "
        "order|chronologically|in chronological order|alphabetical order",
    ),
    ("top", True, "top"),
    ("top", False, "bottom"),
    (
        "most",
        True,
        "most|the most|greatest number of|highest number of|largest number of|the maximum number of|maximum "
        "number of|most number of|the greatest number of|the highest number of|the largest number of|most "
        "amount of|highest count of|highest total number of",
    ),
    (
        "most",
        False,
        "least|fewest|the fewest|the least|lowest number of|smallest number of|minimum number of|least number"
        " of|the lowest number of|the smallest number of|least amount of",
    ),
    (
        "share",
        None,
        "percent|percentage|percentage of|percent of|share|share of|proportion|proportion of|fraction "
        "of|percentages|shares|% of",
    ),
    ("ratio", None, "ratio of|ratio|ratio between"),
    (
        "growth",
        None,
        "growth|growth of|growth rate|growth rate of|percentage change|percent change|month over month|month "
        "on month|year over year|week over week|growth in|change in|mom|yoy",
    ),
    ("distinct", None, "distinct|unique"),
    (
        "neg",
        None,
        "not|no|without|excluding|except|except for|other "
        "than|non|don't|doesn't|didn't|isn't|aren't|outside|outside "
        "of|never|neither|nor|wasn't|weren't|don|excludes|but not|haven't|hasn't|lacking|lack|exclude|aside "
        "from|apart from|besides",
    ),
    (
        "contains",
        "any",
        "contains|containing|contain|includes the word|including the word|matching|that "
        "includes|like|contains the word|containing the word|include the word|has the word",
    ),
    (
        "contains",
        "start",
        "starts with|start with|starting with|begins with|begin with|beginning with|starts with the "
        "letter|start with the letter|beginning with the letter|begins with the letter|starting with the "
        "letter|begin with the letter",
    ),
    ("contains", "end", "ends with|end with|ending with|ending in|ends in|end in"),
    (
        "whether",
        None,
        "and how many do not|and how many don't|and how many are not|and how many aren't|and how many did "
        "not|and how many have not|and how many is not|and how many don t|or not",
    ),
    (
        "filler",
        None,
        "of the week|of week|in the database|as well|in the table|at all|so far|in total|in all|as a whole|how "
        "does|how do|how did|a list of|the list of",
    ),
    ("order", None, "starting from|going from"),
    ("empty", None, "missing|empty|null|blank|not set|unset|unspecified|undefined|unavailable"),
    (
        "vs",
        None,
        "with that of|with those of|to that of|to those of|versus|vs|compared to|compared with|compared to that of|compared with that of|as opposed to|vs.",
    ),
    ("outof", None, "out of|of all|out of all"),
    ("to", None, "to"),
    ("and", None, "and|&|as well as|along with|together with"),
    ("or", None, "or"),
    ("comma", None, ",|;"),
    ("between", None, "between|ranging from|from"),
    ("than", None, "than"),
    ("wh", None, "what|which|who|whose|whom"),
    ("where", None, "where"),
    ("when", None, "when"),
    ("how", None, "how"),
    ("stop", None, ".|?|!|:"),
    ("agg", "avg", "average number of|mean number of|the average number of|average count of"),
    (
        "agg",
        "sum",
        "total amount of|sum of|total of|sum total of|combined total of|total sum of|cumulative",
    ),
    ("agg", "max", "maximum value of|largest value of|highest value of"),
    ("agg", "min", "minimum value of|lowest value of|smallest value of"),
    ("agg", "stddev", "standard deviation|standard deviation of"),
    ("onaverage", None, "on average|in average|on an average"),
    ("negation", None, "n't"),
)


def _phrases() -> dict[tuple[str, ...], tuple[str, object]]:
    found: dict[tuple[str, ...], tuple[str, object]] = {
        (word,): ("agg", function) for word, function in AGGREGATES.items()
    }
    for role, value, texts in _ENTRIES:
        for text in texts.split("|"):
            found[tuple(text.split())] = (role, value)
    return found


PHRASES = _phrases()
LONGEST = max(map(len, PHRASES))
