"""The clauses of import instructions in French."""

from __future__ import annotations

from atlas.language.offline.import_clauses.grammar import Rule, Vocabulary

_TYPES = {
    "texte": "text",
    "chaîne": "text",
    "chaine": "text",
    "texte brut": "text",
    "entier": "bigint",
    "entiers": "bigint",
    "nombre entier": "bigint",
    "nombres entiers": "bigint",
    "nombre": "double",
    "nombres": "double",
    "décimal": "numeric",
    "decimal": "numeric",
    "nombre décimal": "numeric",
    "montant": "numeric",
    "monnaie": "numeric",
    "booléen": "boolean",
    "oui/non": "boolean",
    "date": "date",
    "dates": "date",
    "horodatage": "timestamp",
    "date et heure": "timestamp",
    "json": "json",
}
_COMPARISONS: tuple[tuple[str, str, bool], ...] = (
    (
        r"(?:n'est pas|ne sont pas|n'est jamais) (?:vides?|nulle?s?)|est (?:renseignée?|remplie?|présente?)",
        "empty",
        True,
    ),
    (r"(?:est|sont) (?:vides?|nulle?s?|absente?s?|manquante?s?)", "empty", False),
    (r"(?:n'est pas|ne sont pas) (?:comprise? )?entre", "between", True),
    (r"(?:est |sont )?(?:comprise? )?entre", "between", False),
    (r"(?:n'est pas|ne sont pas) (?:dans|parmi|l'un de|l'une de)", "in", True),
    (r"(?:est |sont )?(?:dans|parmi|l'un de|l'une de)", "in", False),
    (r"ne contien(?:t|nent) pas", "contains", True),
    (r"contien(?:t|nent)", "contains", False),
    (r"commencen?t? par", "starts", False),
    (r"(?:se termine|finit|se terminent) par", "ends", False),
    (r"(?:n'est pas|ne sont pas) (?:inférieure?s? à|plus petite?s? que|moins de|au-dessous de|avant)", ">=", False),
    (
        r"(?:n'est pas|ne sont pas) (?:supérieure?s? à|plus grande?s? que|plus de|au-dessus de|après)|ne dépassen?t? pas",
        "<=",
        False,
    ),
    (r"(?:est |sont )?(?:supérieure?s? ou égale?s? à|au moins|au minimum|>=|≥|à partir de|depuis)", ">=", False),
    (r"(?:est |sont )?(?:inférieure?s? ou égale?s? à|au plus|au maximum|<=|≤|jusqu'à)", "<=", False),
    (r"(?:est |sont )?(?:supérieure?s? à|plus grande?s? que|plus de|au-dessus de|après|>)|dépassen?t?", ">", False),
    (r"(?:est |sont )?(?:inférieure?s? à|plus petite?s? que|moins de|au-dessous de|en dessous de|avant|<)", "<", False),
    (r"n'est ni|ne sont ni|(?:n'est pas|ne sont pas)(?: égale?s? à)?|(?:est )?différente? de|!=|<>|≠", "=", True),
    (r"(?:est |sont )?égale?s? à|==?|est|sont|vaut|valent|:", "=", False),
)

VOCABULARY = Vocabulary(
    name="french",
    stops=frozenset(
        """le la les l un une des du de d et ou mais puis si où dont sans sauf dans en à au aux par pour avec sur est sont être
        doit doivent ne pas n'est n'a que qui comme seulement uniquement que table tableau colonne colonnes champ champs
        ligne lignes enregistrement enregistrements importer importe importez charger charge chargez ajouter ajoute remplacer
        remplace remplacez vider vide videz supprimer supprime supprimez mettre mets mettez ignorer ignore ignorez garder
        garde gardez conserver signaler signale marquer traiter traite traitez lire lis renommer renomme renommez doublon
        doublons clé cle clef obligatoire obligatoires requis requise en-tête entête feuille onglet nouvelle nouveau
        existante existantes ce cette ces fichier fichiers selon basé supérieur inférieur plus moins entre contient égal égale
        vaut tout tous toutes exclure exclus excluez""".split()
    ),
    fillers=frozenset(
        """le la les un une des du de et s'il vous te plaît svp stp merci bonjour aussi puis alors je nous veux voudrais voulons
        souhaite souhaitons il faut elle ce cette ces mon ma mes notre nos votre vos bien on ils elles sera y l' d'""".split()
    ),
    joins=r"et|ainsi que",
    either=r"ou",
    nor=r"ni",
    bounds=(
        (r" (?:ou|et) (?:plus|davantage|supérieure?)", ">="),
        (r" (?:ou|et) (?:moins|inférieure?)", "<="),
    ),
    articles=r"la|le|les|l'|des|du|de la|colonnes?|champs?",
    arrows=r"en|vers|comme|à|par|->|=>|→|=",
    types=_TYPES,
    predicates=frozenset(
        """obligatoire obligatoires requis requise requises nécessaire nécessaires clé cle clef identifiant
        identifiants unique uniques""".split()
    ),
    comparisons=_COMPARISONS,
    leads=r"où|dont|avec|ayant|la|le|les|soit|si|pour lesquelles",
    negation=r"pas|non",
    verbs=(r"est|doit", r"sont|doivent"),
    decimal_comma=True,
)

_DET = r"(?:la |le |les |l'|ma |mon |mes |notre |nos |une |un |cette )*"
_FILE_WORDS = (
    r"fichiers?|csv|excel|données|export|pièce jointe|tableau|json|xml|parquet|tout|toutes les lignes|tous les enregistrements|les|le|la|"
    r"lignes|contenu|\S+\.(?:csv|tsv|txt|xlsx?|ods|json|xml|parquet|gz|zip)"
)
_THIS = r"(?:(?:ce|cet|cette|ces|le|la|les|mon|ma|nos|notre|nouveau|nouveaux|joint|toutes|tous) )*"
_WITH_THIS = (
    rf"(?:avec|par|depuis|à partir)(?: (?:ce|cet|cette|ces|le|la|les|du|de|nouveau|contenu))+(?: (?:{_FILE_WORDS}))*"
)
_SOME = r"(?:lignes?|enregistrements?|entrées|clients|contacts|commandes|produits|celles|ceux)"
_WHERE = r"(?:où|dont|pour lesquelles|pour lesquels|si|quand|lorsque|avec|ayant|qui ont)"
_LEAVE = r"(?:ignore[rz]?|exclu(?:re|s|ez)|saute[rz]?|supprime[rz]?|retire[rz]?|sans|sauf|ne pas importer|omettre)"
_TAKE = r"(?:importe[rz]?|garde[rz]?|conserve[rz]?|charge[rz]?|prend(?:re|s)?)"
_DUP = r"(?:doublons?|lignes en double)"
_KEYED = r" (?:sur|par|selon|d'après|en fonction de|basés? sur) (?:la |le |l')?<names:key>"
_DUPLICATES: tuple[tuple[str, str], ...] = (
    (
        rf"(?:garde[rz]?|conserve[rz]?|autorise[rz]?) (?:les |tous les )*{_DUP}|ne pas (?:chercher|vérifier|ignorer|supprimer) (?:les |de )*{_DUP}",
        "keep",
    ),
    (rf"(?:signale[rz]?|marque[rz]?|montre[rz]?) (?:les |tous les )*{_DUP}", "flag"),
    (
        r"(?:mettre|mets|mettez) à jour (?:les )?(?:lignes|enregistrements|entrées|clients|contacts|produits) existante?s?",
        "update",
    ),
    (
        rf"(?:mettre|mets|mettez) à jour (?:les )?{_DUP}|(?:remplace[rz]?|écrase[rz]?) (?:les )?(?:{_DUP}|lignes existantes)",
        "update",
    ),
    (
        rf"(?:ignore[rz]?|saute[rz]?|supprime[rz]?|retire[rz]?|élimine[rz]?|omettre|exclu(?:re|s|ez)) (?:les |tous les )*{_DUP}|sans {_DUP}",
        "skip",
    ),
)
_ALL = r"(?:tout(?: le contenu)?|toutes les (?:lignes|données)|le contenu|les (?:lignes|données)(?: existantes)?|tous les enregistrements)"

RULES: list[Rule] = [
    Rule(
        "question",
        r"(?:ne pas importer|n'importe[rz]? pas)(?: (?:ce|le) fichier| ceci)?",
        {"question": "Vous dites de ne pas importer ce fichier. Faut-il l'importer ?"},
    ),
    Rule(
        "question",
        r"(?:de )?toutes les feuilles|tous les onglets",
        {"question": "Un import lit une feuille. Laquelle ? (One import reads one sheet. Which one?)"},
    ),
    Rule(
        "thread",
        r"(?:fais )?(?:exactement )?(?:la même chose|pareil|comme (?:avant|la dernière fois))(?: (?:pour|avec) ce fichier)?",
        {"same": True},
    ),
    Rule(
        "header",
        r"(?:(?:le )?fichier |il )?(?:n'a pas|n'a aucun|sans|ne contient pas|pas)(?: de| d'| une?| ligne| la)* ?(?:ligne d')?(?:en-têtes?|entêtes?|noms de colonnes)",
        {"header": False},
    ),
    Rule(
        "header",
        r"(?:la )?première ligne (?:n'est pas|ne contient pas)(?: un| une| l'| les| la| d')* ?(?:ligne d')?(?:en-têtes?|entêtes?|noms de colonnes)",
        {"header": False},
    ),
    Rule(
        "header",
        r"(?:la )?première ligne (?:est|contient) (?:déjà )?(?:un enregistrement|des données)",
        {"header": False},
    ),
    Rule(
        "header",
        r"(?:la )?première ligne (?:est|contient) (?:l'|les |un |une )?(?:ligne d')?(?:en-têtes?|entêtes?|noms de colonnes)",
        {"header": True},
    ),
    Rule(
        "header",
        r"(?:l'|les )?(?:en-têtes?|entêtes?|noms de colonnes) (?:est|sont|se trouve|se trouvent)(?: à| sur| dans)?(?: la)? ligne <count:header_row>",
    ),
    Rule("header", r"(?:ignore[rz]?|saute[rz]?|passe[rz]?) les <count:skip_rows> premières lignes"),
    Rule(
        "dates",
        r"(?:(?:les )?dates? (?:sont |est )?(?:au |en |au format |en format )?|format de date )?(?:le )?(?:jour (?:en premier|d'abord|avant (?:le )?mois)|jj[./-]mm[./-]aa(?:aa)?|dd[./-]mm[./-]yy(?:yy)?)",
        {"day_first": True},
    ),
    Rule(
        "dates",
        r"(?:(?:les )?dates? (?:sont |est )?(?:au |en )?)?(?:le )?(?:mois (?:en premier|d'abord|avant (?:le )?jour)|mm[./-]jj[./-]aa(?:aa)?)",
        {"day_first": False},
    ),
    Rule("dates", r"dates (?:françaises|européennes)", {"day_first": True}),
    Rule(
        "numbers",
        r"(?:(?:les )?nombres (?:ont|utilisent|avec|sont) ?)?(?:avec |en )?(?:une |la )?(?:virgule(?:s)? décimale(?:s)?|virgule comme séparateur décimal|nombres français|format français|notation française)",
        {"decimal_comma": True},
    ),
    Rule(
        "numbers",
        r"(?:le )?séparateur décimal est (?:la |une )?virgule|(?:la )?virgule est (?:le )?séparateur décimal",
        {"decimal_comma": True},
    ),
    Rule(
        "numbers",
        r"(?:(?:les )?nombres (?:ont|utilisent|avec) ?)?(?:avec )?(?:un )?point décimal|(?:le )?séparateur décimal est (?:le |un )?point",
        {"decimal_comma": False},
    ),
    Rule(
        "sheet",
        r"(?:depuis |de |dans |seulement )*(?:la |l')?(?:feuille|onglet) (?:nommée? |appelée? |numéro )?<title:sheet>",
    ),
    Rule("sheet", r"(?:depuis |de )*(?:la |l')?(?:feuille|onglet) (?:numéro )?<count:sheet>"),
    *(Rule("duplicates", pattern, {"duplicates": choice}) for pattern, choice in _DUPLICATES),
    *(
        Rule("duplicates", f"(?:{pattern}){_KEYED}", {"duplicates": choice})
        for pattern, choice in _DUPLICATES
        if choice != "keep"
    ),
    Rule(
        "duplicates",
        r"(?:mettre|mets|mettez) à jour (?:les |le |la )?<name:update> (?:dans|de) "
        + _DET
        + r"table <table>(?: "
        + _WITH_THIS
        + ")?",
        {"duplicates": "update", "only_existing": True},
    ),
    Rule(
        "duplicates",
        r"(?:mettre|mets|mettez) à jour " + _DET + r"table <table>(?: " + _WITH_THIS + ")?",
        {"duplicates": "update", "only_existing": True},
    ),
    Rule(
        "new_rows",
        r"(?:ajoute[rz]?|insère|insérer) (?:les |des )?nouve(?:lles|aux) (?:lignes|enregistrements)",
        {"new_rows": True},
    ),
    Rule(
        "replace",
        rf"(?:remplace[rz]?|écrase[rz]?) {_ALL} (?:dans|de) {_DET}table <table>(?: {_WITH_THIS})?",
        {"replace": True},
    ),
    Rule(
        "replace",
        rf"(?:remplace[rz]?|écrase[rz]?|vide[rz]?) {_DET}(?:contenu de la )?table <table>(?: (?:d'abord|complètement))?(?: {_WITH_THIS})?",
        {"replace": True},
    ),
    Rule(
        "replace",
        rf"(?:remplace[rz]?|écrase[rz]?|vide[rz]?) (?:toute )?la table(?: (?:d'abord|complètement))?(?: {_WITH_THIS})?",
        {"replace": True},
        0.2,
    ),
    Rule(
        "replace",
        rf"(?:supprime[rz]?|efface[rz]?) (?:d'abord )?{_ALL} (?:dans|de) {_DET}table <table>(?: d'abord)?",
        {"replace": True},
    ),
    Rule("replace", rf"(?:supprime[rz]?|efface[rz]?) (?:d'abord )?{_ALL}(?: d'abord)?", {"replace": True}, 0.2),
    Rule("table", r"(?:dans|en|vers|pour|à) " + _DET + r"table (?:nommée |appelée )?<table>"),
    Rule("table", _DET + r"table (?:nommée |appelée )?<table>", {}, 0.2),
    Rule(
        "table", r"(?:(?:crée[rz]?|faire|dans|en) )?(?:une )?nouvelle table (?:nommée |appelée )?<table>", {"new": True}
    ),
    Rule("table", r"(?:dans|vers) " + _DET + r"<table>", {"weak": True}, 0.5),
    Rule(
        "filter",
        rf"(?:{_TAKE} )?(?:seulement |uniquement |que )?(?:{_TAKE} )?(?:toutes |tous )?(?:les )?{_SOME} {_WHERE} <condition>(?: seulement| uniquement)?",
    ),
    Rule(
        "filter",
        rf"(?:{_TAKE} )?(?:seulement |uniquement |que )?(?:les )?{_SOME} (?:avec|dont|ayant) (?:le |la |un |une )?<traits:condition>(?: seulement| uniquement)?",
        {},
        0.2,
    ),
    Rule("filter", r"(?:seulement |uniquement )?(?:où|si|lorsque|quand) <condition>"),
    Rule("filter", rf"(?:seulement |uniquement )(?:les )?{_SOME} (?:avec|ayant) (?:un |une )?<knowns:filled>", {}, 0.5),
    Rule("exclude", rf"{_LEAVE} (?:toutes |tous )?(?:les )?{_SOME} {_WHERE} <condition>"),
    Rule("exclude", rf"{_LEAVE} (?:les )?{_SOME} (?:avec|dont|ayant) (?:le |la |un |une )?<traits:condition>", {}, 0.2),
    Rule("exclude", rf"{_LEAVE} (?:les )?{_SOME} sans (?:un |une )?<knowns:empty>"),
    Rule("exclude", r"(?:sauf|excepté) (?:si |où |quand )?<condition>"),
    Rule("rename", r"renomme[rz]? (?:la |les )?(?:colonnes? )?<pairs>"),
    Rule(
        "types",
        r"(?:traite[rz]?|lis|lire|importe[rz]?|garde[rz]?|considère|considérer) (?:la |le |les )?(?:colonnes? )?<names> comme (?:du |un |une |des |de la )?<type>",
    ),
    Rule(
        "types",
        r"(?:la |le |les )?(?:colonnes? )?<names> (?:est|sont|doit être|doivent être|comme) (?:du |un |une |des |de type )?<type>",
    ),
    Rule("types", r"toutes les colonnes (?:sont |comme |en )(?:du )?<type:every>"),
    Rule("required", r"<names> (?:est|sont) (?:toujours )?(?:obligatoires?|requise?s?|nécessaires?)"),
    Rule("required", r"<names> (?:ne doi(?:t|vent) pas être|ne peu(?:t|vent) pas être) (?:vides?|nulle?s?|absente?s?)"),
    Rule("required", r"<names> doi(?:t|vent) être (?:renseignée?s?|remplie?s?|présente?s?)"),
    Rule("rules", r"<name> doit être (?:comprise? )?entre <number:low> et <number:high>"),
    Rule("rules", r"<name> doit être (?:d'au moins|au moins|supérieure? ou égale? à) <number:low>"),
    Rule("rules", r"<name> doit être (?:d'au plus|au plus|inférieure? ou égale? à) <number:high>"),
    Rule("rules", r"<name> doit être positi(?:f|ve)", {"above": 0.0}),
    Rule(
        "key",
        r"(?:la )?(?:clé|cle|clef)(?: primaire| unique| composée)? (?:est|sont|=|:) (?:la combinaison de |composée de )?(?:les colonnes |la colonne )?<names:key>",
    ),
    Rule(
        "key",
        r"<names:key> (?:est|sont|forment|comme) (?:ensemble )?(?:la |une |l')?(?:clé|cle|clef|identifiant|identifiants|uniques?)(?: primaire| unique)?",
    ),
    Rule(
        "key",
        r"(?:utilise[rz]?|prend(?:re|s)) (?:la |le |les )?<names:key> comme (?:la )?(?:clé|clef|identifiant)(?: unique| primaire)?",
    ),
    Rule(
        "key",
        r"(?:identifie[rz]?|rapproche[rz]?|compare[rz]?|apparie[rz]?)(?: les lignes)? (?:par|sur|selon|avec) (?:la |le |l')?<names:key>",
    ),
    Rule("key", r"(?:selon|d'après) (?:la |le |l')?<knowns:key>", {}, 0.5),
    Rule(
        "new_columns",
        r"(?:ignore[rz]?|sans) (?:les |toutes les )?(?:nouvelles colonnes|colonnes inconnues|colonnes supplémentaires)",
        {"policy": "discard_value"},
    ),
    Rule("new_columns", r"(?:ajoute[rz]?|autorise[rz]?) (?:les )?nouvelles colonnes", {"policy": "evolve"}),
    Rule("columns", rf"(?:{_TAKE} )?(?:seulement|uniquement) (?:les |la )?(?:colonnes?|champs?) <names:keep>"),
    Rule(
        "columns",
        r"(?:sans|supprime[rz]?|ignore[rz]?|retire[rz]?|sauf) (?:les |la )?(?:colonnes?|champs?) <names:drop>",
    ),
    Rule(
        "import",
        rf"(?:importe[rz]?|charge[rz]?|ajoute[rz]?|lire|lis|insérer|insère|enregistre[rz]?|met(?:tre|s|tez)) {_THIS}(?:{_FILE_WORDS})",
    ),
    Rule("import", r"(?:importe[rz]?|importation|charge[rz]?|ajoute[rz]?|insérer|insère|enregistre[rz]?)"),
    Rule("import", rf"{_WITH_THIS}", {}, 0.2),
    Rule("import", rf"(?:ce|cet|cette|ces|mon|le|les) (?:{_FILE_WORDS})"),
]
