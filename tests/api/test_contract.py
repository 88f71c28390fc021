"""Every operation of the OpenAPI document, asked with every kind of key.

Schemathesis generates a few requests for each operation, good and bad, always the same ones. The owner of the data
sends all of them, each other kind of key half of them. No answer may be a server error, or have a status, media type,
header, body or member of one that the document does not have.
`bench/contract.py` does so with many more requests.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from pydantic import SecretStr
from schemathesis import checks
from schemathesis.core import NotSet
from schemathesis.core.failures import FailureGroup
from schemathesis.generation import GenerationMode
from tests.conformance import document, undeclared
from tests.conftest import clone
from tests.contract import DEAD, KINDS, World, make_keys, serving

from atlas.settings import Settings

CHECKS = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
# Generated requests of an operation, good ones and bad ones each.
EXAMPLES = 2
# A live stream does not end; one event of it is read.
CONFIG = schemathesis.Config.from_dict({"max-stream-events": 1})
# What the server's parser says to a request that never comes to the application.
UNPARSED = b"Invalid HTTP request received."
KEYS = {"authorization", "x-api-key"}
KEYLESS = {"GET /health", "GET /metrics"}


@dataclass
class Site:
    """A server, its database, keys of every kind, and the requests that each of them sends."""

    url: str
    database_url: str
    keys: dict[str, dict[str, Any]]
    cases: list[list[Any]]

    def sent_with(self, kind: str) -> list[Any]:
        """All requests for the owner of the data, for others a good and a bad one of each operation."""
        turn = KINDS.index(kind)
        sent = self.cases if kind == "member" else [found[turn % len(found) :][:1] for found in self.cases]
        return [case for found in sent for case in found]


def generated(operation: Any, mode: GenerationMode) -> list[Any]:
    """Requests of an operation, the same in every run. None where nothing can be wrong, as it takes nothing."""
    found: list[Any] = []

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def take(case: Any) -> None:
        found.append(case)

    try:
        take()
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE
    return found


@pytest.fixture(scope="module")
def site(postgres_url: str, template: str) -> Iterator[Site]:
    # Before there is a server: Hypothesis warns where a thread takes from `random` while it generates.
    # It knows the word of OpenAPI 3.2 for the events of a stream.
    described = json.loads(json.dumps(document()).replace('"x-itemSchema"', '"itemSchema"'))
    schema = schemathesis.openapi.from_dict(described, config=CONFIG)
    operations = [found.ok() for found in schema.get_all_operations()]
    cases = [generated(operation, mode) for operation in operations for mode in GenerationMode]
    cases = [found for found in cases if found]
    with clone(postgres_url, template) as database_url:
        options = Settings(
            database_url=database_url,
            log_level="error",
            jobs=1,
            webhook_loopback=True,
            secret_key=SecretStr("a secret for the contract"),
        )
        with serving(options) as url:
            # What is served is what the requests were made from.
            assert httpx.get(f"{url}/openapi.json", timeout=60).json() == document()
            yield Site(url, database_url, make_keys(database_url), cases)


def copied(case: Any) -> Any:
    """The request again, to be changed, of the same operation."""
    parts = {name: copy.deepcopy(getattr(case, name)) for name in ("path_parameters", "headers", "cookies", "query")}
    # Each kind of caller has a key of its own; a made-up one beside it would be a second.
    parts["headers"] = {name: value for name, value in (parts["headers"] or {}).items() if name.lower() not in KEYS}
    if not isinstance(case.body, NotSet):
        parts["body"] = copy.deepcopy(case.body)
    return case.operation.Case(method=case.method, media_type=case.media_type, **parts)


def unknown_members(case: Any, response: Any) -> list[str]:
    """Members of an answer that the document does not name."""
    answers = document()["paths"][case.operation.path][case.operation.method]["responses"]
    content = answers.get(str(response.status_code), {}).get("content", {})
    if response.headers.get("content-type") != ["application/json"] or "application/json" not in content:
        return []
    return undeclared(document(), content["application/json"]["schema"], response.json())


def wrong_with(world: World, session: requests.Session, original: Any) -> list[str]:
    """What is wrong with the answer to a request."""
    case = copied(original)
    world.fill(case)
    label = case.operation.label
    response = case.call(base_url=world.url, session=session, headers=world.headers, timeout=60)
    world.mend(case, response.status_code)
    if response.content == UNPARSED:
        return []
    found = []
    try:
        case.validate_response(response, checks=CHECKS)
    except FailureGroup as group:
        found = [f"{failure.title}: {failure.message}" for failure in group.exceptions]
    found += [f"undeclared: {name}" for name in unknown_members(case, response)]
    if world.kind in DEAD and response.status_code < 400 and label not in KEYLESS:
        found.append("answered without a good key")
    return [f"{label} {response.status_code} {one}\n{case.as_curl_command()}" for one in found]


@pytest.mark.parametrize("kind", KINDS)
def test_every_operation(site: Site, kind: str) -> None:
    with World(site.url, site.database_url, kind, site.keys) as world, requests.Session() as session:
        found = [one for case in site.sent_with(kind) for one in wrong_with(world, session, case)]
    assert not found, "\n\n".join(found[:10])
    # No operation is left out, and what a live key may do has been done.
    operations = {found[0].operation.label for found in site.cases}
    assert set(world.statuses) >= operations
    # Which requests are drawn varies, and a stranger may do the least: some 35 of 119 operations are answered.
    answered = sum(min(statuses) < 300 for statuses in world.statuses.values())
    assert kind in DEAD or answered > len(operations) // 4
