"""Tasks of a worker process for texts: parse a condition, an instruction, a question or SQL, and send the result."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import IO, Any

import msgspec

from atlas.language.offline.import_clauses.parser import parse_import
from atlas.language.offline.questions.planner import plan_question
from atlas.language.offline.records.parser import parse_records
from atlas.sqlgate.condition import parse_condition
from atlas.sqlgate.gate import check_query
from atlas.workers import serving
from atlas.workers.calls import CallRequest, answer, name_of
from atlas.workers.limits import Limits
from atlas.workers.protocol import Kind, Task

_PARSERS: tuple[Callable[..., Any], ...] = (check_query, parse_condition, parse_import, parse_records, plan_question)
FUNCTIONS = {name_of(function): function for function in _PARSERS}


def serve(requests: IO[bytes], answers: IO[bytes], limits: Limits) -> None:
    """Does one task after another until the requests end."""
    # The first use of a parser compiles patterns, which is not to count toward a task.
    parse_import("Import into leads, only rows where amount > 1", ["leads"], ["amount"])
    parse_condition("amount > 1", ["amount"])
    serving.serve(requests, answers, limits, _run)


def _run(task: Task) -> Iterator[serving.Message]:
    yield Kind.END, answer(msgspec.msgpack.decode(task.request, type=CallRequest), FUNCTIONS)
