"""Forms with a file: their fields, and the file on disk."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import AsyncIterator
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


@contextlib.asynccontextmanager
async def received(file: UploadFile) -> AsyncIterator[tuple[Path, str]]:
    """An uploaded file on disk, and its name."""
    name = (file.filename or "").replace("\0", "").strip()
    if not name:
        raise BadRequestError("Invalid file", "file: a file with a name is required")
    with tempfile.NamedTemporaryFile(prefix="atlas-upload-", delete=False) as target:
        path = Path(target.name)
        try:
            await asyncio.to_thread(shutil.copyfileobj, file.file, target, 1024 * 1024)
            target.close()
            yield path, name[-200:]
        finally:
            target.close()
            await asyncio.to_thread(path.unlink, missing_ok=True)
