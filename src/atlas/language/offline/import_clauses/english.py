"""The clauses of import instructions in English."""

from __future__ import annotations

from atlas.language.offline.import_clauses.english_files import FILE_RULES
from atlas.language.offline.import_clauses.english_words import (
    DET,
    FILE,
    IGNORE,
    KEY,
    LEAVE,
    NO_TYPE,
    POLICIES,
    SOME,
    TAKE,
    THE,
    THIS,
    VOCABULARY,
    WHERE,
    WITH_THIS,
)
from atlas.language.offline.import_clauses.grammar import Rule

__all__ = ["RULES", "VOCABULARY"]

RULES: list[Rule] = [
    *FILE_RULES,
    # The target table or dataset.
    Rule("table", r"(?:in|into|to|as|onto|for)? ?" + DET + r"table (?:called |named |name )?<table>"),
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
    Rule("table", r"(?:in|into|to|as|onto|for) " + DET + r"<title:table> (?:table|list|database|collection)"),
    Rule("table", r"(?:the |my |our )?<title:table> (?:table|list)", {}, 1.0),
    Rule("table", r"(?:into|onto|in|to) " + DET + r"<table>", {"weak": True}, 0.3),
    Rule("table", r"(?:into|onto|in|to) (?:a |the |my )?new <table>", {"new": True}, 0.3),
    Rule("table", r"as " + DET + NO_TYPE + r"<table>", {"weak": True}, 1.5),
    Rule(
        "table",
        r"(?:these are|here are|here's|here is|import|load|add|upload|save|store|insert|put)(?: (?:my|our|the|these|those|some|new|your|all|attached|"
        r"enclosed|uploaded|following|latest|recent|current|monthly|weekly|daily|yearly|quarterly|complete|whole|full|updated))* <table>",
        {"weak": True, "object": True},
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
    Rule("filter", rf"(?:only |just )?(?:{TAKE} )?(?:only |just )?{THE}{SOME} {WHERE} <condition>(?: only)?"),
    Rule(
        "filter",
        rf"(?:only |just )?(?:{TAKE} )?(?:only |just )?{THE}{SOME} (?:with|having|that have|of|for) (?:an? |the )?<traits:condition>(?: only)?",
        {},
        0.2,
    ),
    Rule(
        "filter",
        rf"(?:only |just )?(?:{TAKE} )?(?:only |just )?(?:but |and )?(?:only |just )?(?:where|whose|if|when|provided(?: that)?|as long as) "
        r"(?:the )?<condition>(?: only)?",
    ),
    Rule("filter", r"(?:only|just)(?: for| with)? <traits:condition>", {}, 1.0),
    Rule(
        "filter",
        rf"filter(?:ed)? (?:by|on|for|to|with|the (?:rows|data) (?:by|on|where)) (?:{SOME} {WHERE} )?<condition>",
    ),
    Rule(
        "filter",
        rf"(?:only |just )(?:{TAKE} )?{THE}{SOME} (?:with|that have|having) (?:an? |the )?(?:non-?empty |filled )?<knowns:filled>",
        {},
        0.5,
    ),
    Rule("exclude", rf"{LEAVE} {THE}{SOME} {WHERE} <condition>"),
    Rule("exclude", rf"{LEAVE} {THE}{SOME} (?:with|having|that have|of|for) (?:an? |the )?<traits:condition>", {}, 0.2),
    Rule("exclude", rf"{LEAVE} (?:it |them |those )?(?:if|when|where|whose) <condition>"),
    Rule("exclude", r"(?:unless|except (?:if|when|where)) <condition>"),
    Rule(
        "exclude",
        rf"{LEAVE} {THE}{SOME} (?:without|with no|with (?:an? )?(?:empty|blank|missing|no)|missing|lacking|that have no|having no) "
        r"(?:an? |the |any )?<knowns:empty>",
    ),
    Rule("blank", rf"{LEAVE} (?:the |all |any )*(?:blank|empty) {SOME}"),
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
        rf"(?:every|each|all) {SOME} (?:must have|needs?|has to have|have to have|should have) (?:an? |the )?<names>",
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
        + KEY
        + r"(?:keys?|identifiers?|ids?)",
    ),
    Rule(
        "key",
        r"(?:the )?"
        + KEY
        + r"keys?(?: columns?| fields?)? ?(?:is|are|=|:|should be|will be|must be) (?:the )?(?:combination |pair |"
        r"combo )?(?:of )?(?:the )?(?:columns? |fields? )?<names:key>(?: together| combined)?",
    ),
    Rule("key", KEY + r"key(?: columns?)? (?:on|of|from|by) (?:the )?<names:key>(?: together)?", {}, 0.2),
    Rule(
        "key",
        r"(?:the )?(?:combination of |pair of )?(?:the )?<names:key> (?:together |combined )?(?:is|are|as|make(?:s)? up|forms?|identif(?:y|ies)) "
        r"(?:the |an? |one |each |every )*" + KEY + r"(?:keys?|identifiers?|unique|rows?|records?)(?: key)?",
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
        r"(?:duplicates?|repeats|doubles) (?:are|is|means?) (?:the |all |those |any )*(?:rows?|records?|entries|lines|ones) "
        r"(?:with|that have|having|that share|sharing) (?:the |an? )?(?:same|equal|identical|matching) <names:key>",
    ),
    Rule(
        "key",
        r"(?:rows?|records?|entries|lines) (?:with|that have|having|that share|sharing) (?:the |an? )?(?:same|equal|identical|matching) <names:key> "
        r"(?:are|count as|is|should be|must be|should count as|are treated as) (?:the |all |considered )?(?:duplicates?|the same|equal|repeats)"
        r"(?: (?:rows?|records?|entries|lines))?",
    ),
    *(Rule("new_columns", pattern, {"policy": policy}) for pattern, policy in POLICIES),
    Rule("columns", rf"(?:only|just) (?:{TAKE} )?(?:the )?(?:columns?|fields?) <names:keep>"),
    Rule("columns", rf"(?:{TAKE} )(?:only |just )?(?:the )?(?:columns?|fields?) <names:keep>(?: only)?"),
    Rule(
        "columns",
        rf"(?:(?:{TAKE}) (?:only|just)|(?:only|just) (?:{TAKE})) (?:the )?<knowns:keep>(?: columns?| fields?)?",
        {},
        0.3,
    ),
    Rule("columns", r"(?:only|just) (?:the )?<names:keep> (?:columns?|fields?)"),
    Rule("columns", rf"{IGNORE} (?:the )?(?:columns?|fields?) <names:drop>"),
    Rule("columns", rf"(?:{IGNORE}|except(?: for)?|but not) (?:the )?<names:drop> (?:columns?|fields?)"),
    Rule(
        "columns", r"(?:all )?(?:columns?|fields?) (?:except|but|other than|apart from)(?: for)? (?:the )?<names:drop>"
    ),
    Rule("columns", rf"(?:{IGNORE}|except(?: for)?|but not|minus) (?:the )?<knowns:drop>", {}, 0.3),
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
    # The request to import.
    Rule(
        "import",
        r"(?:import|load|upload|add|insert|put|bring|ingest|store|save|read|copy|write|append|use|take|get|process)(?:ing)?(?: in)? "
        + THIS
        + FILE
        + r"(?: (?:file|data|rows|records|contents?))?",
    ),
    Rule(
        "import",
        r"(?:import|load|upload|add|insert|put|bring|ingest|store|save|read|copy|write|append|importing|do|make sure|goes|go|belongs?)",
    ),
    Rule("import", WITH_THIS, {}, 0.2),
    Rule(
        "import",
        r"(?:all|every|each)(?: (?:of|the|these|those|my|our))* (?:rows?|records?|entries|lines|data|it|them|file)",
    ),
    Rule("import", r"(?:this|that|the|my|our|attached|uploaded) " + FILE + r"(?: file)?"),
]
