"""`atlas dataset` and `atlas tag`: time-series datasets, their columns, and their readers."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from typing import Annotated, Any

import typer

from atlas.cli.context import Session, Yes, remote
from atlas.cli.exit_codes import USAGE, CommandError
from atlas.cli.output import data, parse_value, print_json, print_lines

dataset = typer.Typer(no_args_is_help=True, help="Time-series datasets.")
tag = typer.Typer(no_args_is_help=True, help="Tags, by which datasets are shared.")
COLUMNS = ["id", "name", "description", "metadata", "updated_at"]
TAG_COLUMNS = ["id", "name", "description", "is_public"]
Dataset = Annotated[str, typer.Argument(metavar="DATASET", help="Id or name of the dataset.")]
Limit = Annotated[int | None, typer.Option(help="Most results; all where it is left out.", min=1)]
Keys = Annotated[
    list[str] | None,
    typer.Option("--key", help="A column that names the series of a row, such as symbol. Repeatable."),
]
Metadata = Annotated[
    list[str] | None, typer.Option("--metadata", "-m", help="A field as NAME=VALUE, or a JSON object. Repeatable.")
]


class ConflictPolicy(StrEnum):
    """What happens to a row whose timestamp and keys another row has."""

    APPEND = "append"
    REPLACE = "replace"
    KEEP_FIRST = "keep_first"
    REJECT = "reject"


OnConflict = Annotated[
    ConflictPolicy | None,
    typer.Option(help="What happens to a row whose timestamp and keys another row has; append keeps both."),
]


class SampleReaders(StrEnum):
    """The users whose models may receive values of a dataset."""

    NOBODY = "nobody"
    ORGANIZATION = "organization"
    READERS = "readers"


def metadata_fields(given: list[str] | None) -> dict[str, Any] | None:
    """Parses metadata from NAME=VALUE texts and JSON objects. None stays None.

    Raises CommandError: when a text is neither.
    """
    if given is None:
        return None
    found: dict[str, Any] = {}
    for text in given:
        if text.lstrip().startswith("{"):
            found.update(json_object(text, "--metadata"))
            continue
        name, separator, value = text.partition("=")
        if not separator or not name:
            raise CommandError(f"--metadata: {text!r} is neither NAME=VALUE nor a JSON object", USAGE)
        found[name] = parse_value(value)
    return found


def json_object(text: str, what: str) -> dict[str, Any]:
    """Parses a JSON object.

    what: the source of the text, for the error.
    Raises CommandError: when the text is no JSON object.
    """
    try:
        found = json.loads(text)
    except ValueError as error:
        raise CommandError(f"{what}: {error}", USAGE) from None
    if not isinstance(found, dict):
        raise CommandError(f"{what}: not a JSON object", USAGE)
    return found


@dataset.command("list")
@remote
def dataset_list(
    session: Session,
    search: Annotated[str | None, typer.Option(help="Text in name or description.")] = None,
    text: Annotated[str | None, typer.Option(help="Text in name, description or metadata.")] = None,
    owned: Annotated[bool | None, typer.Option("--owned/--shared", help="Only your own, or only others'.")] = None,
    sort: Annotated[str | None, typer.Option(help="Field, `-` before it for descending: --sort=-row_count.")] = None,
    limit: Limit = None,
) -> None:
    """List the datasets that you may read."""
    found = session.client.datasets.list(search, text=text, owned=owned, sort=sort, limit=limit)
    session.show(list(found), COLUMNS, "no datasets")


@dataset.command("search")
@remote
def dataset_search(
    session: Session,
    fields: Annotated[list[str], typer.Argument(metavar="NAME=VALUE…", help="Metadata that must be equal.")],
) -> None:
    """Find datasets by their metadata."""
    wanted: dict[str, Any] = dict(text.partition("=")[::2] for text in fields)
    if "" in wanted or any("=" not in text for text in fields):
        raise CommandError("metadata is given as NAME=VALUE", USAGE)
    session.show(list(session.client.datasets.search(**wanted)), COLUMNS, "no datasets")


@dataset.command("show")
@remote
def dataset_show(session: Session, name: Dataset) -> None:
    """Show a dataset: size, time span, owner, tags and columns."""
    client = session.client
    found = client.datasets.get(name)
    summary = client.datasets.summary(found)
    if session.as_json:
        print_json({**data(found), "summary": summary})
        return
    lines = {member: value for member, value in data(found).items() if member != "columns"}
    lines |= {member: value for member, value in data(summary).items() if member != "dataset"}
    lines["columns"] = ", ".join(f"{column.name} {column.dtype}" for column in found.columns)
    lists = ("keys", "tags", "matching_tags")
    print_lines({member: ", ".join(value) if member in lists else value for member, value in lines.items()})


@dataset.command("create")
@remote
def dataset_create(
    session: Session,
    name: str,
    description: Annotated[str, typer.Option(help="What is in it.")] = "",
    metadata: Metadata = None,
    keys: Keys = None,
    on_conflict: OnConflict = None,
) -> None:
    """Create a dataset that you own."""
    fields = metadata_fields(metadata)
    created = session.client.datasets.create(
        name,
        description=description,
        metadata=fields,
        keys=keys or (),
        on_conflict=on_conflict.value if on_conflict else None,
    )
    session.show(created)


@dataset.command("update")
@remote
def dataset_update(
    session: Session,
    name: Dataset,
    new_name: Annotated[str | None, typer.Option("--name", help="Another name.")] = None,
    description: Annotated[str | None, typer.Option(help="Another description.")] = None,
    metadata: Metadata = None,
    replace_metadata: Annotated[
        bool, typer.Option("--replace-metadata", help="Remove the fields of metadata that are not given.")
    ] = False,
    keys: Keys = None,
    no_keys: Annotated[bool, typer.Option("--no-keys", help="Remove the dataset's series keys.")] = False,
    on_conflict: OnConflict = None,
) -> None:
    """Change name, description, metadata, series keys or the policy for conflicts; what is not given stays."""
    datasets = session.client.datasets
    fields = metadata_fields(metadata)
    if keys and no_keys:
        raise CommandError("give --key or --no-keys, not both", USAGE)
    series = [] if no_keys else keys
    others = new_name, description, series, on_conflict
    if fields is None and not replace_metadata and others == (None,) * len(others):
        reason = "nothing to change: give --name, --description, --metadata, --key or --on-conflict"
        raise CommandError(reason, USAGE)
    if others == (None,) * len(others):
        change = datasets.replace_metadata if replace_metadata else datasets.merge_metadata
        session.show(change(name, fields or {}))
        return
    if fields is not None and not replace_metadata:
        fields = {**datasets.get(name).metadata, **fields}
    elif replace_metadata:
        fields = fields or {}
    changed = datasets.update(
        name,
        name=new_name,
        description=description,
        metadata=fields,
        keys=series,
        on_conflict=on_conflict.value if on_conflict else None,
    )
    session.show(changed)


@dataset.command("delete")
@remote
def dataset_delete(session: Session, name: Dataset, yes: Yes = False) -> None:
    """Delete a dataset with all its rows, for good."""
    client = session.client
    found = client.datasets.get(name)
    session.confirm(f"Delete dataset {found.id} ({found.name}) with all its rows, for good?", yes)
    client.datasets.delete(found)
    session.show({"id": found.id, "deleted": True})


@dataset.command("tag")
@remote
def dataset_tag(session: Session, name: Dataset, tag_name: Annotated[str, typer.Argument(metavar="TAG")]) -> None:
    """Share a dataset with everybody who holds a tag."""
    session.show(session.client.datasets.add_tag(name, tag_name), TAG_COLUMNS)


@dataset.command("untag")
@remote
def dataset_untag(session: Session, name: Dataset, tag_name: Annotated[str, typer.Argument(metavar="TAG")]) -> None:
    """Stop sharing a dataset by a tag."""
    session.client.datasets.remove_tag(name, tag_name)
    session.show({"dataset": name, "tag": tag_name, "removed": True})


@dataset.command("samples")
@remote
def dataset_samples(
    session: Session,
    name: Dataset,
    samples: Annotated[SampleReaders | None, typer.Argument(metavar="[nobody|organization|readers]")] = None,
) -> None:
    """Show, or say, whose model providers may be sent values of a dataset's cells."""
    if samples is not None:
        session.client.datasets.set_samples(name, samples.value)
    session.show({"dataset": name, "samples": session.client.datasets.samples(name)})


ColumnName = Annotated[str, typer.Argument(metavar="COLUMN", help="Name of the column.")]
Unit = Annotated[str | None, typer.Option(help="Of its values, such as °C, shown beside them.")]
About = Annotated[str | None, typer.Option("--description", help="What its values mean.")]


@dataset.command("columns")
@remote
def dataset_columns(session: Session, name: Dataset) -> None:
    """List the columns of a dataset."""
    columns = ["name", "dtype", "inferred", "unit", "description"]
    session.show(session.client.datasets.columns(name), columns, "no columns")


@dataset.command("column")
@remote
def dataset_column(session: Session, name: Dataset, column: ColumnName, unit: Unit = None, about: About = None) -> None:
    """Say the unit of a column's values and what they mean; "" takes it away."""
    session.show(session.client.datasets.describe_column(name, column, unit=unit, description=about))


@tag.command("list")
@remote
def tag_list(session: Session) -> None:
    """List all tags."""
    session.show(session.client.tags.list(), TAG_COLUMNS)


@tag.command("acquire")
@remote
def tag_acquire(
    session: Session,
    name: str,
    secret: Annotated[
        str | None, typer.Option(help="`-` reads the secret of a private tag from standard input.")
    ] = None,
) -> None:
    """Get a tag, and with it the right to read every dataset that has it."""
    session.show(session.client.tags.acquire(name, read_secret(secret)), TAG_COLUMNS)


def read_secret(given: str | None) -> str | None:
    """Returns a secret. `-` reads a line of standard input, which keeps the secret out of the shell's history.

    Raises CommandError: when the secret is empty.
    """
    text = sys.stdin.readline().rstrip("\n") if given == "-" else given
    if text is not None and not text:
        raise CommandError("the secret is empty", USAGE)
    return text
