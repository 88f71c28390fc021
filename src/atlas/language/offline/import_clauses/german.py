"""The clauses of import instructions in German."""

from __future__ import annotations

from atlas.language.offline.import_clauses.grammar import Rule, Vocabulary

_TYPES = {
    "text": "text",
    "texte": "text",
    "zeichenkette": "text",
    "zeichenketten": "text",
    "string": "text",
    "ganzzahl": "bigint",
    "ganzzahlen": "bigint",
    "ganze zahl": "bigint",
    "ganze zahlen": "bigint",
    "integer": "bigint",
    "zahl": "double",
    "zahlen": "double",
    "kommazahl": "numeric",
    "dezimalzahl": "numeric",
    "dezimalzahlen": "numeric",
    "betrag": "numeric",
    "geldbetrag": "numeric",
    "währung": "numeric",
    "ja/nein": "boolean",
    "wahrheitswert": "boolean",
    "boolean": "boolean",
    "datum": "date",
    "datumswert": "date",
    "zeitpunkt": "timestamp",
    "zeitstempel": "timestamp",
    "json": "json",
}
_COMPARISONS: tuple[tuple[str, str, bool], ...] = (
    (r"(?:ist |sind )?(?:nicht leer|gefüllt|ausgefüllt|vorhanden|angegeben)(?: ist| sind)?", "empty", True),
    (r"(?:ist |sind )?(?:leer|nicht gesetzt|nicht vorhanden)(?: ist| sind)?|fehlt", "empty", False),
    (r"(?:ist |liegt )?nicht zwischen", "between", True),
    (r"(?:ist |liegt )?zwischen", "between", False),
    (r"(?:ist |sind )?(?:nicht in|keiner von|keines von)", "in", True),
    (r"(?:ist |sind )?(?:in|einer von|eines von|eine von)", "in", False),
    (r"enthält nicht|nicht enthält", "contains", True),
    (r"enthält|enthalten", "contains", False),
    (r"(?:beginnt|fängt|anfängt)(?: an)? mit", "starts", False),
    (r"endet (?:auf|mit)", "ends", False),
    (
        r"(?:ist )?(?:größer(?: oder)? gleich|grösser(?: oder)? gleich|mindestens|>=|≥|ab|nicht kleiner als|nicht unter)",
        ">=",
        False,
    ),
    (r"(?:ist )?(?:kleiner(?: oder)? gleich|höchstens|maximal|<=|≤|bis|nicht größer als|nicht über)", "<=", False),
    (r"(?:ist |liegt )?(?:größer als|grösser als|mehr als|höher als|über|oberhalb von|nach|später als|>)", ">", False),
    (r"(?:ist |liegt )?(?:kleiner als|weniger als|niedriger als|unter|unterhalb von|vor|früher als|<)", "<", False),
    (
        r"(?:ist |sind )?weder|(?:ist|sind) (?:nicht gleich|ungleich|nicht)|ungleich|!=|<>|≠|nicht gleich|nicht",
        "=",
        True,
    ),
    (r"(?:ist |sind )?gleich|==?|ist|sind|lautet|:", "=", False),
)

VOCABULARY = Vocabulary(
    name="german",
    stops=frozenset(
        """in ins im die der das den dem des ein eine einen einer eines einem und oder aber dann wenn falls wo mit ohne außer
        ausser von vom zu zum zur nach auf aus als für bei über unter zwischen vor bis ab ist sind sein soll sollen muss müssen
        darf dürfen hat haben nicht kein keine keinen nur bitte tabelle tabellen spalte spalten feld felder zeile zeilen
        datensatz datensätze importiere importieren lade laden füge einfügen ein ersetze ersetzen leere leeren lösche löschen
        aktualisiere aktualisieren überspringe überspringen ignoriere ignorieren behalte behalten markiere markieren behandle
        behandeln lies lese lesen benenne benennen nenne um duplikat duplikate dubletten doppelte schlüssel pflicht pflichtfeld
        erforderlich kopfzeile überschrift blatt tabellenblatt neue neuen neuer denen deren gleich werden wird existierende
        vorhandene bestehende diese dieser dieses diesen datei gemäß anhand enthält größer grösser kleiner mehr weniger
        mindestens höchstens lautet""".split()
    ),
    fillers=frozenset(
        """die der das den dem des ein eine einen bitte danke hallo und dann auch mal ich wir möchte möchten will wollen soll
        sollen kann können dabei dazu hier diese dieser dieses diesen meine meinen meiner unser unsere unseren mir uns jetzt
        sowie werden wird sein es sie so doch ja""".split()
    ),
    joins=r"und|sowie",
    either=r"oder",
    nor=r"noch",
    bounds=(
        (r" (?:oder|und) (?:mehr|höher|größer|darüber|später|neuer)", ">="),
        (r" (?:oder|und) (?:weniger|niedriger|kleiner|darunter|früher|älter)", "<="),
    ),
    articles=r"die|der|das|den|dem|spalten?|felde?r?|feld",
    arrows=r"in|zu|nach|als|auf|->|=>|→|=",
    types=_TYPES,
    predicates=frozenset(
        """pflicht pflichtfeld pflichtfelder erforderlich notwendig verpflichtend zwingend obligatorisch
        eindeutig schlüssel primärschlüssel""".split()
    ),
    comparisons=_COMPARISONS,
    leads=r"wo|bei denen|deren|die|der|das|den|dem|mit|wenn|falls|entweder|in denen|für die",
    negation=r"nicht",
    verbs=(r"ist|soll|muss|bleibt", r"sind|sollen|müssen|bleiben"),
    behind=r"ist|sind|liegt|liegen|hat|haben|beträgt|lautet",
    decimal_comma=True,
)

_DET = r"(?:die |den |das |der |dem |eine |einen |ein |meine |meinen |meiner |unsere |unseren |unserer |bestehende |vorhandene |ganze |gesamte |ganzen |gesamten )*"
_FILE_WORDS = (
    r"datei(?:en)?|csv(?:-datei)?|excel(?:-datei)?|daten|export|anhang|tabelle|json|xml|parquet|alles|alle zeilen|alle datensätze|sie|es|das|diese|"
    r"zeilen|datensätze|inhalt|\S+\.(?:csv|tsv|txt|xlsx?|ods|json|xml|parquet|gz|zip)"
)
_THIS = r"(?:(?:diese|dieser|dieses|diesen|die|der|das|den|dem|meine|unsere|neue|neuen|beigefügte|angehängte|hochgeladene|alle) )*"
_WITH_THIS = rf"(?:mit|durch|aus|von|anhand)(?: (?:diese|dieser|diesen|diesem|die|das|der|den|dem|neuen|neue|inhalt))+(?: (?:{_FILE_WORDS}))*"
_SOME = r"(?:zeilen?|datensätze|datensatz|einträge|einträgen|zeilen|datensätzen|kunden|kontakte|bestellungen|aufträge|produkte|artikel|die|diejenigen)"
_WHERE = r"(?:,? ?(?:wo|bei denen|in denen|für die|deren|die|wenn|falls|mit))"
_LEAVE = r"(?:überspringen?|ignorieren?|entfernen?|lass(?:e|en)?|verwerfen?|verwirf|ohne|außer|ausser|keine)"
_TAKE = r"(?:importieren?|laden?|lade|behalten?|übernimm|übernehmen?|nimm|nur)"
_DUP = r"(?:duplikate?n?|dubletten|doppelte(?:n)?(?: (?:zeilen|datensätze|einträge))?)"
_KEYED = r" (?:nach|anhand von|anhand|gemäß|auf basis von|mit gleicher|mit gleichem|über|bei gleicher|bei gleichem) (?:der |dem |den )?<names:key>"
_DUPLICATES: tuple[tuple[str, str], ...] = (
    (
        rf"(?:keine prüfung auf {_DUP}|{_DUP} (?:behalten|zulassen|erlauben|importieren|nicht prüfen)|behalten? (?:die |alle )*{_DUP}|erlauben? {_DUP})",
        "keep",
    ),
    (
        rf"(?:markieren?|kennzeichnen?|meldet?|melden|zeigen?) (?:die |alle |mögliche )*{_DUP}|{_DUP} (?:markieren|kennzeichnen|melden)",
        "flag",
    ),
    (
        r"(?:aktualisieren?|überschreiben?) (?:die |alle )*(?:vorhandenen?|bestehenden?|existierenden?) (?:zeilen|datensätze|einträge|kunden|kontakte|produkte)",
        "update",
    ),
    (
        r"(?:vorhandene|bestehende|existierende)n? (?:zeilen|datensätze|einträge|kunden|kontakte|produkte) (?:aktualisieren|überschreiben)",
        "update",
    ),
    (rf"(?:aktualisieren?|überschreiben?) (?:bei )?{_DUP}|{_DUP} (?:aktualisieren|überschreiben)", "update"),
    (
        rf"(?:überspringen?|ignorieren?|entfernen?|verwerfen?|löschen?|lösche) (?:die |alle |etwaige )*{_DUP}|{_DUP} (?:überspringen|ignorieren|entfernen|auslassen|weglassen)|"
        rf"(?:keine|ohne) {_DUP}",
        "skip",
    ),
)
_ALL = r"(?:alles|alle (?:zeilen|daten|datensätze|einträge)|(?:den )?(?:gesamten |ganzen )?inhalt|die (?:zeilen|daten|datensätze)|alle (?:alten |bestehenden |vorhandenen )(?:zeilen|daten|datensätze))"

RULES: list[Rule] = [
    Rule(
        "question",
        r"(?:nicht importieren|importieren? (?:das|die datei|es|diese datei) nicht|(?:das|diese datei) nicht importieren)",
        {"question": "Sie sagen, dies solle nicht importiert werden. Soll importiert werden?"},
    ),
    Rule(
        "question",
        r"(?:aus |von )?alle(?:n)? (?:tabellen)?blätter(?:n)?",
        {"question": "Ein Import liest ein Blatt. Welches? (One import reads one sheet. Which one?)"},
    ),
    Rule(
        "thread",
        r"(?:mach )?(?:genau )?(?:dasselbe|das gleiche|wie (?:vorher|zuvor|beim letzten mal))(?: (?:mit|für) (?:dieser|diese) datei)?",
        {"same": True},
    ),
    Rule(
        "header",
        r"(?:die )?(?:datei|csv|tabelle|sie|es)? ?(?:hat |enthält |ist |gibt )*(?:keine|ohne) (?:kopfzeile|überschriften|überschrift|"
        r"spaltenüberschriften|spaltennamen|header|titelzeile)",
        {"header": False},
    ),
    Rule(
        "header",
        r"(?:die )?erste zeile (?:ist|enthält) (?:keine (?:kopfzeile|überschriften|überschrift|spaltennamen)|(?:schon |bereits )?(?:ein datensatz|daten))",
        {"header": False},
    ),
    Rule(
        "header",
        r"(?:die )?erste zeile (?:ist|enthält) (?:die |eine )?(?:kopfzeile|überschriften|überschrift|spaltennamen)",
        {"header": True},
    ),
    Rule(
        "header",
        r"(?:die )?(?:kopfzeile|überschriften|überschrift|spaltennamen) (?:ist|sind|steht|stehen)(?: in)?(?: der)? zeile <count:header_row>",
    ),
    Rule("header", r"zeile <count:header_row> (?:ist|enthält) (?:die )?(?:kopfzeile|überschriften|spaltennamen)"),
    Rule("header", r"(?:überspringen?|ignorieren?) (?:die )?ersten <count:skip_rows> zeilen"),
    Rule("header", r"(?:die )?ersten <count:skip_rows> zeilen (?:überspringen|ignorieren|auslassen)"),
    Rule(
        "dates",
        r"(?:(?:das )?(?:datum|datumsangaben|datumsformat)(?:e)? ?(?:ist|sind|hat|haben|im|in|:)? ?(?:dem )?(?:format )?)?(?:der )?(?:tag (?:zuerst|zuvorderst|vor (?:dem )?monat|steht (?:zuerst|vorne?))|"
        r"tt?[./-]mm?[./-]jj(?:jj)?|dd?[./-]mm?[./-]yy(?:yy)?)",
        {"day_first": True},
    ),
    Rule("dates", r"deutsche(?:s)? (?:datum|datumsformat|datumsangaben)", {"day_first": True}),
    Rule(
        "dates",
        r"(?:(?:das )?(?:datum|datumsangaben|datumsformat) ?(?:ist|sind|im|in|:)? ?(?:format )?)?(?:der )?(?:monat (?:zuerst|vor (?:dem )?tag)|mm[./-]tt[./-]jj(?:jj)?)",
        {"day_first": False},
    ),
    Rule(
        "numbers",
        r"(?:(?:die )?zahlen (?:haben|sind|mit|verwenden) ?)?(?:mit )?(?:ein(?:em)? )?(?:dezimalkomma|komma als dezimal(?:zeichen|trenner|trennzeichen)|deutsche[sn]? (?:zahlen|zahlenformat))(?: geschrieben)?",
        {"decimal_comma": True},
    ),
    Rule(
        "numbers",
        r"(?:das )?dezimal(?:zeichen|trenner|trennzeichen) ist (?:ein |das )?komma|(?:das )?komma ist (?:das )?dezimal(?:zeichen|trenner|trennzeichen)",
        {"decimal_comma": True},
    ),
    Rule(
        "numbers",
        r"(?:(?:die )?zahlen (?:haben|mit|verwenden) ?)?(?:mit )?(?:ein(?:en|em)? )?(?:dezimalpunkt|punkt als dezimal(?:zeichen|trenner|trennzeichen)|englische[sn]? (?:zahlen|zahlenformat))",
        {"decimal_comma": False},
    ),
    Rule(
        "sheet",
        r"(?:aus |vom |nur |nimm |lies )*(?:dem |das )?(?:tabellen|arbeits)?blatt (?:namens |nummer )?<title:sheet>",
    ),
    Rule("sheet", r"(?:aus |vom |nur )*(?:dem |das )?(?:tabellen|arbeits)?blatt (?:nummer )?<count:sheet>"),
    *(Rule("duplicates", pattern, {"duplicates": choice}) for pattern, choice in _DUPLICATES),
    *(
        Rule("duplicates", f"(?:{pattern}){_KEYED}", {"duplicates": choice})
        for pattern, choice in _DUPLICATES
        if choice != "keep"
    ),
    Rule(
        "duplicates",
        r"(?:aktualisieren?) (?:die |den |das )?<name:update> in (?:der |meiner |unserer )?tabelle <table>(?: "
        + _WITH_THIS
        + ")?",
        {"duplicates": "update", "only_existing": True},
    ),
    Rule(
        "duplicates",
        r"(?:aktualisieren?) (?:die |meine |unsere )?tabelle <table>(?: " + _WITH_THIS + ")?",
        {"duplicates": "update", "only_existing": True},
    ),
    Rule(
        "new_rows",
        r"(?:neue|fehlende)(?:n)? (?:zeilen|datensätze|einträge)? ?(?:hinzufügen|einfügen|anlegen)",
        {"new_rows": True},
    ),
    Rule(
        "replace",
        rf"(?:ersetzen?|überschreiben?|tauschen?) {_ALL} (?:in|aus|von) {_DET}tabelle <table>(?: {_WITH_THIS})?",
        {"replace": True},
    ),
    Rule(
        "replace",
        rf"(?:ersetzen?|überschreiben?|leeren?|löschen?|lösche) {_DET}(?:inhalt der |daten der |zeilen der )?tabelle <table>(?: (?:vorher|zuerst|komplett))?(?: {_WITH_THIS})?",
        {"replace": True},
    ),
    Rule(
        "replace",
        rf"(?:ersetzen?|überschreiben?|leeren?) (?:die |den )?(?:ganze |gesamte |gesamten |bestehende )?(?:tabelle|inhalt)(?: (?:vorher|zuerst|komplett))?(?: {_WITH_THIS})?",
        {"replace": True},
        0.2,
    ),
    Rule(
        "replace",
        rf"(?:löschen?|lösche|entfernen?) (?:vorher |zuerst )?{_ALL} (?:in|aus|von) {_DET}tabelle <table>(?: (?:vorher|zuerst))?",
        {"replace": True},
    ),
    Rule(
        "replace",
        rf"(?:löschen?|lösche|entfernen?) (?:vorher |zuerst )?{_ALL}(?: (?:vorher|zuerst))?",
        {"replace": True},
        0.2,
    ),
    Rule(
        "table",
        r"(?:(?:in|als|für) )?"
        + _DET
        + r"(?:bestehende )?tabelle (?:namens |mit dem namen )?<table>(?: (?:importieren|laden|einfügen|einlesen|übernehmen|ein))?",
    ),
    Rule(
        "table",
        r"(?:(?:erstellen?|lege|anlegen|mache?|in|als) )?(?:eine )?neue tabelle (?:namens |mit dem namen )?<table>(?: (?:an|anlegen|erstellen|importieren|laden))?",
        {"new": True},
    ),
    Rule(
        "table",
        r"(?:in|ins|nach|zu) " + _DET + r"<table>-?tabelle(?: (?:importieren|laden|einfügen|einlesen))?",
        {},
        0.2,
    ),
    Rule(
        "table",
        r"(?:in|ins|nach) " + _DET + r"<table>(?: (?:importieren|laden|einfügen|einlesen))?",
        {"weak": True},
        0.5,
    ),
    Rule(
        "filter",
        rf"(?:(?:{_TAKE}) )*(?:nur )?(?:die |alle |jene )*{_SOME}(?: importieren| übernehmen| laden| behalten)?{_WHERE} <condition>(?: ist| sind| hat| haben)?",
    ),
    Rule(
        "filter",
        rf"(?:(?:{_TAKE}) )*(?:nur )?(?:die |alle |jene )*{_SOME}{_WHERE} <traits:condition> (?:ist|sind|lautet)",
        {},
        0.2,
    ),
    Rule(
        "filter",
        rf"(?:(?:{_TAKE}) )*nur (?:die |alle )*{_SOME} mit (?:dem |der |einem |einer )?<traits:condition>",
        {},
        0.2,
    ),
    Rule("filter", r"(?:nur )?(?:wo|wenn|falls|bei denen) <condition>(?: ist| sind)?"),
    Rule(
        "filter",
        rf"nur (?:die |alle )*{_SOME} mit (?:einem |einer |vorhandenem |vorhandener )?<knowns:filled>",
        {},
        0.5,
    ),
    Rule(
        "exclude",
        rf"{_LEAVE} (?:die |alle |jene )*{_SOME}{_WHERE} <condition>(?: ist| sind| hat| haben)?(?: weg| aus)?",
    ),
    Rule("exclude", rf"{_LEAVE} (?:die |alle |jene )*{_SOME}{_WHERE} <traits:condition> (?:ist|sind|lautet)", {}, 0.2),
    Rule(
        "exclude",
        rf"{_LEAVE} (?:die |alle )*{_SOME} mit (?:dem |der |einem |einer )?<traits:condition>(?: weg| aus)?",
        {},
        0.2,
    ),
    Rule("exclude", rf"{_LEAVE} (?:die |alle )*{_SOME} ohne (?:eine? |einen )?<knowns:empty>(?: weg| aus)?"),
    Rule("exclude", r"(?:außer|ausser)(?: wenn| wo)? <condition>"),
    Rule("rename", r"(?:benennen?|umbenennen|nennen?|benenne) (?:die )?(?:spalten? )?<pairs>(?: um)?"),
    Rule("rename", r"(?:die )?spalten? <pairs> (?:umbenennen|um)", {}, 0.2),
    Rule(
        "types",
        r"(?:behandle|behandeln|lies|lesen?|importieren?|speichern?|nimm|verwenden?|interpretieren?|setzen?) (?:die )?(?:spalten? )?<names> als (?:reinen |reine )?<type>(?: behandeln| lesen)?",
    ),
    Rule(
        "types",
        r"(?:die )?(?:spalten? )?<names> (?:ist|sind|soll|sollen|als|muss|bleibt|bleiben)(?: als)?(?: ein| eine)? <type>(?: sein| bleiben| behandeln| lesen| importieren)?",
    ),
    Rule("types", r"alle spalten (?:sind |als )(?:reiner )?<type:every>(?: behandeln| lesen)?"),
    Rule(
        "required",
        r"<names> (?:ist|sind|als) (?:ein |eine |immer )?(?:pflicht|pflichtfeld|pflichtfelder|erforderlich|notwendig|verpflichtend|zwingend|obligatorisch)",
    ),
    Rule(
        "required",
        r"<names> (?:darf|dürfen|soll|sollen|muss|müssen) (?:nicht leer sein|nicht fehlen|nicht leer bleiben|vorhanden sein|ausgefüllt sein|gefüllt sein|immer gefüllt sein)",
    ),
    Rule("rules", r"<name> (?:muss|soll) zwischen <number:low> und <number:high> (?:liegen|sein)"),
    Rule("rules", r"<name> (?:muss|soll) mindestens <number:low> (?:sein|betragen)"),
    Rule("rules", r"<name> (?:darf|muss|soll) höchstens <number:high> (?:sein|betragen)"),
    Rule("rules", r"<name> (?:muss|soll) positiv sein", {"above": 0.0}),
    Rule(
        "key",
        r"(?:der |die )?(?:eindeutige |eindeutiger |zusammengesetzte |zusammengesetzter )?(?:primär)?schlüssel(?:spalten?)? (?:ist|sind|=|:) (?:die )?(?:kombination (?:aus|von) )?<names:key>",
    ),
    Rule(
        "key", r"<names:key> (?:ist|sind|bilden|als) (?:zusammen )?(?:der |den |ein |eindeutiger )*(?:primär)?schlüssel"
    ),
    Rule("key", r"<names:key> (?:ist|sind) eindeutig"),
    Rule("key", r"(?:verwenden?|nimm|nutzen?) (?:die )?<names:key> als (?:den |eindeutigen )*(?:primär)?schlüssel"),
    Rule(
        "key",
        r"(?:abgleich(?:en)?|vergleichen?|gleiche|zuordnen|identifizieren?) (?:ab |die zeilen |über |nach |anhand (?:von )?|mit )*(?:der |die )?<names:key>(?: ab)?",
    ),
    Rule("key", r"(?:anhand|nach|gemäß) (?:von |der )?<knowns:key>", {}, 0.5),
    Rule(
        "new_columns",
        r"(?:ignorieren?|überspringen?|verwerfen?) (?:alle )?(?:neuen?|unbekannten?|zusätzlichen?) spalten|(?:neue|unbekannte|zusätzliche) spalten (?:ignorieren|weglassen|verwerfen)",
        {"policy": "discard_value"},
    ),
    Rule("new_columns", r"(?:neue|fehlende) spalten (?:anlegen|hinzufügen|erlauben)", {"policy": "evolve"}),
    Rule(
        "columns",
        r"(?:importieren? |behalten? |nimm |lade )?nur (?:die )?(?:spalten?|felder) <names:keep>(?: importieren| übernehmen| behalten)?",
    ),
    Rule(
        "columns",
        r"(?:ohne|entfernen?|ignorieren?|überspringen?|lasse?) (?:die )?(?:spalten?|felder|feld) <names:drop>(?: weg| aus)?",
    ),
    Rule(
        "columns",
        r"(?:die )?(?:spalten?|felder) <names:drop> (?:weglassen|ignorieren|entfernen|auslassen|überspringen)",
    ),
    Rule(
        "import",
        rf"(?:importieren?|laden?|lade|einlesen|lies|füge|einfügen|speichern?|übernimm|übernehmen?|nimm|hochladen|verwenden?|hinzufügen) {_THIS}(?:{_FILE_WORDS})(?: (?:ein|hinzu|hoch))?",
    ),
    Rule(
        "import",
        r"(?:importieren?|laden?|lade|einlesen|füge|einfügen|speichern?|übernimm|hochladen|hinzufügen|importiert)",
    ),
    Rule("import", rf"{_WITH_THIS}", {}, 0.2),
    Rule("import", rf"(?:diese|die|meine|unsere) (?:{_FILE_WORDS})"),
]
