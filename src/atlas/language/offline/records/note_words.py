"""Patterns for the words of notes in English, German, French and Spanish."""

from __future__ import annotations

POLITE = (
    r"(?:(?:please|pls|kindly|hi|hello|hey|so|ok|also|can you|could you|would you|i(?:'d| would) like to|we(?:'d| would) like to|"
    r"we need to|i need to|let's|bitte|hallo|kannst du|könntest du|könnten sie|können sie|ich möchte|merci de|pouvez-vous|peux-tu|"
    r"veuillez|bonjour|s'il (?:vous|te) plaît|por favor|hola|puedes|podrías|quiero)\b[ ,:!]*){0,8}"
)
# What may stand behind the last word.
END = (
    r"(?:[,\s]*(?:please|pls|thanks|thank you|bitte|danke|svp|s'il (?:vous|te) plaît|merci|por favor|gracias))?[\s.!]*"
)
DET = (
    r"(?:(?:the|a|an|our|my|his|her|their|its|new|current|der|die|das|den|dem|des|ein|eine|einen|einem|unsere[nrs]?|seine[nrs]?|ihre[nrs]?|"
    r"neue[nrs]?|le|la|les|l'|un|une|notre|nos|son|sa|ses|nouveau|nouvelle|el|los|las|uno|una|nuestr[oa]s?|su|sus|nuev[oa])(?!\w)\s*)+"
)
SET = (
    r"update|change|set|modify|edit|correct|adjust|aktualisieren?(?: sie)?|ändere|ändern(?: sie)?|setzen?(?: sie)?|korrigieren?(?: sie)?|"
    r"mets à jour|mettez à jour|mettre à jour|modifie[rz]?|change[rz]?|corrige[rz]?|mets|mettez|actualiz[ae]|actualizar|modific[ae]|"
    r"modificar|cambi[ae]|cambiar|corrige|corregir|pon|poner"
)
CLEAR = (
    r"remove|clear|delete|empty|erase|entfernen?(?: sie)?|löschen?(?: sie)?|leeren?(?: sie)?|supprime[rz]?|efface[rz]?|vide[rz]?|retire[rz]?|"
    r"borr[ae]|borrar|elimin[ae]|eliminar|quit[ae]|quitar|vacía"
)
ARCHIVE = (
    r"delete|archive|remove|lösche|löschen(?: sie)?|entfernen?(?: sie)?|archivieren?(?: sie)?|supprime[rz]?|archive[rz]?|efface[rz]?|"
    r"borr[ae]|borrar|elimin[ae]|eliminar|archiv[ae]|archivar"
)
EVERY = r"all(?: of)?|every|everyone|everybody|each|everything|alle[nr]?|jede[nrms]?|tous|toutes|tout le monde|chaque|todos|todas|cada"
OF = r"of|for|from|von|vom|für|bei|de|du|des|d'|del|de la|para"
FOR = r"for|of|in|bei|für|von|pour|de|des|chez|para|a"
BY = r"by|um|de|en|un"
RAISE = (
    r"increase|raise|bump(?: up)?|erhöhen?(?: sie)?|steigere|augmente[rz]?|aument[ae]|aumentar|sube|subir|incrementa"
)
LOWER = r"decrease|reduce|lower|cut|senken?(?: sie)?|reduzieren?(?: sie)?|verringere|baisse[rz]?|réduis|réduire|diminue[rz]?|reduc[ei]r?|baja|bajar"
_NOW = (
    r"(?:is now|has changed to|changed to|is|ist jetzt|ist nun|lautet jetzt|ist|lautet|est maintenant|est désormais|est|es ahora|"
    r"ahora es|es)(?!\w)"
)
# Between a column and its value.
IS_NOW = rf"(?:{_NOW}|:|=)"
IS = rf"(?:(?:to be|to|now|auf|nach|zu|in|à|en|a|por)(?!\w)|{_NOW}|:|=|→|->|(?=\s))"
WHERE = r"where|whose|with|that have|having|who have|which have|if|wo|deren|mit|bei denen|où|dont|avec|donde|cuy[oa]|con|que tienen"
EMPTY = r"(?:is |are |ist |sind |est |es )?(?:empty|missing|blank|not set|leer|vide|vacío|vacía)"
COMPARE: tuple[tuple[str, str], ...] = (
    (">=", r"(?:is |ist |est |es )?(?:at least|mindestens|au moins|al menos|>=|≥)"),
    ("<=", r"(?:is |ist |est |es )?(?:at most|höchstens|au plus|como máximo|<=|≤)"),
    ("!=", r"(?:is not|isn't|is different from|ist nicht|n'est pas|no es|!=|<>|≠)(?=\s)"),
    (
        ">",
        r"(?:is |ist |est |es )?(?:over|above|more than|greater than|higher than|über|größer als|mehr als|supérieure? à|plus de|mayor que|más de|>)",
    ),
    (
        "<",
        r"(?:is |ist |est |es )?(?:under|below|less than|lower than|unter|kleiner als|weniger als|inférieure? à|moins de|menor que|menos de|<)",
    ),
    ("contains", r"(?:contains|enthält|contient|contiene)(?=\s)"),
    ("=", r"(?:(?:is equal to|equals|is|are|ist|sind|est|es)(?!\w)|=|:)?"),
)
# Moves of a person: the column's meaning, the words before the place and behind it.
MOVES: tuple[tuple[str, str, str], ...] = (
    ("city", r"(?:has |just |recently )*(?:moved|relocated) to|(?:is )?now (?:lives|living|based) in|lives now in", ""),
    ("city", r"lives in|is based in", r"now"),
    ("city", r"ist nach", r"(?:um)?gezogen"),
    ("city", r"zieht nach", r"um"),
    ("city", r"(?:wohnt|lebt) jetzt in", ""),
    ("city", r"a déménagé à|(?:habite|vit) (?:maintenant|désormais) à", ""),
    ("city", r"se (?:ha mudado|mudó) a|(?:ahora vive|vive ahora) en", ""),
    ("company", r"(?:has |just |recently )*joined|now works (?:at|for)|works now (?:at|for)", ""),
    ("company", r"works (?:at|for)", r"now"),
    ("company", r"arbeitet jetzt (?:bei|für)", ""),
    ("company", r"travaille (?:maintenant|désormais) (?:chez|pour)", ""),
    ("company", r"(?:ahora trabaja|trabaja ahora) (?:en|para)", ""),
)
