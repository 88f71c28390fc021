"""Words of import instructions in English, as parts of patterns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from atlas.language.offline.import_clauses.grammar import Rule, Vocabulary

TYPES = {
    "text": "text",
    "string": "text",
    "strings": "text",
    "varchar": "text",
    "words": "text",
    "texts": "text",
    "integer": "bigint",
    "integers": "bigint",
    "int": "bigint",
    "bigint": "bigint",
    "whole number": "bigint",
    "whole numbers": "bigint",
    "number": "double",
    "numbers": "double",
    "numeric": "double",
    "float": "double",
    "decimal": "numeric",
    "decimals": "numeric",
    "decimal number": "numeric",
    "decimal numbers": "numeric",
    "double": "double",
    "amount": "numeric",
    "money": "numeric",
    "currency": "numeric",
    "boolean": "boolean",
    "bool": "boolean",
    "yes/no": "boolean",
    "flag": "boolean",
    "true/false": "boolean",
    "date": "date",
    "dates": "date",
    "timestamp": "timestamp",
    "timestamps": "timestamp",
    "datetime": "timestamp",
    "date and time": "timestamp",
    "json": "json",
}
COMPARISONS: tuple[tuple[str, str, bool], ...] = (
    (
        r"(?:is|are) (?:not|n't|never) (?:empty|blank|null|missing|set)|(?:isn't|aren't) (?:empty|blank|missing|null)|"
        r"(?:is|are) (?:set|filled(?: in)?|present|given)|exists|has a value",
        "empty",
        True,
    ),
    (r"(?:is|are) (?:empty|blank|null|missing|not set|unset)|has no value", "empty", False),
    (r"(?:is |are )?(?:not|n't) between|(?:isn't|aren't) between", "between", True),
    (r"(?:is |are )?between", "between", False),
    (r"(?:is |are |ranges? |ranging )?from(?= \S+ (?:to|-) )", "between", False),
    (
        r"(?:is |are )?(?:not in|none of)|(?:is|are) not (?:in|one of|any of)|(?:isn't|aren't) (?:in|one of|any of)",
        "in",
        True,
    ),
    (r"(?:is |are )?(?:either )?(?:in|one of|any of):?", "in", False),
    (r"(?:does not|doesn't|do not|don't|not) (?:contain|include|mention)s?", "contains", True),
    (r"(?:contain|include|mention)(?:s|ing)?|has the word", "contains", False),
    (r"(?:is |are )?(?:not like|unlike)|(?:isn't|aren't) like", "like", True),
    (r"(?:is |are )?like", "like", False),
    (r"(?:does not|doesn't|do not|don't) (?:start|begin) with", "starts", True),
    (r"(?:start|begin)(?:s|ning|ing)? with", "starts", False),
    (r"(?:does not|doesn't|do not|don't) end (?:with|in|on)", "ends", True),
    (r"end(?:s|ing)? (?:with|in|on)", "ends", False),
    (
        r"(?:is |are )?(?:not (?:over|above|more than|greater than|larger than|higher than|after)|at most|"
        r"less than or equal to|no (?:more|greater|larger|higher|later) than|<=|≤|on or before|until|up to|maximum)",
        "<=",
        False,
    ),
    (
        r"(?:is |are )?(?:not (?:under|below|less than|lower than|smaller than|fewer than|before)|at least|"
        r"greater than or equal to|more than or equal to|no (?:less|fewer|smaller|lower|earlier) than|>=|≥|on or after|since|from|minimum)",
        ">=",
        False,
    ),
    (
        r"(?:is |are )?(?:greater than|more than|larger than|higher than|bigger than|over|above|exceeds?|exceeding|>|after|"
        r"later than|newer than)",
        ">",
        False,
    ),
    (
        r"(?:is |are )?(?:less than|lower than|smaller than|fewer than|under|below|<(?!>)|before|earlier than|older than)",
        "<",
        False,
    ),
    (
        r"(?:is|are|was|were) neither|(?:is|are|was|were) not(?: equal to)?|isn't|aren't|wasn't|!=|<>|≠|(?:does not|doesn't|do not) equal|not equal to|"
        r"(?:is |are )?(?:other than|different from)|not",
        "=",
        True,
    ),
    (r"==?|(?:is |are )?equal to|equals?|is|are|was|were|:", "=", False),
)

VOCABULARY = Vocabulary(
    name="english",
    stops=frozenset(
        """skip skipping ignore ignoring flag flagging update updating overwrite overwriting replace replacing keep
        keeping rename renaming drop dropping treat treating where whose use using import importing load loading create
        make into onto mark marking require exclude excluding except remove removing read reading discard only just
        don't do does not never no is are be isn't aren't must should shall may cannot can't can mustn't shouldn't was
        were has have had having and or but then if when unless while with without as to from by on in of for that which
        this these those it them match matching matched identify dedupe deduplicate upsert duplicate duplicates key keys
        required mandatory column columns field fields row rows record records table tables sheet sheets worksheet
        header headers delete deleting clear clearing truncate contains contain between over under above below at more
        less greater the also please freeze leave out omit set convert parse cast store save put append insert add
        adding upload map call based unique either neither nor please its their than first last day month sort order
        limit dates""".split()
    )
    - {"order", "day", "month", "first", "last", "set", "call", "limit", "sort"},
    fillers=frozenset(
        """a an the this that these those my our your their its please pls kindly and also then i i'd we you want would
        like need can could will let lets let's us me now here it them thanks thank hello hi hey carefully correctly
        properly automatically so ok okay finally""".split()
    ),
    objects=frozenset({"us", "me", "it", "them"}),
    joins=r"and|as well as|plus",
    either=r"or",
    nor=r"nor",
    bounds=(
        (r" (?:or|and) (?:more|above|over|higher|greater|larger|bigger|later|newer|after|up|upwards?)|\+", ">="),
        (r" (?:or|and) (?:less|below|under|fewer|lower|smaller|earlier|older|before)", "<="),
    ),
    articles=r"the|an?|their|its|my|our|columns?|fields?",
    owners=r"[^\W\d_][\w-]*['’]s",
    nouns=r"columns?|fields?",
    arrows=r"to be|to|as|into|->|=>|→|=",
    types=TYPES,
    predicates=frozenset(
        """required mandatory obligatory compulsory optional unique key keys identifier identifiers""".split()
    ),
    comparisons=COMPARISONS,
    leads=r"where|whose|with|that have|having|the|their|its|both|either|if",
    negation=r"not",
    verbs=(r"is|was|has|stays|remains", r"are|were|have|stay|remain"),
)

DET = r"(?:a |an |the |my |our |your |their |this |that |these |those |all |some |existing |whole |entire |current |old )*"
FILE_WORDS = (
    r"file|files|csv|tsv|excel|spreadsheet|workbook|sheet|json|xml|parquet|export|dump|upload|attachment|data|"
    r"everything|it all|them all|it|them|all|rows?|records?|lines|entries|contents?|table|\S+\.(?:csv|tsv|txt|xlsx?|xlsm|ods|json|"
    r"ndjson|xml|parquet|gz|zip)"
)
FILE = rf"(?:{FILE_WORDS})"
THIS = (
    r"(?:(?:this|that|these|those|the|my|our|attached|following|new|uploaded|enclosed|whole|entire|complete|of|all|every|"
    r"fresh|latest|current) )*"
)
SOME = (
    r"(?:rows?|records?|entries|lines|leads|contacts|customers|orders|products|ones|items|people|users|those|clients|"
    r"data|transactions|accounts|invoices|sales|payments)"
)
THE = r"(?:the |those |all |any |of |every |each |these )*"
TAKE = r"(?:import|keep|take|load|include|use|add|insert|upload|select|want|filter(?: for| to| by| on)?)"
LEAVE = (
    r"(?:skip(?:ping)?|ignor(?:e|ing)|exclud(?:e|ing)|drop(?:ping)?|remov(?:e|ing)|discard(?:ing)?|leav(?:e|ing) out|"
    r"omit(?:ting)?|without|filter(?:ing)? out|except(?: for)?|apart from|other than|(?:everything|all) but|but not|throw(?:ing)? (?:away|out)|"
    r"do not (?:import|load|include|take)|don't (?:import|load|include|take)|not)"
)
WHERE = r"(?:where|whose|in which|for which|if|when|that have|having|with|which have|who have|that are|that|which|who)"
IGNORE = r"(?:skip|ignor\w*|drop\w*|remov\w*|discard\w*|exclud\w*|leave out|omit\w*|without|dedupe|deduplicate|delete)"
DUP = r"(?:exact )?(?:duplicat\w*|dupes?|doubles|repeats)(?: (?:rows|records|entries|ones|contacts|leads|customers))?"
ANY = r"(?:any |all |the |possible |potential |existing )*"
KEYED = (
    r" (?:by|on|based on|with the same|having the same|using|matched by|matched on|matching on|for the same|with|in) "
    r"(?:the |same |their )*<names:key>"
)
KEY = r"(?:unique |primary |natural |composite |compound |business )*"
WITH_THIS = (
    r"(?:with|by|from|using)(?: (?:this|that|these|the|my|new|attached|uploaded|contents?|of))+"
    rf"(?: (?:{FILE_WORDS}))*"
)

DUPLICATES: tuple[tuple[str, str], ...] = (
    (
        rf"(?:do not|don't|never|without) (?:check\w*|look\w*|search\w*|skip\w*|remov\w*|drop\w*|dedup\w*|worr\w*)"
        rf" ?(?:for |about )?{ANY}(?:{DUP})",
        "keep",
    ),
    (r"(?:do not|don't|never|no|without(?: any)?) dedup\w*", "keep"),
    (
        r"(?:no|without(?: any| an?)?|(?:turn|switch) off(?: the)?|disable(?: the)?|skip(?: the)?) (?:duplicat\w*|dupes?)[ -]"
        r"(?:check\w*|detection|search\w*|handling|removal|test\w*|control|filter\w*)",
        "keep",
    ),
    (rf"(?:keep|allow|import|include|insert|load) {ANY}{DUP}", "keep"),
    (rf"(?:flag\w*|mark\w*|report\w*|review|show|highlight|list) {ANY}{DUP}", "flag"),
    (
        rf"(?:updat\w*|overwrit\w*|merg\w*|refresh\w*) (?:with |in |into )?{ANY}(?:{DUP}|(?:existing|matching|"
        r"known) ?(?:rows?|records?|entries|ones|values|contacts|leads|customers|products|clients)|them if they exist|"
        r"(?:rows|records|ones) that (?:already )?exist\w*)",
        "update",
    ),
    (
        rf"replac\w* (?:the )?(?:matching |all |any |known )*(?:{DUP}|(?:matching|known) (?:rows?|records?|entries|ones))",
        "update",
    ),
    (r"if (?:they|it|a row|a record|one) (?:already )?exists?,? (?:then )?updat\w*(?: (?:it|them))?", "update"),
    (
        r"(?:updat\w*|overwrit\w*) (?:it|them|those|the rows?|the records?)? ?if (?:they|it) (?:already )?exists?",
        "update",
    ),
    (r"upsert(?:ing)?(?: (?:the |these |all )*(?:rows|records|data|file))?", "update"),
    (rf"{IGNORE} {ANY}{DUP}", "skip"),
    (rf"(?:no {DUP}|dedupe|deduplicate|remove doubles)(?: (?:it|them|the (?:rows|records|data|file)))?", "skip"),
)

POLICIES: tuple[tuple[str, str], ...] = (
    (
        r"(?:discard|skip|drop|reject|ignore|leave out) (?:the )?(?:rows|records) (?:that have|with|having) (?:new|unknown|"
        r"extra|additional) (?:columns?|fields?)",
        "discard_row",
    ),
    (
        r"(?:ignore|discard|skip|drop|leave out) (?:any |all |the )?(?:new|unknown|extra|additional|other|unmatched) "
        r"(?:columns?|fields?|values)",
        "discard_value",
    ),
    (
        r"(?:do not|don't|never) (?:add|create|make) (?:any )?(?:new|extra|additional|more) (?:columns?|fields?)",
        "discard_value",
    ),
    (r"(?:freeze|lock) (?:the )?(?:schema|columns?|structure)", "freeze"),
    (r"(?:do not|don't|never) (?:change|alter|touch) (?:the )?(?:schema|structure|columns|table)", "freeze"),
    (r"frozen schema", "freeze"),
    (
        r"(?:add|allow|create) (?:any |all |the )?(?:new|missing|extra|unknown|other) (?:columns?|fields?)"
        r"(?: (?:if|as|when) needed)?",
        "evolve",
    ),
    (r"evolve (?:the )?schema", "evolve"),
)

ADD = r"(?:add |insert |import |append |load )"
CONTENTS = r"(?:all )?(?:of )?(?:the )?(?:existing |old |current )*(?:contents?|data|rows|records|entries)"
BY_THIS = rf"(?: {WITH_THIS})?"
UPDATED = {"duplicates": "update", "only_existing": True}
# Words for types name no table: "treat zip as text and as a number".
NO_TYPE = rf"(?!(?:{'|'.join(TYPES)})(?!\w))"


def table_rules(
    kind: str,
    before: str,
    behind: str,
    sets: Mapping[str, object] = MappingProxyType({"replace": True}),
    bare: str | None = None,
) -> Iterator[Rule]:
    """Yields rules on a table, one for each way to name a table.

    bare: the pattern that must follow a name without the word `table`. None: no such rule.
    """
    yield Rule(kind, before + DET + r"<title:table> (?:table|list)" + behind, sets)
    yield Rule(kind, before + DET + r"table <table>" + behind, sets)
    if bare is not None:
        yield Rule(kind, before + DET + r"<table>" + bare, sets, 0.5)
