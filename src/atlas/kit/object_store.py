"""Files in object storage (S3, B2, GCS, Azure, a local folder), by obstore."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import obstore
from obstore import exceptions
from obstore.store import from_url

from atlas.errors import BadRequestError, NotFoundError, TooLargeError, UnavailableError


class ObjectStorage:
    """The storage that the operator has configured.

    `{organization}` in its URL is the id of the caller's organization.
    """

    def __init__(self, url: str | None, options: Mapping[str, str], *, max_bytes: int) -> None:
        self._url, self._max_bytes = url, max_bytes
        self._config = {name: value for name, value in options.items() if name != "allow_http"}
        # Plain HTTP is for storage on the same machine or network.
        self._client = {"allow_http": options.get("allow_http", "").lower() == "true"}

    async def download(self, organization_id: int, key: str, target: Path) -> None:
        """Writes the object called `key` to `target`.

        Raises BadRequestError when no storage is configured, or the name leaves its folder.
        Raises NotFoundError when there is no such object.
        Raises TooLargeError when the object is over the limit.
        Raises UnavailableError when the storage does not answer as expected.
        """
        if self._url is None:
            raise BadRequestError("No object storage", "the server has no object storage set up (ATLAS_STORAGE_URL)")
        if not key or key.startswith("/") or any(part in ("", ".", "..") for part in key.split("/")):
            raise BadRequestError("Invalid parameter", "file_name: a path inside the storage, without `..`")
        try:
            url = self._url.replace("{organization}", str(organization_id))
            store: Any = from_url(url, config=self._config, client_options=self._client)  # type: ignore[call-overload]
            found = await obstore.get_async(store, key)
            if found.meta["size"] > self._max_bytes:
                raise TooLargeError("File too large", f"{key}: over the limit of {self._max_bytes} bytes")
            with target.open("wb") as file:
                async for chunk in found.stream(min_chunk_size=4 * 1024 * 1024):
                    await asyncio.to_thread(file.write, chunk)
        except (FileNotFoundError, exceptions.NotFoundError):
            raise NotFoundError("File not found", f"file_name: no object {key[:200]!r} in the storage") from None
        except exceptions.BaseError as error:
            raise UnavailableError("Object storage unavailable", "it does not answer as it should") from error
