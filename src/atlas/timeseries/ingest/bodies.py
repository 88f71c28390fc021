"""Request bodies: content types, decompression with a limit, and spooling."""

from __future__ import annotations

import asyncio
import codecs
import tempfile
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from email.message import Message
from enum import StrEnum
from typing import IO, Protocol

import pyarrow as pa

from atlas.errors import BadRequestError, TooLargeError
from atlas.kit.zstd import zstd
from atlas.timeseries.frames import Frame


class BodyFormat(StrEnum):
    """Formats of a bulk insert's body."""

    JSON = "json"
    NDJSON = "ndjson"
    CSV = "csv"
    PARQUET = "parquet"
    ARROW = "arrow"


MEDIA_TYPES = {
    "application/json": BodyFormat.JSON,
    "application/x-ndjson": BodyFormat.NDJSON,
    "application/ndjson": BodyFormat.NDJSON,
    "application/jsonl": BodyFormat.NDJSON,
    "text/csv": BodyFormat.CSV,
    "application/csv": BodyFormat.CSV,
    "application/vnd.apache.parquet": BodyFormat.PARQUET,
    "application/x-parquet": BodyFormat.PARQUET,
    "application/vnd.apache.arrow.stream": BodyFormat.ARROW,
    "application/vnd.apache.arrow.file": BodyFormat.ARROW,
}

# Python's codecs that decode no text in a charset.
_NO_CHARSETS = {"", "idna", "punycode", "unicode-escape", "raw-unicode-escape", "utf-7", "undefined", "mbcs", "oem"}


def body_format(content_type: str | None, named: BodyFormat | None = None) -> BodyFormat:
    """Returns the format of a body: the format of its Content-Type, else `named`, else JSON.

    Raises BadRequestError: when the type is unknown, bytes have no named format, or `named` is not the type's format.
    """
    media = (content_type or "application/json").split(";")[0].strip().lower()
    # curl sends this type with -d when the user names no type.
    if not content_type or media == "application/x-www-form-urlencoded":
        return named or BodyFormat.JSON
    if media == "application/octet-stream":
        if named is None:
            reason = f"format: needed for a body of {media}; one of {', '.join(BodyFormat)}"
            raise BadRequestError("Missing parameter", reason)
        return named
    found = MEDIA_TYPES.get(media)
    if found is None:
        raise BadRequestError("Unsupported Content-Type", f"{media!r}; use one of {', '.join(MEDIA_TYPES)}")
    if named not in (None, found):
        raise BadRequestError("Invalid parameter", f"format: {named}, but the Content-Type is {media}")
    return found


def body_charset(content_type: str | None, form: BodyFormat) -> str | None:
    """Returns the charset in a text's Content-Type, or None for UTF-8 and for formats that are no text.

    Raises BadRequestError: when the charset is unknown, or is not UTF-8 for JSON.
    """
    message = Message()
    message["content-type"] = content_type or ""
    name = message.get_param("charset")
    if not isinstance(name, str) or form in (BodyFormat.PARQUET, BodyFormat.ARROW):
        return None
    try:
        known = codecs.lookup(name.strip()).name
        # Raises LookupError for a codec of data other than text.
        b"text".decode(known, "replace")
    except (LookupError, ValueError):
        known = ""
    if known in _NO_CHARSETS:
        raise BadRequestError("Unsupported Content-Type", f"charset {name[:64]!r} is not known")
    if known in ("utf-8", "ascii"):
        return None
    if form is BodyFormat.JSON:
        raise BadRequestError("Unsupported Content-Type", f"charset {name[:64]!r}: JSON is UTF-8")
    return known


class Recoder:
    """Converts text from a charset to UTF-8, piece by piece."""

    def __init__(self, charset: str) -> None:
        self._charset = charset
        self._inner = codecs.getincrementaldecoder(charset)()

    def feed(self, data: bytes, *, last: bool = False) -> bytes:
        """Converts the next piece.

        Raises BadRequestError: when the charset does not have a piece's bytes.
        """
        try:
            return self._inner.decode(data, last).encode()
        except UnicodeError:
            raise BadRequestError("Invalid body", f"it is not text in {self._charset}") from None


class Decoder(Protocol):
    """A decompressor of a request body, piece by piece."""

    def feed(self, data: bytes) -> Iterator[bytes]: ...
    def finish(self) -> None: ...


class _Identity:
    def feed(self, data: bytes) -> Iterator[bytes]:
        yield data

    def finish(self) -> None: ...


class _Gzip:
    _STEP = 1024 * 1024

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        self._started = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._inner.eof:
                self._inner = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
            self._started = True
            try:
                yield self._inner.decompress(data, self._STEP)
            except zlib.error as error:
                raise BadRequestError("Invalid gzip body", str(error)) from None
            data = self._inner.unused_data if self._inner.eof else self._inner.unconsumed_tail

    def finish(self) -> None:
        if self._started and not self._inner.eof:
            raise BadRequestError("Invalid gzip body", "the body ends in the middle")


class _Zstd:
    _STEP = 1024 * 1024

    def __init__(self) -> None:
        # Decoders must offer a window of 2^27 bytes (RFC 8878). A larger window could exhaust memory.
        self._options: dict[int, int] = {int(zstd.DecompressionParameter.window_log_max): 27}
        self._inner = zstd.ZstdDecompressor(options=self._options)
        self._started = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        self._started = self._started or bool(data)
        while data or not self._inner.needs_input:
            if self._inner.eof:
                data = self._inner.unused_data + data
                if not data:
                    return
                self._inner = zstd.ZstdDecompressor(options=self._options)
            try:
                yield self._inner.decompress(data, self._STEP)
            except zstd.ZstdError as error:
                raise BadRequestError("Invalid zstd body", str(error)) from None
            data = b""
            if self._inner.eof and not self._inner.unused_data:
                return

    def finish(self) -> None:
        if self._started and not self._inner.eof:
            raise BadRequestError("Invalid zstd body", "the body ends in the middle")


async def unpacked(decoder: Decoder, data: bytes) -> AsyncIterator[bytes]:
    """Yields the pieces of some bytes of a body.

    Few bytes may unpack to many. So all but the first two pieces are unpacked in threads, beside the event loop.
    """
    pieces, count = decoder.feed(data), 0
    while (piece := next(pieces, None) if count < 2 else await asyncio.to_thread(next, pieces, None)) is not None:
        yield piece
        count += 1


_DECODERS: dict[str, Callable[[], Decoder]] = {
    "": _Identity,
    "identity": _Identity,
    "gzip": _Gzip,
    "x-gzip": _Gzip,
    "zstd": _Zstd,
}


def decoder(content_encoding: str | None) -> Decoder:
    """Returns the decoder for a Content-Encoding.

    Raises BadRequestError: when the encoding is unknown.
    """
    name = (content_encoding or "").strip().lower()
    if name not in _DECODERS:
        raise BadRequestError("Unsupported Content-Encoding", f"{name!r}; use gzip or zstd")
    return _DECODERS[name]()


class SizeLimit:
    """Counts bytes, and raises TooLargeError past a limit."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._seen = 0

    def add(self, size: int) -> None:
        self._seen += size
        if self._seen > self._limit:
            raise TooLargeError("Request body too large", f"the limit is {self._limit} bytes")


class FrameSpool:
    """Frames of one insert: in memory up to `memory` bytes, then in a temporary file (Arrow, LZ4).

    A context manager, which removes the file at its end.
    """

    def __init__(self, memory: int) -> None:
        self._memory = memory
        self._held = 0
        self._file: IO[bytes] | None = None
        self._slots: list[Frame | tuple[int, int, frozenset[str]]] = []
        self.rows = 0

    def __enter__(self) -> FrameSpool:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, frame: Frame) -> None:
        """Sorts `frame` by time and keeps the result."""
        if not len(frame):
            return
        self.rows += len(frame)
        frame = frame.sorted()
        if self._held + frame.nbytes <= self._memory:
            self._held += frame.nbytes
            self._slots.append(frame)
        else:
            self._slots.append(self._write(frame))

    def __len__(self) -> int:
        return len(self._slots)

    def get(self, index: int) -> Frame:
        """Returns the frame with index `index`. Empty frames are not counted."""
        slot = self._slots[index]
        return slot if isinstance(slot, Frame) else self._read(*slot)

    def get_in_memory(self, index: int) -> Frame | None:
        """Returns a frame like `get`, or None when the frame is not in memory."""
        slot = self._slots[index]
        return slot if isinstance(slot, Frame) else None

    def _write(self, frame: Frame) -> tuple[int, int, frozenset[str]]:
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="atlas-")  # noqa: SIM115
        start = self._file.seek(0, 2)
        # Keys may have any name, so arrays are stored by position: ts, extra, order, then the keys.
        extra = frame.extra if frame.extra is not None else pa.nulls(len(frame), pa.string())
        order = frame.order if frame.order is not None else pa.nulls(len(frame), pa.int64())
        arrays = [frame.ts, extra, order, *frame.columns.values()]
        names = ["ts", "extra", "order", *(f"k{name}" for name in frame.columns)]
        batch = pa.record_batch(arrays, names=names)
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        with pa.ipc.new_stream(self._file, batch.schema, options=options) as writer:
            writer.write_batch(batch)
        return start, self._file.tell() - start, frame.extra_keys

    def _read(self, start: int, size: int, extra_keys: frozenset[str]) -> Frame:
        assert self._file is not None
        self._file.seek(start)
        batch = pa.ipc.open_stream(pa.BufferReader(self._file.read(size))).read_next_batch()
        names = batch.schema.names[3:]
        columns = {name[1:]: batch.column(index + 3) for index, name in enumerate(names)}
        extra, order = batch.column(1) if extra_keys else None, batch.column(2)
        return Frame(batch.column(0), columns, extra, extra_keys, order=None if order.null_count else order)
