"""The clauses in English on the file and on rows that the table already has."""

from __future__ import annotations

from atlas.language.offline.import_clauses.english_words import (
    ADD,
    BY_THIS,
    CONTENTS,
    DET,
    DUPLICATES,
    IGNORE,
    KEYED,
    UPDATED,
    WITH_THIS,
    table_rules,
)
from atlas.language.offline.import_clauses.grammar import Rule

_DATES_ARE = r"(?:the |all )*dates? (?:are|is|use|look|looks|come) (?:in |the |all |written )*"
_STYLE = r"(?: style| format| order| notation)*"
FILE_RULES: list[Rule] = [
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
    # The layout of the file.
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
    Rule("header", rf"{IGNORE} (?:the )?(?:first|top) <count:skip_rows> (?:rows|lines)(?: of the file)?"),
    Rule("header", rf"{IGNORE} (?:the )?(?:first|top) (?:row|line)(?: of the file)?", {"skip_rows": 1}),
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
    Rule("dates", _DATES_ARE + r"(?:european|british|uk|german|french|spanish)" + _STYLE, {"day_first": True}),
    Rule("dates", _DATES_ARE + r"(?:us|u\.s\.|american)" + _STYLE, {"day_first": False}),
    Rule("import", _DATES_ARE + r"iso(?:[ -]?8601)?" + _STYLE),
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
    # The treatment of present rows.
    *(Rule("duplicates", pattern, {"duplicates": choice}) for pattern, choice in DUPLICATES),
    *(
        Rule("duplicates", f"(?:{pattern}){KEYED}", {"duplicates": choice})
        for pattern, choice in DUPLICATES
        if choice != "keep"
    ),
    Rule(
        "new_rows",
        r"(?:and )?(?:add|insert|import|append) (?:the |any |all )*(?:new|other|missing|remaining|rest|unknown)"
        r"(?: of them| (?:ones|rows|records|entries|products|customers|contacts|leads|items))?",
        {"new_rows": True},
    ),
    Rule(
        "duplicates",
        r"(?:do not|don't|never) (?:add|insert|create|import) (?:the |any |all )*(?:new|other|missing|unknown) "
        r"(?:ones|rows|records|entries)",
        {"duplicates": "update", "new_rows": False},
    ),
    Rule("duplicates", r"no new (?:rows|records|entries|ones)", {"duplicates": "update", "new_rows": False}),
    *table_rules(
        "duplicates",
        r"(?:only |just )?(?:update|refresh|change|set|overwrite) (?:the )?<name:update> (?:in|of|on|for) ",
        BY_THIS,
        UPDATED,
    ),
    Rule(
        "duplicates",
        r"(?:only |just )?(?:update|refresh) (?:the )?<name:update> (?:in|of|for) " + DET + "<table>",
        UPDATED,
        0.5,
    ),
    *table_rules(
        "duplicates",
        r"(?:only |just )?(?:update|refresh) (?:the |all |existing )*(?:data|rows|records|entries|values)? ?(?:in |of )?",
        BY_THIS,
        UPDATED,
    ),
    Rule(
        "duplicates",
        r"(?:update|refresh) (?:the |my |our )*<table> (?:by|on|matching(?: on)?|using) (?:the )?<names:key>",
        UPDATED,
        0.5,
    ),
    Rule(
        "duplicates",
        r"(?:merge|upsert|sync(?:hroni[sz]e)?) (?:(?:this|it|the|file|data|rows) )*(?:in|into|with|to) "
        + DET
        + "<table>",
        {"duplicates": "update"},
        0.5,
    ),
    Rule(
        "duplicates",
        r"(?:merge|upsert|sync(?:hroni[sz]e)?) (?:(?:this|it|the|file|data|rows) )*(?:in|into|with|to) "
        + DET
        + "<table>"
        + KEYED,
        {"duplicates": "update"},
        0.5,
    ),
    Rule(
        "duplicates",
        rf"(?:(?:only|just) {ADD}|{ADD}(?:only|just) )(?:the )?(?:new|missing) (?:rows|records|entries|ones)",
        {"duplicates": "skip"},
    ),
    *table_rules(
        "replace",
        rf"(?:replace|overwrite|exchange) (?:(?:everything|all|{CONTENTS}) )+(?:in|of|from|on) ",
        BY_THIS,
        bare=BY_THIS,
    ),
    *table_rules(
        "replace",
        r"(?:replace|overwrite|exchange) ",
        r"(?: (?:completely|entirely|fully))?" + BY_THIS,
        bare=rf"(?: (?:completely|entirely|fully)| {WITH_THIS})",
    ),
    Rule(
        "replace",
        r"(?:replace|overwrite|exchange) (?:the |existing |old |whole |entire )*(?:table|everything|contents?|all (?:of )?(?:the )?(?:rows|records|data))"
        r"(?: (?:completely|entirely))?(?: " + WITH_THIS + ")?",
        {"replace": True},
    ),
    *table_rules("replace", r"(?:clear|empty|truncate|wipe|purge|reset|flush)(?: out)? ", r"(?: first| completely)?"),
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
    *table_rules(
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
        r"replac\w* (?:the )?(?:existing |old )+(?:rows?|records?|entries|ones)" + KEYED,
        {"duplicates": "update"},
    ),
    Rule(
        "question",
        r"(?:replac\w*|overwrite) (?:the )?(?:existing |old |current )+(?:data|ones|values|rows|records|entries)",
        {"question": "Shall all rows of the table be replaced, or only those with the same key be updated?"},
    ),
]
