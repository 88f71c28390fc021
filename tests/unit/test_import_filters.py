"""Filters of imports: a long one passes what a short one does, and one that is too long says so."""

from __future__ import annotations

import typing
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from atlas.errors import BadRequestError
from atlas.imports import checks
from atlas.imports.checked import check
from atlas.imports.checks import MAX_COMPARISONS, Staged
from atlas.imports.files.opening import read_file
from atlas.imports.files.sniffing import open_upload
from atlas.imports.inspection import inspect
from atlas.imports.planner import make_plan
from atlas.imports.staging import Staging
from atlas.language.instructions import Filter, ImportInstruction
from atlas.language.llm.answers import Operator

CSV = "id,amount,city,day\n" + "".join(
    f"{n},{n * 1.5 if n % 5 else ''},{('Paris', 'Rome', 'Oslo', '')[n % 4]},2026-01-{n % 28 + 1:02d}\n"
    for n in range(60)
)
COMPARISONS = st.one_of(
    st.builds(
        Filter, st.just("amount"), st.sampled_from(["=", ">", "<="]), st.tuples(st.sampled_from("0 7.5 30 60".split()))
    ),
    st.builds(Filter, st.just("city"), st.sampled_from(["=", "contains"]), st.tuples(st.sampled_from(["paris", "o"]))),
    st.builds(Filter, st.sampled_from(["amount", "city"]), st.just("empty"), st.just(()), st.booleans()),
    st.builds(Filter, st.just("day"), st.just("between"), st.just(("2026-01-03", "2026-01-20"))),
)


@pytest.fixture(scope="module")
def staging(tmp_path_factory: pytest.TempPathFactory) -> Staging:
    folder: Path = tmp_path_factory.mktemp("filters")
    (folder / "upload").write_text(CSV)
    return Staging(folder, read_file(open_upload(folder / "upload", "f.csv", folder, 1 << 26), folder, None))


def staged(staging: Staging, filters: tuple[tuple[Filter, ...], ...], *, exclude: bool = False) -> Staged:
    said = ImportInstruction(table="t", duplicates="keep", filters=filters, exclude=exclude)
    return Staged(staging, make_plan(staging, inspect(staging, said, None), said, [], "f.csv"))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(groups=st.lists(st.lists(COMPARISONS, min_size=1, max_size=3), min_size=1, max_size=4), exclude=st.booleans())
def test_a_filter_that_is_worked_out_once_passes_the_same_records(
    staging: Staging, monkeypatch: pytest.MonkeyPatch, groups: list[list[Filter]], exclude: bool
) -> None:
    filters = tuple(tuple(group) for group in groups)
    found = []
    for few in (0, 100):
        monkeypatch.setattr(checks, "FEW_FILTERS", few)
        checked = check(staged(staging, filters, exclude=exclude))
        passed = staging.query(f"SELECT _n FROM raw WHERE {checked.passing()} ORDER BY _n")
        found.append((passed, checked.left_out()))
    assert found[0] == found[1]
    assert len(found[0][0]) + found[0][1] == 60


def test_a_filter_with_too_many_comparisons_is_refused(staging: Staging) -> None:
    numbers = tuple(str(n) for n in range(MAX_COMPARISONS + 1))
    check(staged(staging, ((Filter("city", "in", numbers),),)))
    check(staged(staging, ((Filter("amount", "in", numbers[1:]),),)))
    with pytest.raises(BadRequestError, match="Invalid filter") as refused:
        check(staged(staging, ((Filter("amount", "in", numbers),),)))
    assert refused.value.details == f"it has {MAX_COMPARISONS + 1} comparisons, over the limit of {MAX_COMPARISONS}"


@pytest.mark.parametrize("column", ["amount", "city", "day"])
@pytest.mark.parametrize(
    ("denial", "denied"), [(("!=", ("7.5",)), ("=", ("7.5",))), (("filled", ()), ("empty", ()))], ids=["not", "filled"]
)
def test_each_operator_that_a_model_may_choose_is_known(
    staging: Staging, column: str, denial: tuple[str, tuple[str, ...]], denied: tuple[str, tuple[str, ...]]
) -> None:
    values = {"amount": "7.5", "city": "Paris", "day": "2026-01-03"}
    found = []
    for operator, texts in (denial, denied):
        item = Filter(column, operator, tuple(values[column] for _ in texts))
        for negated in (False, True):
            passing = check(staged(staging, ((msgspec.structs.replace(item, negated=negated),),))).passing()
            found.append({n for (n,) in staging.query(f"SELECT _n FROM raw WHERE {passing}")})
    assert found[0] == found[3]
    assert found[1] == found[2]
    assert found[0].isdisjoint(found[1])
    assert len(found[0] | found[1]) == 60


def test_every_operator_of_a_models_answer_is_compared(staging: Staging) -> None:
    counts = {"between": 2, "empty": 0, "filled": 0}
    for operator in typing.get_args(Operator):
        values = ("2026-01-03",) * counts.get(operator, 1)
        check(staged(staging, ((Filter("day", operator, values),),))).passing()
