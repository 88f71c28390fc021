"""Removes what surrounds the request of an e-mail: headers, the greeting and the signature."""

from __future__ import annotations

import re

_HEADER = re.compile(
    r"(?:from|to|cc|date|sent|subject|von|an|gesendet|betreff|datum|de|à|objet|envoyé|para|asunto|enviado)\s?: ?.*",
    re.IGNORECASE,
)
_GREETING = re.compile(
    r"(?:hi|hello|hey|dear|good (?:morning|afternoon|evening)|hallo|guten (?:tag|morgen|abend)|liebe[rs]?|moin|sehr geehrte[rs]?|"
    r"bonjour|salut|chère?s?|hola|buen(?:os|as) (?:días|tardes)|estimad[oa]s?)(?:[ ,]+[^\W\d_][\w.-]*){0,4} ?[,!.:]?",
    re.IGNORECASE,
)
_CLOSING = re.compile(
    r"(?:(?:many |best |kind |warm |with (?:best|kind) )*(?:regards|wishes)|best|cheers|sincerely(?: yours)?|yours(?: \w+)?|"
    r"(?:many )?thanks(?: (?:a lot|so much|in advance|again))?|thank you(?: very much| in advance)?|thx|"
    r"(?:mit )?(?:freundlichen|freundliche|besten|beste|viele|vielen|liebe|herzliche) (?:grüßen|grüße|gruß|dank)|danke(?: (?:dir|ihnen|schön))?|lg|mfg|vg|"
    r"(?:bien )?cordialement|merci(?: (?:beaucoup|d'avance))?|bien à (?:vous|toi)|(?:un )?(?:cordial )?saludos?|atentamente|"
    r"(?:muchas )?gracias)\s?[,.!]*",
    re.IGNORECASE,
)
_SENT_BY = re.compile(r"(?:sent from my|von meinem|envoyé de mon|enviado desde mi) .{1,40}", re.IGNORECASE)
_MOST_LINES = 12
# A line with such a word may be another request.
_ACTION = re.compile(
    r"\b(?:add|insert|create|register|save|update|change|set|delete|remove|archive|restore|undo|not|don't|never|only|but|also|ps|p\.s|"
    r"füge|lege|anlegen|ändere|lösche|entferne|setze|nicht|nur|aber|auch|ajoute[rz]?|crée[rz]?|modifie[rz]?|supprime[rz]?|"
    r"pas|mais|aussi|añad\w*|agreg\w*|crea|actualiz\w*|elimin\w*|borra\w*|cambi\w*|pero|también)\b",
    re.IGNORECASE,
)


def _may_sign(line: str) -> bool:
    """Checks whether a line may be part of a signature: a name, a firm or a number, and no sentence or request."""
    return (
        len(line) <= 80
        and not _ACTION.search(line)
        and not (line.endswith((".", "!", "?", ":")) and line.count(" ") > 3)
    )


def request_of(text: str) -> str:
    """Returns a text without the headers, greeting and signature of an e-mail.

    A signature begins with `--` or with a line that only closes a letter. Nothing is removed where no request remains.
    """
    lines = [line.strip() for line in text.strip().split("\n")]
    start = 0
    while start < len(lines) and (_HEADER.fullmatch(lines[start]) or (start and not lines[start])):
        start += 1
    # One such line may be a field of a record.
    headers = [line for line in lines[:start] if line]
    lines = lines[start:] if len(headers) > 1 else lines
    while lines and not lines[0]:
        lines = lines[1:]
    if lines and len(lines) > 1 and _GREETING.fullmatch(lines[0]):
        lines = lines[1:]
    for number, line in enumerate(lines):
        closes = line == "--" or _CLOSING.fullmatch(line) or _SENT_BY.fullmatch(line)
        if (
            closes
            and any(lines[:number])
            and all(map(_may_sign, lines[number + 1 :]))
            and len(lines) - number < _MOST_LINES
        ):
            lines = lines[:number]
            break
    return "\n".join(lines).strip() or text
