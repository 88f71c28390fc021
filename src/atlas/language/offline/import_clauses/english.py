"""What import instructions say in English."""

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
_COMPARISONS: tuple[tuple[str, str, bool], ...] = (
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
        r"(?:is |are )?(?:less than|lower than|smaller than|fewer than|under|below|<|before|earlier than|older than)",
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
    comparisons=_COMPARISONS,
    leads=r"where|whose|with|that have|having|the|their|its|both|either|if",
    negation=r"not",
    verbs=(r"is|was|has|stays|remains", r"are|were|have|stay|remain"),
)

_DET = r"(?:a |an |the |my |our |your |their |this |that |these |those |all |some |existing |whole |entire |current |old )*"
_FILE_WORDS = (
    r"file|files|csv|tsv|excel|spreadsheet|workbook|sheet|json|xml|parquet|export|dump|upload|attachment|data|"
    r"everything|it all|them all|it|them|all|rows?|records?|lines|entries|contents?|table|\S+\.(?:csv|tsv|txt|xlsx?|xlsm|ods|json|"
    r"ndjson|xml|parquet|gz|zip)"
)
_FILE = rf"(?:{_FILE_WORDS})"
_THIS = (
    r"(?:(?:this|that|these|those|the|my|our|attached|following|new|uploaded|enclosed|whole|entire|complete|of|all|every|"
    r"fresh|latest|current) )*"
)
_SOME = (
    r"(?:rows?|records?|entries|lines|leads|contacts|customers|orders|products|ones|items|people|users|those|clients|"
    r"data|transactions|accounts|invoices|sales|payments)"
)
_THE = r"(?:the |those |all |any |of |every |each |these )*"
_TAKE = r"(?:import|keep|take|load|include|use|add|insert|upload|select|want|filter(?: for| to| by| on)?)"
_LEAVE = (
    r"(?:skip(?:ping)?|ignor(?:e|ing)|exclud(?:e|ing)|drop(?:ping)?|remov(?:e|ing)|discard(?:ing)?|leav(?:e|ing) out|"
    r"omit(?:ting)?|without|filter(?:ing)? out|except(?: for)?|apart from|other than|(?:everything|all) but|but not|throw(?:ing)? (?:away|out)|"
    r"do not (?:import|load|include|take)|don't (?:import|load|include|take)|not)"
)
_WHERE = r"(?:where|whose|in which|for which|if|when|that have|having|with|which have|who have|that are|that|which|who)"
_IGNORE = r"(?:skip|ignor\w*|drop\w*|remov\w*|discard\w*|exclud\w*|leave out|omit\w*|without|dedupe|deduplicate|delete)"
_DUP = r"(?:exact )?(?:duplicat\w*|dupes?|doubles|repeats)(?: (?:rows|records|entries|ones|contacts|leads|customers))?"
_ANY = r"(?:any |all |the |possible |potential |existing )*"
_KEYED = (
    r" (?:by|on|based on|with the same|having the same|using|matched by|matched on|matching on|for the same|with|in) "
    r"(?:the |same |their )*<names:key>"
)
_KEY = r"(?:unique |primary |natural |composite |compound |business )*"
_WITH_THIS = (
    r"(?:with|by|from|using)(?: (?:this|that|these|the|my|new|attached|uploaded|contents?|of))+"
    rf"(?: (?:{_FILE_WORDS}))*"
)

_DUPLICATES: tuple[tuple[str, str], ...] = (
    (
        rf"(?:do not|don't|never|without) (?:check\w*|look\w*|search\w*|skip\w*|remov\w*|drop\w*|dedup\w*|worr\w*)"
        rf" ?(?:for |about )?{_ANY}(?:{_DUP})",
        "keep",
    ),
    (r"(?:do not|don't|never) dedup\w*", "keep"),
    (rf"(?:keep|allow|import|include|insert|load) {_ANY}{_DUP}", "keep"),
    (rf"(?:flag\w*|mark\w*|report\w*|review|show|highlight|list) {_ANY}{_DUP}", "flag"),
    (
        rf"(?:updat\w*|overwrit\w*|merg\w*|refresh\w*) (?:with |in |into )?{_ANY}(?:{_DUP}|(?:existing|matching|"
        r"known) ?(?:rows?|records?|entries|ones|values|contacts|leads|customers|products|clients)|them if they exist|"
        r"(?:rows|records|ones) that (?:already )?exist\w*)",
        "update",
    ),
    (
        rf"replac\w* (?:the )?(?:matching |all |any |known )*(?:{_DUP}|(?:matching|known) (?:rows?|records?|entries|ones))",
        "update",
    ),
    (r"if (?:they|it|a row|a record|one) (?:already )?exists?,? (?:then )?updat\w*(?: (?:it|them))?", "update"),
    (
        r"(?:updat\w*|overwrit\w*) (?:it|them|those|the rows?|the records?)? ?if (?:they|it) (?:already )?exists?",
        "update",
    ),
    (r"upsert(?:ing)?(?: (?:the |these |all )*(?:rows|records|data|file))?", "update"),
    (rf"{_IGNORE} {_ANY}{_DUP}", "skip"),
    (rf"(?:no {_DUP}|dedupe|deduplicate|remove doubles)(?: (?:it|them|the (?:rows|records|data|file)))?", "skip"),
)

_POLICIES: tuple[tuple[str, str], ...] = (
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

_ADD = r"(?:add |insert |import |append |load )"
_CONTENTS = r"(?:all )?(?:of )?(?:the )?(?:existing |old |current )*(?:contents?|data|rows|records|entries)"
_BY_THIS = rf"(?: {_WITH_THIS})?"
_UPDATED = {"duplicates": "update", "only_existing": True}
# What words for types name no table: "treat zip as text and as a number".
_NO_TYPE = rf"(?!(?:{'|'.join(TYPES)})(?!\w))"


def _of_table(
    kind: str,
    before: str,
    behind: str,
    sets: Mapping[str, object] = MappingProxyType({"replace": True}),
    bare: str | None = None,
) -> Iterator[Rule]:
    """Clauses about a table, by each way to name it; bare: what must stand behind a name without the word `table`."""
    yield Rule(kind, before + _DET + r"<title:table> (?:table|list)" + behind, sets)
    yield Rule(kind, before + _DET + r"table <table>" + behind, sets)
    if bare is not None:
        yield Rule(kind, before + _DET + r"<table>" + bare, sets, 0.5)


RULES: list[Rule] = [
    Rule(
        "question",
        r"(?:do not|don't|never|please don't) (?:import|load|write|save|store|insert|add) (?:this|it|the file|"
        r"anything|that)(?: file)?",
        {"question": "You say not to import this. Should it be imported?"},
    ),
    Rule(
        "undo",
        r"(?:undo|revert|roll ?back|take back)(?: (?:that|this|it|the (?:last|previous) import|everything))?",
        {"undo": True},
    ),
    Rule(
        "thread",
        r"(?:do |import )?(?:exactly )?the same(?: (?:thing|again|as (?:before|last time)|way))?"
        r"(?: (?:for|with|to) (?:this|that|the new|the next)(?: (?:file|one))?)?",
        {"same": True},
    ),
    Rule("thread", r"(?:same|like|as)(?: as)? (?:before|last time)", {"same": True}),
    Rule(
        "question",
        r"(?:from |use |read |import |load |in )*(?:all|every|both|each)(?: of)?(?: the)? (?:work)?(?:sheets?|tabs?)",
        {"question": "One import reads one sheet. Which one? Import the file once for each sheet that you want."},
    ),
    # How the file is written.
    Rule(
        "header",
        r"(?:the )?(?:first|1st|top) (?:row|line)(?: of the file)? (?:is|are|does|has|contains|isn't|aren't) ?(?:not |no |n't )?"
        r"(?:contain )?(?:already )?(?:a |the |any )?(?:data|records?|values|row of data|real data)(?: (?:already|too))?",
        {"header": False},
    ),
    Rule(
        "header",
        r"(?:the )?(?:first|1st|top) (?:row|line)(?: of the file)? (?:(?:is|are|does|has) not|isn't|aren't|has no|is no|doesn't)"
        r"(?: contain| have| hold)?(?: a| the| any)? ?(?:column )?(?:header row|headers?|names?|titles?)",
        {"header": False},
    ),
    Rule(
        "header",
        r"(?:(?:the |this )?(?:file|csv|sheet|data|table|it|there) )?(?:(?:has|have|is|are|comes|contains|with) )*"
        r"(?:with )?(?:no|without(?: any| an?)?|doesn't have(?: any| an?)?|does not have(?: any| an?)?|not have an?) "
        r"(?:column )?(?:header row|header line|headers?|heading|headings|column names|names row)",
        {"header": False},
    ),
    Rule(
        "header",
        r"(?:treat |read |use )?(?:the )?(?:first|1st|top) (?:row|line)(?: of the file)? (?:is|has|contains|holds|as|are) "
        r"(?:the |a )?(?:column )?(?:header row|headers?|names|titles)(?: row)?",
        {"header": True},
    ),
    Rule(
        "header",
        r"(?:(?:the |this )?(?:file|csv|sheet|it) )?(?:has|with|including) (?:a )?(?:column )?(?:headers?|header row)",
        {"header": True},
    ),
    Rule(
        "header",
        r"(?:the )?(?:column )?(?:header row|headers?|heading|column names|names|titles)(?: row)? (?:is|are|starts?|begins?)"
        r"(?: in| on| at)? (?:the )?(?:row|line)(?: number| no\.?)? <count:header_row>",
    ),
    Rule(
        "header",
        r"(?:the )?(?:column )?(?:header row|headers?|heading|column names)(?: row)? (?:is|are)(?: in| on| at)? "
        r"(?:the )?<count:header_row> (?:row|line)",
    ),
    Rule(
        "header",
        r"(?:row|line)(?: number)? <count:header_row> (?:is|has|contains|holds) (?:the |a )?(?:column )?"
        r"(?:header row|headers?|names|titles)",
    ),
    Rule(
        "header",
        r"(?:the )?<count:header_row> (?:row|line) (?:is|has|contains|holds) (?:the |a )?(?:column )?"
        r"(?:header row|headers?|names|titles)",
    ),
    Rule(
        "header",
        r"(?:use|take|read) (?:row|line)(?: number)? <count:header_row> (?:as|for) (?:the |a )?(?:column )?"
        r"(?:header row|headers?|names|titles)",
    ),
    Rule("header", r"header row(?: is|:| =)? <count:header_row>"),
    Rule("header", r"(?:the )?table (?:starts|begins) (?:in|on|at) (?:row|line) <count:header_row>"),
    Rule("header", rf"{_IGNORE} (?:the )?(?:first|top) <count:skip_rows> (?:rows|lines)(?: of the file)?"),
    Rule("header", rf"{_IGNORE} (?:the )?(?:first|top) (?:row|line)(?: of the file)?", {"skip_rows": 1}),
    Rule(
        "dates",
        r"(?:the )?(?:all )?(?:dates? (?:are|is|use|have|come) )?(?:format(?:ted)? )?(?:written |in |as |with )*(?:the )?day"
        r"(?:[ -]?first|/month(?:/year)?| before (?:the )?month| comes first| then month)(?: (?:format|order))?",
        {"day_first": True},
    ),
    Rule(
        "dates",
        r"(?:the )?(?:all )?(?:date )?(?:dates? |format )*(?:(?:are|is|use|in|as|written|with|like|format(?:ted)?|the|:) )*"
        r"dd?[/.-]mm?(?:[/.-]yy(?:yy)?)?(?: (?:format|order))?",
        {"day_first": True},
    ),
    Rule(
        "dates",
        r"(?:the )?(?:dates? (?:are|is|use) )?(?:in )?(?:european|british|uk|german|french) (?:dates?|date format|date order)",
        {"day_first": True},
    ),
    Rule(
        "dates",
        r"(?:the )?(?:all )?(?:dates? (?:are|is|use|have|come) )?(?:format(?:ted)? )?(?:written |in |as |with )*(?:the )?month"
        r"(?:[ -]?first|/day(?:/year)?| before (?:the )?day| comes first| then day)(?: (?:format|order))?",
        {"day_first": False},
    ),
    Rule(
        "dates",
        r"(?:the )?(?:all )?(?:date )?(?:dates? |format )*(?:(?:are|is|use|in|as|written|with|like|format(?:ted)?|the|:) )*"
        r"mm?[/.-]dd?(?:[/.-]yy(?:yy)?)?(?: (?:format|order))?",
        {"day_first": False},
    ),
    Rule(
        "dates",
        r"(?:the )?(?:dates? (?:are|is|use) )?(?:in )?(?:us|u\.s\.|american) (?:dates?|date format|date order)",
        {"day_first": False},
    ),
    Rule(
        "numbers",
        r"(?:the )?(?:with |in |use |using )?(?:(?:all )?numbers? (?:are |is |use |have |with |written |formatted |in |come )*)?"
        r"(?:with |using )?(?:a )?(?:decimal commas?|commas? (?:as|for)(?: the)? decimals?(?: separators?| points?| signs?)?)",
        {"decimal_comma": True},
    ),
    Rule(
        "numbers",
        r"(?:the )?commas? (?:is|are|means?|marks?) (?:used )?(?:as |for )?(?:the |a )?decimals?(?: separators?| points?| signs?| marks?)?",
        {"decimal_comma": True},
    ),
    Rule(
        "numbers",
        r"(?:the )?decimal (?:separator|sign|mark|point|character|symbol)s? (?:is|are|:|=) (?:a |the )?(?:comma|\",\"|',')",
        {"decimal_comma": True},
    ),
    Rule(
        "numbers",
        r"(?:the )?(?:numbers? (?:are |is |use |in )*)?(?:in )?(?:the )?(?:european|german|continental|french|spanish|italian) "
        r"(?:numbers?|number format|numerals|decimals?|notation|style|format)(?: for numbers)?",
        {"decimal_comma": True},
    ),
    Rule(
        "numbers",
        r"(?:the )?(?:dots?|points?|periods?|full stops?) (?:is|are|as|separates?|mark)(?: the| used as)? ?(?:for )?(?:thousands?|grouping)"
        r"(?: separators?)?",
        {"decimal_comma": True},
    ),
    Rule(
        "numbers",
        r"(?:the )?(?:with |in |use |using )?(?:(?:all )?numbers? (?:are |is |use |have |with |written |formatted |in )*)?"
        r"(?:with |using )?(?:a )?(?:decimal (?:points?|dots?|periods?)|(?:dots?|points?|periods?) (?:as|for)(?: the)? decimals?)"
        r"(?: separators?)?",
        {"decimal_comma": False},
    ),
    Rule(
        "numbers",
        r"(?:the )?(?:dots?|points?|periods?) (?:is|are|means?) (?:the |a )?decimals?(?: separators?| signs?)?",
        {"decimal_comma": False},
    ),
    Rule(
        "numbers",
        r"(?:the )?decimal (?:separator|sign|mark|character|symbol)s? (?:is|are|:|=) (?:a |the )?(?:dot|point|period|\"\.\"|'\.')",
        {"decimal_comma": False},
    ),
    Rule(
        "numbers",
        r"(?:the )?commas? (?:is|are|as|separates?|mark)(?: the| used as)? ?(?:for )?(?:thousands?|grouping)(?: separators?)?",
        {"decimal_comma": False},
    ),
    Rule(
        "numbers",
        r"(?:the )?(?:numbers? (?:are |is |use |in )*)?(?:us|american|english) (?:numbers?|number format|notation)",
        {"decimal_comma": False},
    ),
    Rule(
        "sheet",
        r"(?:from |use |read |import |only |load |take |in |on )*(?:the )?(?:work)?(?:sheet|tab) (?:called |named |number |no\.? )?<title:sheet>",
    ),
    Rule(
        "sheet",
        r"(?:from |use |read |import |only |load |take )*(?:the )?(?:work)?(?:sheet|tab) (?:number |no\.? )?<count:sheet>",
    ),
    Rule("sheet", r"(?:from|use|read|only|take|in|on) (?:the )?<title:sheet> (?:work)?(?:sheet|tab)"),
    Rule("sheet", r"(?:from |use |read |import |only |load |take |in )*(?:the )?<count:sheet> (?:work)?(?:sheet|tab)"),
    # What becomes of rows that are there.
    *(Rule("duplicates", pattern, {"duplicates": choice}) for pattern, choice in _DUPLICATES),
    *(
        Rule("duplicates", f"(?:{pattern}){_KEYED}", {"duplicates": choice})
        for pattern, choice in _DUPLICATES
        if choice != "keep"
    ),
    Rule(
        "duplicates",
        r"(?:and )?(?:add|insert|import|append) (?:the |any |all )*(?:new|other|missing|remaining|rest|unknown)"
        r"(?: of them| (?:ones|rows|records|entries|products|customers|contacts|leads|items))?",
        {"duplicates": "update", "new_rows": True},
    ),
    Rule(
        "duplicates",
        r"(?:do not|don't|never) (?:add|insert|create|import) (?:the |any |all )*(?:new|other|missing|unknown) "
        r"(?:ones|rows|records|entries)",
        {"duplicates": "update", "new_rows": False},
    ),
    Rule("duplicates", r"no new (?:rows|records|entries|ones)", {"duplicates": "update", "new_rows": False}),
    *_of_table(
        "duplicates",
        r"(?:only |just )?(?:update|refresh|change|set|overwrite) (?:the )?<name:update> (?:in|of|on|for) ",
        _BY_THIS,
        _UPDATED,
    ),
    Rule(
        "duplicates",
        r"(?:only |just )?(?:update|refresh) (?:the )?<name:update> (?:in|of|for) " + _DET + "<table>",
        _UPDATED,
        0.5,
    ),
    *_of_table(
        "duplicates",
        r"(?:only |just )?(?:update|refresh) (?:the |all |existing )*(?:data|rows|records|entries|values)? ?(?:in |of )?",
        _BY_THIS,
        _UPDATED,
    ),
    Rule(
        "duplicates",
        r"(?:update|refresh) (?:the |my |our )*<table> (?:by|on|matching(?: on)?|using) (?:the )?<names:key>",
        _UPDATED,
        0.5,
    ),
    Rule(
        "duplicates",
        r"(?:merge|upsert|sync(?:hroni[sz]e)?) (?:(?:this|it|the|file|data|rows) )*(?:in|into|with|to) "
        + _DET
        + "<table>",
        {"duplicates": "update"},
        0.5,
    ),
    Rule(
        "duplicates",
        r"(?:merge|upsert|sync(?:hroni[sz]e)?) (?:(?:this|it|the|file|data|rows) )*(?:in|into|with|to) "
        + _DET
        + "<table>"
        + _KEYED,
        {"duplicates": "update"},
        0.5,
    ),
    Rule(
        "duplicates",
        rf"(?:(?:only|just) {_ADD}|{_ADD}(?:only|just) )(?:the )?(?:new|missing) (?:rows|records|entries|ones)",
        {"duplicates": "skip"},
    ),
    *_of_table(
        "replace",
        rf"(?:replace|overwrite|exchange) (?:(?:everything|all|{_CONTENTS}) )+(?:in|of|from|on) ",
        _BY_THIS,
        bare=_BY_THIS,
    ),
    *_of_table(
        "replace",
        r"(?:replace|overwrite|exchange) ",
        r"(?: (?:completely|entirely|fully))?" + _BY_THIS,
        bare=rf"(?: (?:completely|entirely|fully)| {_WITH_THIS})",
    ),
    Rule(
        "replace",
        r"(?:replace|overwrite|exchange) (?:the |existing |old |whole |entire )*(?:table|everything|contents?|all (?:of )?(?:the )?(?:rows|records|data))"
        r"(?: (?:completely|entirely))?(?: " + _WITH_THIS + ")?",
        {"replace": True},
    ),
    *_of_table("replace", r"(?:clear|empty|truncate|wipe|purge|reset|flush)(?: out)? ", r"(?: first| completely)?"),
    Rule(
        "replace",
        r"(?:clear|empty|truncate|wipe|purge|flush)(?: out)? (?:the |whole |existing |entire )*(?:table|list|it|everything|rows|data|"
        r"contents?)(?: first| completely)?",
        {"replace": True},
    ),
    Rule(
        "replace",
        r"(?:clear|empty|truncate|wipe|purge)(?: out)? <table>(?: first| completely)?",
        {"replace": True},
        0.5,
    ),
    Rule(
        "replace",
        r"(?:delete|remove|clear|drop|erase) (?:everything|all)(?: (?:of )?(?:the )?(?:existing |old |current |previous )*"
        r"(?:rows|records|data|entries|contents?))?(?: (?:that (?:is|are) )?(?:there|first))*",
        {"replace": True},
    ),
    *_of_table(
        "replace",
        r"(?:delete|remove|clear|drop|erase) (?:everything|all)(?: (?:of )?(?:the )?(?:existing |old |current |previous )*"
        r"(?:rows|records|data|entries|contents?))? (?:in|from|of) ",
        "(?: first)?",
        bare="(?: first)?",
    ),
    Rule(
        "replace",
        r"(?:delete|remove|clear|drop|erase) (?:the )?(?:existing |old |current |previous )+(?:rows|records|data|entries|contents?)"
        r"(?: (?:of|in|from) the table)?(?: first)?",
        {"replace": True},
    ),
    Rule(
        "replace",
        r"(?:truncate and (?:load|insert|reload)|full (?:refresh|reload|replace(?:ment)?))",
        {"replace": True},
    ),
    Rule(
        "duplicates",
        r"replac\w* (?:the )?(?:existing |old )+(?:rows?|records?|entries|ones)" + _KEYED,
        {"duplicates": "update"},
    ),
    Rule(
        "question",
        r"(?:replac\w*|overwrite) (?:the )?(?:existing |old |current )+(?:data|ones|values|rows|records|entries)",
        {"question": "Shall all rows of the table be replaced, or only those with the same key be updated?"},
    ),
    # Where it goes.
    Rule("table", r"(?:in|into|to|as|onto|for)? ?" + _DET + r"table (?:called |named |name )?<table>"),
    Rule(
        "table",
        r"(?:create |make |build |start |open )?(?:in |into |to |as )?(?:a |the |me a )?(?:brand )?new (?:table|list) (?:called |named )?<table>",
        {"new": True},
    ),
    Rule(
        "table",
        r"(?:create|make|build|start) (?:a |an |the |me a )?(?:table|list) (?:called |named )?<table>",
        {"new": True},
    ),
    Rule(
        "table",
        r"(?:create|make|build|start) (?:a |an |the |me a )?(?:new )?<title:table> (?:table|list)",
        {"new": True},
    ),
    Rule("table", r"(?:in|into|to|as|onto) (?:a |an |the |my |our )?new <title:table> (?:table|list)", {"new": True}),
    Rule("table", r"(?:in|into|to|as|onto|for) " + _DET + r"<title:table> (?:table|list|database|collection)"),
    Rule("table", r"(?:the |my |our )?<title:table> (?:table|list)", {}, 1.0),
    Rule("table", r"(?:into|onto|in|to) " + _DET + r"<table>", {"weak": True}, 0.3),
    Rule("table", r"(?:into|onto|in|to) (?:a |the |my )?new <table>", {"new": True}, 0.3),
    Rule("table", r"as " + _DET + _NO_TYPE + r"<table>", {"weak": True}, 1.5),
    Rule(
        "table",
        r"(?:these are|here are|here's|here is|import|load|add|upload|save|store|insert)(?: (?:my|our|the|these|those|some|new|your|all))* <table>",
        {"weak": True},
        2.0,
    ),
    Rule("table", r"(?:create|make|as|into|in|to) (?:a |the )?new table", {"new": True}, 0.5),
    Rule(
        "dataset",
        r"(?:as|into|to|in) (?:a |an |the |my )?(?:new )?(?:time[ -]?series|dataset)(?: dataset)?",
        {"dataset": True},
    ),
    Rule(
        "dataset",
        r"(?:as|into|to|in) (?:a |an |the |my )?(?:new )?(?:time[ -]?series|dataset)(?: dataset)? (?:called |named )<table>",
        {"dataset": True},
    ),
    Rule(
        "dataset",
        r"(?:create|make) (?:a |the )?(?:new )?(?:time[ -]?series|dataset)(?: dataset)?(?: from (?:this|it))?",
        {"dataset": True},
    ),
    Rule(
        "dataset",
        r"(?:create|make) (?:a |the )?(?:new )?(?:time[ -]?series|dataset)(?: dataset)? (?:called |named )<table>(?: from (?:this|it))?",
        {"dataset": True},
    ),
    Rule(
        "time_column",
        r"(?:with|using|use|and) (?:the )?(?:column )?<name:time_column> (?:column )?(?:as|for|is) (?:the )?(?:timestamp|time|time column|"
        r"date)s?(?! (?:text|string))",
    ),
    Rule(
        "time_column",
        r"(?:timestamp|time|date) (?:column )?(?:is|are|=|in|:) (?:in )?(?:the )?(?:column )?<name:time_column>",
        {},
        0.5,
    ),
    # Rows.
    Rule("filter", rf"(?:only |just )?(?:{_TAKE} )?(?:only |just )?{_THE}{_SOME} {_WHERE} <condition>(?: only)?"),
    Rule(
        "filter",
        rf"(?:only |just )?(?:{_TAKE} )?(?:only |just )?{_THE}{_SOME} (?:with|having|that have|of|for) (?:an? |the )?<traits:condition>(?: only)?",
        {},
        0.2,
    ),
    Rule(
        "filter",
        rf"(?:only |just )?(?:{_TAKE} )?(?:only |just )?(?:but |and )?(?:only |just )?(?:where|whose|if|when|provided(?: that)?|as long as) "
        r"(?:the )?<condition>(?: only)?",
    ),
    Rule("filter", r"(?:only|just)(?: for| with)? <traits:condition>", {}, 1.0),
    Rule(
        "filter",
        rf"filter(?:ed)? (?:by|on|for|to|with|the (?:rows|data) (?:by|on|where)) (?:{_SOME} {_WHERE} )?<condition>",
    ),
    Rule(
        "filter",
        rf"(?:only |just )(?:{_TAKE} )?{_THE}{_SOME} (?:with|that have|having) (?:an? |the )?(?:non-?empty |filled )?<knowns:filled>",
        {},
        0.5,
    ),
    Rule("exclude", rf"{_LEAVE} {_THE}{_SOME} {_WHERE} <condition>"),
    Rule(
        "exclude", rf"{_LEAVE} {_THE}{_SOME} (?:with|having|that have|of|for) (?:an? |the )?<traits:condition>", {}, 0.2
    ),
    Rule("exclude", rf"{_LEAVE} (?:it |them |those )?(?:if|when|where|whose) <condition>"),
    Rule("exclude", r"(?:unless|except (?:if|when|where)) <condition>"),
    Rule(
        "exclude",
        rf"{_LEAVE} {_THE}{_SOME} (?:without|with no|with (?:an? )?(?:empty|blank|missing|no)|missing|lacking|that have no|having no) "
        r"(?:an? |the |any )?<knowns:empty>",
    ),
    Rule("exclude", rf"{_LEAVE} (?:blank|empty) {_SOME}", {"blank": True}),
    # Columns.
    Rule("rename", r"(?:renam(?:e|ing)|call(?:ing)?) (?:the )?(?:columns? |fields? |headers? )?<pairs>"),
    Rule("map", r"map(?:ping)? (?:the )?(?:columns? |fields? |headers? )?<pairs>"),
    Rule(
        "types",
        r"(?:treat|read|store|keep|import|cast|parse|convert|set|save|format|load|interpret|handle|take|leave|make)(?:ing)? (?:the )?"
        r"(?:columns? |fields? )?<names> ?(?:columns? |fields? |values? )?(?:as|to|into|in) (?:an? |plain |type |the type )*<type>",
    ),
    Rule(
        "types",
        r"(?:the )?<names> ?(?:columns? |fields? )?(?:is|are|as|should be|must be|has to be|have to be|to be|stays?|remains?|:|=) ?"
        r"(?:an? |plain |of type |type |always )*<type>",
    ),
    Rule(
        "types",
        r"(?:(?:treat|read|store|keep|import|load|set|make|convert) )?(?:everything|all(?: the)? (?:columns?|fields?|values|data)|"
        r"every (?:column|field)) (?:as|is|are|to) (?:plain )?<type:every>",
    ),
    Rule(
        "required",
        r"<names> (?:is|are|be|must be|should be|has to be|have to be) (?:all |always )?(?:required|mandatory|obligatory|compulsory|"
        r"non-?empty|not null|not empty|never empty|never missing|not optional)",
    ),
    Rule(
        "required",
        r"<names> (?:must not|cannot|can't|can not|may not|should not|shouldn't|mustn't|must never|can never|should never) be "
        r"(?:left )?(?:empty|blank|missing|null)",
    ),
    Rule(
        "required",
        r"<names> (?:must|should|has to|have to|needs to) (?:be (?:present|given|set|filled(?: in)?|there)|have a value|exist)",
    ),
    Rule("required", r"(?:require|needs?|demand) (?:an? |the |that )*<names>", {}, 0.5),
    Rule(
        "required",
        rf"(?:every|each|all) {_SOME} (?:must have|needs?|has to have|have to have|should have) (?:an? |the )?<names>",
    ),
    Rule("rules", r"<name> (?:must|should|has to|have to|may only|can only) be between <number:low> and <number:high>"),
    Rule(
        "rules",
        r"<name> (?:must|should|has to|have to|may only|can only) be (?:positive|greater than 0|more than 0|above 0|> ?0)",
        {"above": 0.0},
    ),
    Rule(
        "rules",
        r"<name> (?:must|should|has to|have to) be (?:greater than|more than|above|over|larger than|higher than|>) <number:above>",
    ),
    Rule("rules", r"<name> (?:must not|cannot|can't|may not|should not) be negative", {"low": 0.0}),
    Rule(
        "rules",
        r"<name> (?:must|should|has to|have to) be (?:at least|>=|not less than|no less than|greater than or equal to|from) <number:low>",
    ),
    Rule(
        "rules",
        r"<name> (?:must|should|has to|have to|may|can) be (?:at most|<=|not more than|no more than|less than or equal to|up to) "
        r"<number:high>",
    ),
    Rule(
        "rules",
        r"<name> (?:must|should|has to|have to|may only|can only) be (?:one of|either|in|any of) (?:the )?<values>",
    ),
    Rule(
        "key",
        r"(?:based on|by|on|using|use|with|take|set|make|treat) (?:the )?<names:key> (?:together )?as (?:the |an? )?"
        + _KEY
        + r"(?:keys?|identifiers?|ids?)",
    ),
    Rule(
        "key",
        r"(?:the )?"
        + _KEY
        + r"keys?(?: columns?| fields?)? ?(?:is|are|=|:|should be|will be|must be) (?:the )?(?:combination |pair |"
        r"combo )?(?:of )?(?:the )?(?:columns? |fields? )?<names:key>(?: together| combined)?",
    ),
    Rule("key", _KEY + r"key(?: columns?)? (?:on|of|from|by) (?:the )?<names:key>(?: together)?", {}, 0.2),
    Rule(
        "key",
        r"(?:the )?(?:combination of |pair of )?(?:the )?<names:key> (?:together |combined )?(?:is|are|as|make(?:s)? up|forms?|identif(?:y|ies)) "
        r"(?:the |an? |one |each |every )*" + _KEY + r"(?:keys?|identifiers?|unique|rows?|records?)(?: key)?",
    ),
    Rule(
        "key",
        r"(?:identif\w+|match(?:ed|ing|es)?|unique|keyed|distinct|compar\w+|deduplicated?|dedup\w*) (?:the )?(?:existing )?(?:rows |records |them |it )?"
        r"(?:is |are )?(?:by|on|using|via) (?:the |their )?(?:combination of |columns? )?<names:key>",
    ),
    Rule("key", r"(?:matched |keyed |identified )?(?:by|based on|using) (?:the )?(?:columns? )?<knowns:key>", {}, 0.5),
    Rule("key", r"(?:is |are )?unique (?:by|on|per) (?:the )?<names:key>"),
    Rule(
        "key",
        r"(?:rows?|records?|entries|lines) (?:with|that have|having|that share|sharing) (?:the |an? )?(?:same|equal|identical|matching) <names:key> "
        r"(?:are|count as|is|should be|must be|should count as|are treated as) (?:the |all |considered )?(?:duplicates?|the same|equal|repeats)"
        r"(?: (?:rows?|records?|entries|lines))?",
    ),
    *(Rule("new_columns", pattern, {"policy": policy}) for pattern, policy in _POLICIES),
    Rule("columns", rf"(?:only|just) (?:{_TAKE} )?(?:the )?(?:columns?|fields?) <names:keep>"),
    Rule("columns", rf"(?:{_TAKE} )(?:only |just )?(?:the )?(?:columns?|fields?) <names:keep>(?: only)?"),
    Rule(
        "columns",
        rf"(?:(?:{_TAKE}) (?:only|just)|(?:only|just) (?:{_TAKE})) (?:the )?<knowns:keep>(?: columns?| fields?)?",
        {},
        0.3,
    ),
    Rule("columns", r"(?:only|just) (?:the )?<names:keep> (?:columns?|fields?)"),
    Rule("columns", rf"{_IGNORE} (?:the )?(?:columns?|fields?) <names:drop>"),
    Rule("columns", rf"(?:{_IGNORE}|except(?: for)?|but not) (?:the )?<names:drop> (?:columns?|fields?)"),
    Rule(
        "columns", r"(?:all )?(?:columns?|fields?) (?:except|but|other than|apart from)(?: for)? (?:the )?<names:drop>"
    ),
    Rule("columns", rf"(?:{_IGNORE}|except(?: for)?|but not|minus) (?:the )?<knowns:drop>", {}, 0.3),
    Rule(
        "proposals",
        r"(?:accept|take|use|confirm|apply) (?:all |the )*(?:proposed|suggested|guessed|similar|close|proposals?|suggestions?)"
        r"(?: (?:columns?|matches|mappings?|names|ones))?",
        {"accept_proposals": True},
    ),
    Rule(
        "proposals",
        r"(?:do not|don't|never) (?:guess|accept|take|use) (?:any |the )*(?:proposed |suggested |similar )?(?:columns?|proposals?|matches|names)",
        {"accept_proposals": False},
    ),
    # That it is an import.
    Rule(
        "import",
        r"(?:import|load|upload|add|insert|put|bring|ingest|store|save|read|copy|write|append|use|take|get|process)(?:ing)?(?: in)? "
        + _THIS
        + _FILE
        + r"(?: (?:file|data|rows|records|contents?))?",
    ),
    Rule(
        "import",
        r"(?:import|load|upload|add|insert|put|bring|ingest|store|save|read|copy|write|append|importing|do|make sure|goes|go|belongs?)",
    ),
    Rule("import", _WITH_THIS, {}, 0.2),
    Rule(
        "import",
        r"(?:all|every|each)(?: (?:of|the|these|those|my|our))* (?:rows?|records?|entries|lines|data|it|them|file)",
    ),
    Rule("import", r"(?:this|that|the|my|our|attached|uploaded) " + _FILE + r"(?: file)?"),
]
