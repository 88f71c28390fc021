"""Combines the clauses of a text into one import instruction, and detects contradictions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from atlas.kit.close_names import close_name
from atlas.language.instructions import Filter, ImportInstruction
from atlas.language.offline.filter_phrases import MAX_GROUPS, Condition, conjoin, negate, normal_groups
from atlas.language.offline.import_clauses.grammar import Cover, Found, Text
from atlas.tables.model import Rules

# Members that an instruction may set once. A second, different value is a contradiction.
_ONCE = {
    "table": "Which table is meant",
    "duplicates": "What shall become of duplicates",
    "policy": "What about new columns",
    "day_first": "Which comes first in dates, day or month",
    "decimal_comma": "Which is the decimal sign",
    "sheet": "Which sheet is meant",
    "header": "Has the file a header",
    "header_row": "Which row is the header",
    "skip_rows": "How many rows are above the table",
    "encoding": "What is the encoding of the file",
    "delimiter": "What stands between the cells",
    "first": "How many of the first rows are meant",
    "first_of": "Which rows are counted",
    "every_type": "Which type have all columns",
    "time_column": "Which column holds the time",
    "new_rows": "Shall records that match no row be inserted",
}
# The kinds of clauses that are reported under another kind.
_REPORTED_AS = {"exclude": "filter", "dataset": "table", "map": "rename"}

# Words for what a file holds, beside the table that it goes into.
_CONTENTS = re.compile(
    r"(?:leads|contacts|customers|clients|orders|products|people|users|transactions|sales|payments|invoices|accounts|"
    r"employees|tickets|bookings|subscriptions|companies|prices|values|figures|numbers|results|measurements|readings|"
    r"events|addresses|names|reports?|list|export|rows|records|entries|lines|items)",
    re.IGNORECASE,
)
# Words that show that the file replaces rows, or that the file names the table.
_OF_FILE = re.compile(
    r"\b(?:this|these|file|load|reload|refresh|table|list|datei|tabelle|laden|fichier|tableau|table|archivo|tabla)\b",
    re.IGNORECASE,
)


class Reading:
    """Combines the clauses of a text.

    words: the words of the instruction by the kind of request.
    """

    def __init__(self, text: Text, cover: Cover, tables: Sequence[str]) -> None:
        self._text, self._cover, self._tables = text, cover, list(tables)
        self._found: dict[str, Any] = {}
        self._types: dict[str, str] = {}
        self._rename: dict[str, str] = {}
        self._rules: dict[str, Rules] = {}
        self._lists: dict[str, list[str]] = {"keep": [], "drop": [], "required": [], "key": []}
        self._keeps: list[Condition] = []
        self._leaves: list[Condition] = []
        self._question: str | None = None
        self.words: dict[str, list[str]] = {}
        # Texts of clauses that contradict a stronger clause, and so are not understood.
        self.strays: list[str] = []

    def instruction(self) -> ImportInstruction:
        """Returns the instruction of all clauses. `question` is set where clauses contradict each other."""
        clauses = self._cover.clauses
        tables = [each for each in clauses if "table" in each.slots]
        strong = [each for each in tables if not each.rule.sets.get("weak")]
        if any(not each.rule.sets.get("object") for each in tables):
            # In "import the leads into customers" the first noun only says what the file holds.
            clauses = tuple(each for each in clauses if not self._is_contents(each))
        for clause in clauses:
            if strong and clause.rule.sets.get("weak") and self._is_other(clause, strong[0]):
                # In "into the table leads, as in Rome" the explicit clause wins.
                self.strays.append(self._text.text[clause.start : clause.end])
            else:
                self._take(clause)
        self._fill()
        self._filter()
        found = self._found | {"question": self._question}
        return msgspec.convert({k: v for k, v in found.items() if v is not None}, ImportInstruction)

    def not_understood(self) -> tuple[str, ...]:
        """Returns phrases of unknown words that are no fillers."""
        phrases: list[list[str]] = []
        last = -1
        for start, end in self._cover.unknown:
            between = self._text.text[last:start] if last >= 0 else "."
            word = self._text.text[start:end]
            near = not re.search(r"[.,;:!?]", between) and not self._clause_between(last, start)
            if near and phrases:
                phrases[-1].append(word)
            else:
                phrases.append([word])
            last = end
        return (*(" ".join(words) for words in phrases), *self.strays)

    def _clause_between(self, first: int, last: int) -> bool:
        return any(clause.start >= first and clause.end <= last for clause in self._cover.clauses)

    def _is_contents(self, clause: Found) -> bool:
        """Checks whether a clause names what the file holds, such as orders, rather than a table."""
        return bool(clause.rule.sets.get("object")) and _CONTENTS.fullmatch(str(clause.slots["table"])) is not None

    def _is_other(self, weak: Found, strong: Found) -> bool:
        names = [str(clause.slots["table"]) for clause in (weak, strong)]
        return names[0].casefold() != names[1].casefold()

    def _take(self, clause: Found) -> None:
        rule, slots = clause.rule, clause.slots
        if rule.kind == "question":
            self._ask(str(rule.sets["question"]))
            return
        if rule.kind != "import":
            words = self._text.text[clause.start : clause.end].strip(" ,")
            self.words.setdefault(_REPORTED_AS.get(rule.kind, rule.kind), []).append(words)
        for name, value in rule.sets.items():
            if name not in ("above", "low", "weak", "object"):
                self._set(name, value)
        if "table" in slots:
            self._set_table(str(slots["table"]), new=bool(rule.sets.get("new")))
        for name in self._lists:
            value = slots.get(name)
            if value is not None:
                self._lists[name] += [v for v in value if v not in self._lists[name]]
        self._take_slots(rule.kind, slots, rule.sets)

    def _take_slots(self, kind: str, slots: Mapping[str, Any], sets: Mapping[str, Any]) -> None:
        if kind == "required":
            self._lists["required"] += [name for name in slots["names"] if name not in self._lists["required"]]
        elif kind == "types" and "every" in slots:
            self._set("every_type", slots["every"])
        elif kind == "types":
            for name in slots["names"]:
                if self._types.get(name, slots["type"]) != slots["type"]:
                    self._ask(f"Which type has {name}?")
                self._types[name] = slots["type"]
        elif kind in ("rename", "map"):
            for old, new in slots["pairs"]:
                self._pair(old, new, either=kind == "map")
        elif kind == "rules":
            self._rule(slots, sets)
        elif kind in ("filter", "exclude"):
            self._condition(kind, slots, sets)
        if "update" in slots and (column := self._text.names.find(slots["update"])) is not None:
            # "update the prices" limits the columns. Any other word, as in "update the products", means rows.
            self._lists["keep"].append(column)
        for name in ("sheet", "time_column"):
            if name in slots:
                self._set(name, str(slots[name]))
        for name in ("header_row", "skip_rows", "first"):
            if name in slots:
                self._set(name, int(slots[name]))
        for name in ("encoding", "delimiter"):
            if name in slots:
                self._set(name, slots[name])

    def _pair(self, old: str, new: str, *, either: bool) -> None:
        # In "map email to Email Address" the name that the file has is the old name.
        if either and old not in self._text.names and new in self._text.names:
            old, new = new, old
        if self._rename.get(old, new) != new:
            self._ask(f"What shall {old!r} be called: {self._rename[old]!r} or {new!r}?")
        self._rename[old] = new

    def _rule(self, slots: Mapping[str, Any], sets: Mapping[str, Any]) -> None:
        before = self._rules.get(slots["name"], Rules())
        told: dict[str, Any] = {
            "minimum": slots.get("low", sets.get("low")),
            "maximum": slots.get("high"),
            "above": slots.get("above", sets.get("above")),
            "values": slots.get("values", ()),
        }
        self._rules[slots["name"]] = msgspec.structs.replace(
            before, **{k: v for k, v in told.items() if v not in (None, ())}
        )

    def _condition(self, kind: str, slots: Mapping[str, Any], sets: Mapping[str, Any]) -> None:
        empty = [Condition("", item=Filter(name, "empty")) for name in slots.get("empty", slots.get("filled", ()))]
        condition = slots.get("condition")
        if condition is None:
            condition = empty[0] if len(empty) == 1 else Condition("or", tuple(empty))
        if "filled" in slots:
            condition = negate(condition)
        (self._leaves if kind == "exclude" else self._keeps).append(condition)

    def _set(self, name: str, value: Any) -> None:
        before = self._found.get(name)
        if name in _ONCE and before is not None and before != value:
            self._ask(f"{_ONCE[name]}? The instruction says different things.")
        self._found[name] = value

    def _set_table(self, told: str, *, new: bool) -> None:
        # A new table gets exactly the name in the instruction, even if other tables have similar names.
        name = told if new else close_name(told, self._tables, slips=False) or told
        before = self._found.get("table")
        if before is not None and before != name:
            self._ask(f"Which table is meant: {before!r} or {name!r}?")
        self._found["table"] = name

    def _ask(self, question: str) -> None:
        self._question = self._question or question

    def _fill(self) -> None:
        for name, value in self._lists.items():
            if value:
                self._found[name] = tuple(value)
        for name, told in (("types", self._types), ("rename", self._rename), ("rules", self._rules)):
            if told:
                self._found[name] = msgspec.to_builtins(told)
        new_rows = self._found.pop("new_rows", None)
        if new_rows is not None:
            self._found["only_existing"] = not new_rows
        if self._found.get("replace") and self._found.get("new"):
            self._ask("Shall a new table be made, or the rows of one that exists be replaced?")
        if self._found.get("replace") and self._found.get("duplicates") == "update":
            self._ask("Shall all rows of the table be replaced, or those with the same key be updated?")
        if self._found.get("replace") and not self._found.get("table") and not self._speaks_of_file():
            self._ask("The rows of which table are to be replaced? Say its name.")
        if self._found.get("header") is False and self._found.get("header_row"):
            self._ask("Has the file a header? The instruction says different things.")
        if self._found.get("keep") and self._found.get("duplicates") == "update":
            # Updates find rows by the key, whichever columns are updated.
            self._found["keep"] = tuple(dict.fromkeys([*self._lists["key"], *self._lists["keep"]]))

    def _speaks_of_file(self) -> bool:
        """Checks whether the instruction asks for an import, so that the file's name may be the table's name."""
        told = " ".join(self.words.get("replace", ()))
        return bool(_OF_FILE.search(told)) or any(each.rule.kind == "import" for each in self._cover.clauses)

    def _filter(self) -> None:
        """Combines conditions into groups.

        If there are conditions of both kinds, the exclusions are negated and joined to the others.
        """
        if not self._keeps and not self._leaves:
            return
        leave: Condition | None = None
        for condition in self._leaves:
            leave = condition if leave is None else Condition("or", (leave, condition))
        keep: Condition | None = None
        for condition in self._keeps:
            keep = condition if keep is None else conjoin(keep, condition)
        if keep is None:
            assert leave is not None
            whole, exclude = leave, True
        else:
            whole, exclude = keep if leave is None else conjoin(keep, negate(leave)), False
        if self._found.get("first") and self._found.get("first_of") is None:
            number = self._found["first"]
            self._ask(
                f"Which {number} rows are meant: the first of the file, or the first that pass the filter? Say 'the first "
                f"{number} rows of the file' or 'the first {number} matching rows'."
            )
        groups = normal_groups(whole)
        if groups is None:
            self._ask(f"The filter comes to more than {MAX_GROUPS} alternatives; can it be said more simply?")
            return
        self._found["filters"], self._found["exclude"] = msgspec.to_builtins(groups), exclude
