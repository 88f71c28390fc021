"""Reads new records in notes as people write them: `Maria Lopez, maria@iberia.es, works at Iberia in Madrid`.

Every word must be part of a record, a label or a filler, or the note is asked about.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from atlas.language.offline.records import note_values as values
from atlas.language.offline.records.table_words import TableWords
from atlas.language.offline.records.tokens import UnclearError

_BETWEEN = re.compile(r"(?:\s|[,;|()\[\]<>•*]|[-–—](?=\s)|\.(?=\s|$)|\d\.\s(?=[A-ZÄÖÜ]))+")
_AND = re.compile(r"(?:and|und|et|y|&|plus|as well as|sowie)(?=\s)\s*", re.IGNORECASE)
# Words before a label, which change nothing: `her mail is`, `with the phone number`.
_LEAD = re.compile(
    r"(?:(?:her|his|their|its|the|with|has|have|whose|new|reachable|at|under|via|mit|ihre?|seine?|deren|dessen|der|die|das|hat|neue[rn]?|"
    r"erreichbar|unter|avec|son|sa|ses|le|la|a|nouveau|nouvelle|con|su|sus|el|tiene|nuev[oa])\s+)+",
    re.IGNORECASE,
)
_IS = re.compile(
    r"\s*(?::|=|→|->|(?:is|are|ist|lautet|est|es)(?:\s+(?:now|jetzt|nun|maintenant|ahora))?(?=\s)\s*:?|(?=\s))\s*",
    re.IGNORECASE,
)
_FILLERS = re.compile(
    r"(?:please|pls|bitte|svp|s'il (?:vous|te) plaît|por favor|thanks|thank you|danke|merci|gracias|(?:s?he|they) is|he|she|they|who|er|sie|"
    r"il|elle|él|ella|too|also|auch|aussi|también|as follows|an|hinzu|auf|ein)(?!\w)\s*",
    re.IGNORECASE,
)
_NAMED = re.compile(r"(?:named|called|namens|nommée?|appelée?|llamad[oa]|de nombre)\s+", re.IGNORECASE)
_MOST = 200


@dataclass(slots=True)
class _Person:
    fields: dict[str, str] = field(default_factory=dict)


class PeopleReader:
    """Reads the fields of one or several new records of a table.

    partial: whether one field is enough, as to tell a record from others.
    """

    def __init__(self, text: str, words: TableWords, *, partial: bool = False) -> None:
        self._text, self._words, self._place, self._partial = text, words, 0, partial
        self._found: list[_Person] = [_Person()]

    def read(self) -> list[dict[str, str]]:
        """Returns the fields of the records by column.

        Raises UnclearError: when a word belongs to no record, or a value may belong to another one.
        """
        while True:
            self._skip()
            if self._place >= len(self._text):
                break
            if len(self._found) > _MOST or not self._step():
                rest = " ".join(self._text[self._place :].split())[:80]
                raise UnclearError(f"What does {rest!r} say of the record? Write it as `name: value`, or leave it out.")
        records = [person.fields for person in self._found if person.fields]
        self._check(records)
        return [self._named(record) for record in records]

    def _skip(self) -> None:
        """Moves behind signs, fillers and `and`."""
        before = -1
        while before != self._place:
            before = self._place
            for pattern in (_BETWEEN, _AND, _FILLERS):
                if (found := pattern.match(self._text, self._place)) is not None:
                    self._place = found.end()

    def _step(self) -> bool:
        """Reads one field. Returns whether there is one."""
        return self._labelled() or self._shaped() or self._related() or self._name()

    def _labelled(self) -> bool:
        lead = _LEAD.match(self._text, self._place)
        for start in dict.fromkeys((self._place, lead.end() if lead else self._place)):
            for end, column in self._words.label_at(self._text, start):
                mark = _IS.match(self._text, end)
                if mark is None:
                    continue
                for value in values.value_of(self._text, mark.end(), self._words.column(column), self._words):
                    if ":" in mark[0] and self._begins_line(self._place) and (line := self._line(mark.end(), column)):
                        value = line
                    if self._is_whole(value, marked=":" in mark[0]):
                        self._put(column, value.text)
                        self._place = value.end
                        return True
        return False

    def _begins_line(self, place: int) -> bool:
        return re.search(r"(?:^|\n)[\s•*-]*$", self._text[:place]) is not None

    def _line(self, place: int, column: str) -> values.Value | None:
        """Reads the rest of a line as a text, unless another field stands in the line."""
        rest = self._text[place:].split("\n", 1)[0].rstrip()
        special = {self._words.concepts.get(concept) for concept in ("email", "phone")}
        if self._words.column(column).type != "text" or column in special or not rest or rest[0] in "\"'":
            return None
        if any(next(self._words.label_at(rest, found.end()), None) for found in re.finditer(r"[,;]\s*", rest)):
            return None
        return values.Value(rest, place + len(rest))

    def _is_whole(self, value: values.Value, *, marked: bool) -> bool:
        """Checks that a value ends where a field ends. marked: a colon stands before the value."""
        behind = self._text[value.end : value.end + 1]
        if behind and (behind.isalnum() or behind in "@/_"):
            return False
        # In "city: Berlin, Germany" the country is a field of its own or part of the city.
        return not (marked and behind == "," and self._is_loose(value.end))

    def _is_loose(self, place: int) -> bool:
        rest = self._text[place:].lstrip(", ")
        start = len(self._text) - len(rest)
        if rest.startswith("\n") or next(self._words.label_at(self._text, start), None) is not None:
            return False
        return (
            values.email(self._text, start) is None
            and values.phone(self._text, start) is None
            and bool(values.PROPER.match(self._text, start))
        )

    def _shaped(self) -> bool:
        for concept, read in (("email", values.email), ("phone", values.phone)):
            value = read(self._text, self._place)
            column = self._words.concepts.get(concept)
            if value is not None and column is not None:
                self._put(column, value.text)
                self._place = value.end
                return True
        return False

    def _related(self) -> bool:
        for concept, pattern in values.RELATIONS:
            found = re.compile(rf"(?:{pattern})\s+(?:the\s+|der\s+|la\s+)?", re.IGNORECASE).match(
                self._text, self._place
            )
            column = self._words.concepts.get(concept)
            if found is None or column is None:
                continue
            value = values.proper(self._text, found.end())
            if value is not None:
                self._put(
                    values.place_column(self._words, column, value.text) if concept == "city" else column, value.text
                )
                self._place = value.end
                return True
        return False

    def _name(self) -> bool:
        named = _NAMED.match(self._text, self._place)
        start = named.end() if named else self._place
        value = (values.proper if named else values.person)(self._text, start)
        if value is None:
            return False
        column = self._words.concepts.get("name")
        if column is None and not self._parts():
            return False
        name = column or ""
        if name in self._found[-1].fields:
            self._found.append(_Person())
        self._put(name, value.text)
        self._place = value.end
        return True

    def _parts(self) -> tuple[str, str] | None:
        """Returns the columns of the first and the last name."""
        names = {column.name for column in self._words.table.columns}
        for first, last in (
            ("first_name", "last_name"),
            ("firstname", "lastname"),
            ("vorname", "nachname"),
            ("prenom", "nom"),
        ):
            if first in names and last in names:
                return first, last
        return None

    def _named(self, record: dict[str, str]) -> dict[str, str]:
        """Divides a name into the columns of its parts, where the table has no column for the whole."""
        name, parts = record.pop("", None), self._parts()
        if name is None:
            return record
        given = name.split()
        if parts is None or len(given) != 2:
            raise UnclearError(f"Which part of {name!r} is the first name, and which the last?")
        return {parts[0]: given[0], parts[1]: given[1], **record}

    def _put(self, column: str, value: str) -> None:
        fields = self._found[-1].fields
        if column in fields:
            raise UnclearError(f"{column} is told twice. Which value is right?")
        fields[column] = value

    def _check(self, records: list[dict[str, str]]) -> None:
        """Checks that each value surely belongs to its record.

        Raises UnclearError: when a record has other fields than the others, or an address seems to be another's.
        """
        if not records:
            raise UnclearError("Which fields does the new record have?")
        if len(records) == 1 and len(records[0]) == 1 and "" not in records[0] and not self._partial:
            ((column, value),) = records[0].items()
            if " " not in value and "@" not in value:
                raise UnclearError(f"Is {value!r} the {column}, and is that all?")
        if len(records) > 1 and any(len(record) == 1 for record in records):
            raise UnclearError("Are these several records? Tell each with a second field, such as its address.")
        if len(records) > 1 and len({frozenset(record) for record in records}) > 1:
            raise UnclearError(
                "The records have different fields. Which values belong to which? Tell each in a sentence."
            )
        name, address = self._words.concepts.get("name", ""), self._words.concepts.get("email", "")
        for record in records:
            local = record.get(address, "").split("@")[0].casefold()
            own = any(word in local for word in record.get(name, "").casefold().split())
            others = [
                word for other in records if other is not record for word in other.get(name, "").casefold().split()
            ]
            if local and not own and any(word in local for word in others if len(word) > 2):
                raise UnclearError(f"Whose address is {record[address]!r}? Tell each record in a sentence.")
