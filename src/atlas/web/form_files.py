"""Forms whose files go to disk at once, each under a name that other processes can open."""

from __future__ import annotations

import tempfile
from contextlib import aclosing
from typing import Any

from fastapi import HTTPException, Request
from starlette.datastructures import FormData
from starlette.formparsers import MultiPartException, MultiPartParser

# A form with more files is refused before all of them are on disk.
MOST_FILES = 10
PREFIX = "atlas-upload-"


class _FileParser(MultiPartParser):
    """Starlette's parser, whose files would stay in memory or have no name, and so be copied once more."""

    def on_headers_finished(self) -> None:
        super().on_headers_finished()
        part = self._current_part
        if part.file is not None:
            # The file is closed, and so removed, with the form.
            named: Any = tempfile.NamedTemporaryFile(prefix=PREFIX)  # noqa: SIM115
            self._files_to_close_on_error[-1].close()
            self._files_to_close_on_error[-1] = part.file.file = named


class FormRequest(Request):
    """A request with a form, whose files are `NamedTemporaryFile`s."""

    async def _get_form(self, **limits: Any) -> FormData:
        if self._form is None:
            try:
                async with aclosing(self.stream()) as stream:
                    self._form = await _FileParser(self.headers, stream, max_files=MOST_FILES).parse()
            except MultiPartException as error:
                raise HTTPException(400, error.message) from None
        return self._form
