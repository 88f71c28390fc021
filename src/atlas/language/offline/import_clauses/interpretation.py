"""From the clauses of an instruction to the instruction: what each says, put together, and contradictions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from atlas.kit.close_names import close_name
from atlas.language.instructions import Filter, ImportInstruction
from atlas.language.offline.filter_phrases import MAX_GROUPS, Condition, both, negated, normal_groups
from atlas.language.offline.import_clauses.grammar import Cover, Found, Text
from atlas.tables.model import Rules

# What clauses say once; a second one that says something else is a contradiction.
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
    "every_type": "Which type have all columns",
    "time_column": "Which column holds the time",
    "new_rows": "Shall records that match no row be inserted",
}
# How a clause of another kind is told.
_TOLD_AS = {"exclude": "filter", "dataset": "table", "map": "rename"}

# What tells that a file takes the place of what is replaced, or that the table has its name.
_OF_FILE = re.compile(
    r"\b(?:this|these|file|load|reload|refresh|table|list|datei|tabelle|laden|fichier|tableau|table|archivo|tabla)\b",
    re.IGNORECASE,
)


class Reading:
    """Puts the clauses of a text together. words: of the instruction, by the kind of thing that they say."""

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
        # Clauses that cannot be meant beside others.
        self.strays: list[str] = []

    def instruction(self) -> ImportInstruction:
        """What all clauses say; `question` where they contradict each other."""
        clauses = self._cover.clauses
        strong = [each for each in clauses if "table" in each.slots and not each.rule.sets.get("weak")]
        for clause in clauses:
            if strong and clause.rule.sets.get("weak") and self._is_other(clause, strong[0]):
                # "into the table leads, as in Rome": what is said plainly counts.
                self.strays.append(self._text.text[clause.start : clause.end])
            else:
                self._take(clause)
        self._fill()
        self._filter()
        found = self._found | {"question": self._question}
        return msgspec.convert({k: v for k, v in found.items() if v is not None}, ImportInstruction)

    def not_understood(self) -> tuple[str, ...]:
        """Phrases of words that nobody understood and that mean something."""
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
            self.words.setdefault(_TOLD_AS.get(rule.kind, rule.kind), []).append(words)
        for name, value in rule.sets.items():
            if name not in ("above", "low", "blank", "weak"):
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
            # "update the prices": no other column. Any other word, as "the products", speaks of rows.
            self._lists["keep"].append(column)
        for name in ("sheet", "time_column"):
            if name in slots:
                self._set(name, str(slots[name]))
        for name in ("header_row", "skip_rows"):
            if name in slots:
                self._set(name, int(slots[name]))

    def _pair(self, old: str, new: str, *, either: bool) -> None:
        # "map email to Email Address": what the file has is the old name.
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
        if sets.get("blank"):
            # Records without a value are none anyway.
            return
        empty = [Condition("", item=Filter(name, "empty")) for name in slots.get("empty", slots.get("filled", ()))]
        condition = slots.get("condition")
        if condition is None:
            condition = empty[0] if len(empty) == 1 else Condition("or", tuple(empty))
        if "filled" in slots:
            condition = negated(condition)
        (self._leaves if kind == "exclude" else self._keeps).append(condition)

    def _set(self, name: str, value: Any) -> None:
        before = self._found.get(name)
        if name in _ONCE and before is not None and before != value:
            self._ask(f"{_ONCE[name]}? The instruction says different things.")
        self._found[name] = value

    def _set_table(self, told: str, *, new: bool) -> None:
        # A new table has the name that was said, however like that of another it is.
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
            # Rows are found by their key, whichever columns are updated.
            self._found["keep"] = tuple(dict.fromkeys([*self._lists["key"], *self._lists["keep"]]))

    def _speaks_of_file(self) -> bool:
        """Whether something is to be imported, so that the file's name may be that of the table."""
        told = " ".join(self.words.get("replace", ()))
        return bool(_OF_FILE.search(told)) or any(each.rule.kind == "import" for each in self._cover.clauses)

    def _filter(self) -> None:
        """Conditions as groups; what is to be left out becomes a part of what is to be kept, where there are both."""
        if not self._keeps and not self._leaves:
            return
        leave: Condition | None = None
        for condition in self._leaves:
            leave = condition if leave is None else Condition("or", (leave, condition))
        keep: Condition | None = None
        for condition in self._keeps:
            keep = condition if keep is None else both(keep, condition)
        if keep is None:
            assert leave is not None
            whole, exclude = leave, True
        else:
            whole, exclude = keep if leave is None else both(keep, negated(leave)), False
        groups = normal_groups(whole)
        if groups is None:
            self._ask(f"The filter comes to more than {MAX_GROUPS} alternatives; can it be said more simply?")
            return
        self._found["filters"], self._found["exclude"] = msgspec.to_builtins(groups), exclude
