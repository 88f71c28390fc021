"""Forms with a file: their fields, and the file on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from fastapi import File, Form, UploadFile

from atlas.errors import BadRequestError

FileField = Annotated[UploadFile, File(description="CSV, Excel, JSON, XML or Parquet; gz or zip of one.")]


InstructionField = Annotated[
    str,
    Form(max_length=10_000, description="What to do, in plain words.", examples=["Import this into my leads table"]),
]


ThreadField = Annotated[
    str | None, Form(max_length=200, description="Conversation id; `now the same for this file` refers to it.")
]


ProposalsField = Annotated[
    bool | None,
    Form(description="Whether columns that headers may mean are taken; without it the import asks (400)."),
]


def received(file: UploadFile) -> tuple[Path, str]:
    """Returns the path of an uploaded file, which is there until the request ends, and the file's name."""
    name = (file.filename or "").replace("\0", "").strip()
    if not name:
        raise BadRequestError("Invalid file", "file: a file with a name is required")
    return Path(str(file.file.name)), name[-200:]
