"""The clauses of import instructions in Spanish."""

from __future__ import annotations

from atlas.language.offline.import_clauses.grammar import Rule, Vocabulary

_TYPES = {
    "texto": "text",
    "cadena": "text",
    "texto plano": "text",
    "entero": "bigint",
    "enteros": "bigint",
    "número entero": "bigint",
    "numero entero": "bigint",
    "número": "double",
    "numero": "double",
    "números": "double",
    "decimal": "numeric",
    "número decimal": "numeric",
    "importe": "numeric",
    "moneda": "numeric",
    "dinero": "numeric",
    "booleano": "boolean",
    "sí/no": "boolean",
    "fecha": "date",
    "fechas": "date",
    "fecha y hora": "timestamp",
    "json": "json",
}
_COMPARISONS: tuple[tuple[str, str, bool], ...] = (
    (r"no (?:está|estén|es|esté) (?:vací[oa]s?|nul[oa]s?)|tiene valor", "empty", True),
    (r"(?:está|están|es|esté) (?:vací[oa]s?|nul[oa]s?)|no tiene valor|falta", "empty", False),
    (r"no (?:está|es|esté) entre", "between", True),
    (r"(?:está |es |esté |sea )?entre", "between", False),
    (r"no (?:está en|es (?:uno|una) de)", "in", True),
    (r"(?:está )?en|(?:es |sea )?(?:uno|una) de", "in", False),
    (r"no (?:contiene|contienen|contenga)", "contains", True),
    (r"contienen?|contenga", "contains", False),
    (r"(?:empieza|comienza|empiece|comience)n? (?:por|con)", "starts", False),
    (r"(?:termina|acaba|termine|acabe)n? (?:en|con|por)", "ends", False),
    (r"no (?:es|sea|son) (?:menor(?:es)? (?:que|a|de)|menos (?:de|que)|inferior(?:es)? a|anterior a)", ">=", False),
    (
        r"no (?:es|sea|son) (?:mayor(?:es)? (?:que|a|de)|más (?:de|que)|superior(?:es)? a|posterior a)|no supera",
        "<=",
        False,
    ),
    (r"(?:es |sea |son )?(?:mayor o igual (?:que|a)|al menos|como mínimo|>=|≥|desde|a partir de)", ">=", False),
    (r"(?:es |sea |son )?(?:menor o igual (?:que|a)|como máximo|a lo sumo|<=|≤|hasta)", "<=", False),
    (
        r"(?:es |sea |son )?(?:mayor(?:es)? (?:que|a|de)|más de|más que|superior(?:es)? a|por encima de|después de|posterior a|>)|supera",
        ">",
        False,
    ),
    (
        r"(?:es |sea |son )?(?:menor(?:es)? (?:que|a|de)|menos de|menos que|inferior(?:es)? a|por debajo de|antes de|anterior a|<)",
        "<",
        False,
    ),
    (
        r"no (?:es|son|sea) ni|no (?:es|son|sea)(?: igual(?:es)? a)?|(?:es )?distint[oa] de|(?:es )?diferente de|!=|<>|≠",
        "=",
        True,
    ),
    (r"(?:es |son |sea )?igual(?:es)? a|==?|es|son|sea|sean|vale|:", "=", False),
)

VOCABULARY = Vocabulary(
    name="spanish",
    stops=frozenset(
        """el la los las un una unos unas de del y e o u pero luego si donde cuyo cuya sin salvo excepto en a al por para con sobre es
        son está están ser debe deben no que como solo sólo solamente únicamente tabla columna columnas campo campos fila filas
        registro registros importar importa importe cargar carga cargue añadir añade agregar agrega reemplazar reemplaza
        reemplace sustituir sustituye vaciar vacía vacíe borrar borra borre eliminar elimina elimine actualizar actualiza
        actualice omitir omite omita ignorar ignora ignore conservar conserva marcar marca señalar tratar trata trate leer lee
        renombrar renombra renombre duplicado duplicados clave obligatorio obligatoria obligatorios requerido encabezado
        cabecera hoja pestaña nueva nuevo existente existentes este esta estos estas archivo fichero según mayor menor más menos
        entre contiene igual todo todos todas excluir excluye""".split()
    ),
    fillers=frozenset(
        """el la los las un una por favor gracias hola y también luego entonces yo nosotros quiero queremos quisiera necesito este
        esta estos estas mi mis nuestra nuestro sea ya lo le se me""".split()
    ),
    joins=r"y|e|así como",
    either=r"o|u",
    nor=r"ni",
    bounds=(
        (r" (?:o|y) (?:más|mayor|superior|posterior)", ">="),
        (r" (?:o|y) (?:menos|menor|inferior|anterior)", "<="),
    ),
    articles=r"la|el|los|las|columnas?|campos?",
    arrows=r"a|como|por|en|->|=>|→|=",
    types=_TYPES,
    predicates=frozenset(
        """obligatorio obligatoria obligatorios obligatorias requerido requerida requeridos necesario necesaria
        necesarios clave identificador único única únicos""".split()
    ),
    comparisons=_COMPARISONS,
    leads=r"donde|cuyo|cuya|con|que tengan|la|el|los|las|si|en las que",
    negation=r"no",
    verbs=(r"es|debe", r"son|deben"),
    decimal_comma=True,
)

_DET = r"(?:la |el |las |los |mi |mis |nuestra |nuestro |una |un |esta |toda )*"
_FILE_WORDS = (
    r"archivos?|ficheros?|csv|excel|datos|exportación|adjunto|json|xml|parquet|todo|todas las filas|todos los registros|esto|lo|los|las|la|"
    r"filas|contenido|\S+\.(?:csv|tsv|txt|xlsx?|ods|json|xml|parquet|gz|zip)"
)
_THIS = r"(?:(?:este|esta|estos|estas|el|la|los|las|mi|mis|nuestro|nuevo|nuevos|adjunto|todas|todos) )*"
_WITH_THIS = rf"(?:con|por|desde|a partir)(?: (?:este|esta|estos|estas|el|la|los|las|del|de|nuevo|contenido))+(?: (?:{_FILE_WORDS}))*"
_SOME = r"(?:filas?|registros?|entradas|clientes|contactos|pedidos|productos|aquellas|aquellos)"
_WHERE = r"(?:donde|cuyo|cuya|en las que|en los que|si|cuando|con|que tengan|que tienen)"
_LEAVE = r"(?:omit(?:ir|e|a)|ignor(?:ar|a|e)|exclu(?:ir|ye|ya)|salt(?:ar|a|e)|elimin(?:ar|a|e)|descart(?:ar|a|e)|sin|salvo|excepto|menos|no importar)"
_TAKE = r"(?:import(?:ar|a|e)|conserv(?:ar|a|e)|carg(?:ar|a|ue)|tom(?:ar|a|e)|mantener)"
_DUP = r"(?:duplicad[oa]s?|repetid[oa]s?)"
_KEYED = r" (?:por|según|en base a|basados en|sobre) (?:el |la |los |las )?<names:key>"
_DUPLICATES: tuple[tuple[str, str], ...] = (
    (
        rf"(?:conserv(?:ar|a|e)|mantener|mantén|permitir|permite) (?:los |todos los )*{_DUP}|no (?:buscar|comprobar|omitir|eliminar) (?:los )*{_DUP}",
        "keep",
    ),
    (rf"(?:marc(?:ar|a)|marque|señal(?:ar|a)|mostrar|muestra) (?:los |todos los )*{_DUP}", "flag"),
    (
        r"actualiz(?:ar|a)?(?:e)? (?:las |los )?(?:filas|registros|entradas|clientes|contactos|productos) existentes",
        "update",
    ),
    (
        rf"actualice (?:las |los )?(?:filas|registros) existentes|actualiz(?:ar|a) (?:los )?{_DUP}|(?:sobrescribir|sobrescribe) (?:los )?(?:{_DUP}|registros existentes)",
        "update",
    ),
    (
        rf"(?:omit(?:ir|e|a)|ignor(?:ar|a|e)|salt(?:ar|a|e)|elimin(?:ar|a|e)|descart(?:ar|a|e)|quit(?:ar|a|e)) (?:los |todos los )*{_DUP}|sin {_DUP}",
        "skip",
    ),
)
_ALL = r"(?:todo(?: el contenido)?|todas las filas|todos los (?:datos|registros)|el contenido|los datos(?: existentes)?|las filas(?: existentes)?)"

RULES: list[Rule] = [
    Rule(
        "question",
        r"no (?:importar|importe|importes)(?: (?:este|el) (?:archivo|fichero)| esto)?",
        {"question": "Dice que no se importe. ¿Hay que importarlo?"},
    ),
    Rule(
        "question",
        r"(?:de )?todas las (?:hojas|pestañas)",
        {"question": "Una importación lee una hoja. ¿Cuál? (One import reads one sheet. Which one?)"},
    ),
    Rule(
        "thread",
        r"(?:haz )?(?:exactamente )?(?:lo mismo|como (?:antes|la última vez))(?: (?:con|para) este (?:archivo|fichero))?",
        {"same": True},
    ),
    Rule(
        "header",
        r"(?:(?:el )?(?:archivo|fichero) )?(?:no tiene|sin|no hay|no contiene)(?: una?| ninguna?| fila de| línea de)* ?(?:encabezados?|cabeceras?|nombres de columnas?)",
        {"header": False},
    ),
    Rule(
        "header",
        r"(?:la )?primera (?:fila|línea) no (?:es|contiene)(?: un| una| el| la| los)? ?(?:encabezados?|cabeceras?|nombres de columnas?)",
        {"header": False},
    ),
    Rule(
        "header",
        r"(?:la )?primera (?:fila|línea) (?:ya )?(?:es|contiene|son) (?:ya )?(?:un registro|datos)",
        {"header": False},
    ),
    Rule(
        "header",
        r"(?:la )?primera (?:fila|línea) (?:es|contiene) (?:el |la |los )?(?:encabezados?|cabeceras?|nombres de columnas?)",
        {"header": True},
    ),
    Rule(
        "header",
        r"(?:el |la |los )?(?:encabezados?|cabeceras?|nombres de columnas?) (?:está|están|es) en la (?:fila|línea) <count:header_row>",
    ),
    Rule(
        "header", r"(?:omit(?:ir|e|a)|salt(?:ar|a|e)|ignor(?:ar|a|e)) las <count:skip_rows> primeras (?:filas|líneas)"
    ),
    Rule(
        "header", r"(?:omit(?:ir|e|a)|salt(?:ar|a|e)|ignor(?:ar|a|e)) las primeras <count:skip_rows> (?:filas|líneas)"
    ),
    Rule(
        "dates",
        r"(?:(?:las )?fechas? (?:son |es |están )?(?:en |en formato )?|formato de fecha )?(?:el )?(?:día (?:primero|antes del mes)|primero el día|dd[./-]mm[./-](?:aa(?:aa)?|yy(?:yy)?))",
        {"day_first": True},
    ),
    Rule(
        "dates",
        r"(?:(?:las )?fechas? (?:son |es |están )?(?:en )?)?(?:el )?(?:mes (?:primero|antes del día)|primero el mes|mm[./-]dd[./-](?:aa(?:aa)?|yy(?:yy)?))",
        {"day_first": False},
    ),
    Rule("dates", r"fechas (?:españolas|europeas)", {"day_first": True}),
    Rule(
        "numbers",
        r"(?:(?:los )?números (?:usan|tienen|con|son) ?)?(?:con )?(?:una |la )?(?:coma(?:s)? decimal(?:es)?|coma como separador decimal|números europeos|números españoles|formato español)",
        {"decimal_comma": True},
    ),
    Rule(
        "numbers",
        r"(?:el )?separador decimal es (?:la |una )?coma|(?:la )?coma es (?:el )?separador decimal",
        {"decimal_comma": True},
    ),
    Rule(
        "numbers",
        r"(?:(?:los )?números (?:usan|tienen|con) ?)?(?:con )?(?:un )?punto decimal|(?:el )?separador decimal es (?:el |un )?punto",
        {"decimal_comma": False},
    ),
    Rule("sheet", r"(?:desde |de |en |solo )*(?:la )?(?:hoja|pestaña) (?:llamada |número )?<title:sheet>"),
    Rule("sheet", r"(?:desde |de )*(?:la )?(?:hoja|pestaña) (?:número )?<count:sheet>"),
    *(Rule("duplicates", pattern, {"duplicates": choice}) for pattern, choice in _DUPLICATES),
    *(
        Rule("duplicates", f"(?:{pattern}){_KEYED}", {"duplicates": choice})
        for pattern, choice in _DUPLICATES
        if choice != "keep"
    ),
    Rule(
        "duplicates",
        r"actualiz(?:ar|a) (?:los |las |el |la )?<name:update> (?:en|de) "
        + _DET
        + r"tabla <table>(?: "
        + _WITH_THIS
        + ")?",
        {"duplicates": "update", "only_existing": True},
    ),
    Rule(
        "duplicates",
        r"actualiz(?:ar|a) " + _DET + r"tabla <table>(?: " + _WITH_THIS + ")?",
        {"duplicates": "update", "only_existing": True},
    ),
    Rule(
        "new_rows",
        r"(?:añadir|añade|agregar|agrega|insertar|inserta) (?:las |los )?nuev[ao]s (?:filas|registros)",
        {"new_rows": True},
    ),
    Rule(
        "replace",
        rf"(?:reemplaz(?:ar|a)|reemplace|sustitu(?:ir|ye|ya)|sobrescrib(?:ir|e)) {_ALL} (?:en|de) {_DET}tabla <table>(?: {_WITH_THIS})?",
        {"replace": True},
    ),
    Rule(
        "replace",
        rf"(?:reemplaz(?:ar|a)|reemplace|sustitu(?:ir|ye|ya)|sobrescrib(?:ir|e)|vaciar|vacía|vacíe) {_DET}(?:contenido de la )?tabla <table>(?: (?:primero|antes|por completo))?(?: {_WITH_THIS})?",
        {"replace": True},
    ),
    Rule(
        "replace",
        rf"(?:reemplaz(?:ar|a)|reemplace|sustitu(?:ir|ye|ya)|vaciar|vacía|vacíe) (?:toda )?la tabla(?: (?:primero|antes))?(?: {_WITH_THIS})?",
        {"replace": True},
        0.2,
    ),
    Rule(
        "replace",
        rf"(?:borr(?:ar|a|e)|elimin(?:ar|a|e)) (?:primero )?{_ALL} (?:en|de) {_DET}tabla <table>(?: primero)?",
        {"replace": True},
    ),
    Rule("replace", rf"(?:borr(?:ar|a|e)|elimin(?:ar|a|e)) (?:primero )?{_ALL}(?: primero)?", {"replace": True}, 0.2),
    Rule("table", r"(?:en|a|para) " + _DET + r"tabla (?:llamada |de nombre )?<table>"),
    Rule("table", _DET + r"tabla (?:llamada |de nombre )?<table>", {}, 0.2),
    Rule(
        "table",
        r"(?:(?:crear|crea|cree|en|hacer) )?(?:una )?(?:nueva tabla|tabla nueva) (?:llamada |de nombre )?<table>",
        {"new": True},
    ),
    Rule("table", r"(?:en|a) " + _DET + r"<table>", {"weak": True}, 0.7),
    Rule(
        "filter",
        rf"(?:{_TAKE} )?(?:solo |sólo |solamente |únicamente )?(?:{_TAKE} )?(?:todas |todos )?(?:las |los )?{_SOME} {_WHERE} <condition>(?: solamente)?",
    ),
    Rule(
        "filter",
        rf"(?:{_TAKE} )?(?:solo |sólo |solamente |únicamente )?(?:las |los )?{_SOME} con (?:el |la |un |una )?<traits:condition>",
        {},
        0.2,
    ),
    Rule("filter", r"(?:solo |sólo |solamente )?(?:donde|si|cuando) <condition>"),
    Rule("filter", rf"(?:solo |sólo |solamente )(?:las |los )?{_SOME} con (?:un |una )?<knowns:filled>", {}, 0.5),
    Rule("exclude", rf"{_LEAVE} (?:todas |todos )?(?:las |los )?{_SOME} {_WHERE} <condition>"),
    Rule("exclude", rf"{_LEAVE} (?:las |los )?{_SOME} con (?:el |la |un |una )?<traits:condition>", {}, 0.2),
    Rule("exclude", rf"{_LEAVE} (?:las |los )?{_SOME} sin (?:un |una )?<knowns:empty>"),
    Rule("exclude", r"(?:salvo|excepto|a menos que) (?:si |donde |cuando )?<condition>"),
    Rule("rename", r"renombr(?:ar|a|e) (?:la |las )?(?:columnas? )?<pairs>"),
    Rule(
        "types",
        r"(?:trat(?:ar|a|e)|leer|lee|import(?:ar|a|e)|guard(?:ar|a|e)) (?:la |el |los |las )?(?:columnas? )?<names> como (?:un |una )?<type>",
    ),
    Rule(
        "types",
        r"(?:la |el |los |las )?(?:columnas? )?<names> (?:es|son|debe ser|deben ser|como) (?:un |una |de tipo )?<type>",
    ),
    Rule("types", r"todas las columnas (?:son |como )(?:de )?<type:every>"),
    Rule("required", r"<names> (?:es|son) (?:siempre )?(?:obligatori[oa]s?|requerid[oa]s?|necesari[oa]s?)"),
    Rule("required", r"<names> no (?:debe|deben|puede|pueden) (?:estar|ser|quedar) (?:vací[oa]s?|nul[oa]s?)"),
    Rule("rules", r"<name> debe (?:estar|ser) entre <number:low> y <number:high>"),
    Rule("rules", r"<name> debe ser (?:al menos|como mínimo|mayor o igual (?:que|a)) <number:low>"),
    Rule("rules", r"<name> debe ser (?:como máximo|menor o igual (?:que|a)) <number:high>"),
    Rule("rules", r"<name> debe ser positiv[oa]", {"above": 0.0}),
    Rule(
        "key",
        r"(?:la )?clave(?: primaria| única| compuesta)? (?:es|son|=|:) (?:la combinación de )?(?:las columnas |la columna )?<names:key>",
    ),
    Rule(
        "key",
        r"<names:key> (?:es|son|forman|como) (?:juntos |juntas )?(?:la |una |el )?(?:clave|identificador|únic[oa]s?)(?: primaria| única)?",
    ),
    Rule(
        "key",
        r"(?:us(?:ar|a|e)|utiliz(?:ar|a)|tomar) (?:la |el |los |las )?<names:key> como (?:la )?(?:clave|identificador)(?: única| primaria)?",
    ),
    Rule(
        "key",
        r"(?:identific(?:ar|a)|compar(?:ar|a)|empareja|emparejar|coincidir)(?: las filas)? (?:por|según|con) (?:el |la )?<names:key>",
    ),
    Rule("key", r"(?:según|por) (?:el |la )?<knowns:key>", {}, 0.5),
    Rule(
        "new_columns",
        r"(?:ignor(?:ar|a|e)|omit(?:ir|e)|sin) (?:las )?(?:columnas nuevas|nuevas columnas|columnas desconocidas)",
        {"policy": "discard_value"},
    ),
    Rule(
        "new_columns",
        r"(?:añadir|añade|agregar|permitir) (?:las )?(?:columnas nuevas|nuevas columnas)",
        {"policy": "evolve"},
    ),
    Rule(
        "columns", rf"(?:{_TAKE} )?(?:solo|sólo|solamente|únicamente) (?:las |la )?(?:columnas?|campos?) <names:keep>"
    ),
    Rule(
        "columns",
        r"(?:sin|elimin(?:ar|a|e)|ignor(?:ar|a|e)|omit(?:ir|e)|excepto) (?:las |la )?(?:columnas?|campos?) <names:drop>",
    ),
    Rule(
        "import",
        rf"(?:import(?:ar|a|e)|carg(?:ar|a|ue)|subir|sube|añadir|añade|agregar|agrega|leer|lee|insertar|inserta|guard(?:ar|a|e)|meter|mete|pon) {_THIS}(?:{_FILE_WORDS})",
    ),
    Rule("import", r"(?:import(?:ar|a|e)|importación|carg(?:ar|a|ue)|subir|sube|añadir|agregar|insertar)"),
    Rule("import", rf"{_WITH_THIS}", {}, 0.2),
    Rule("import", rf"(?:este|esta|estos|el|los|mi) (?:{_FILE_WORDS})"),
]
