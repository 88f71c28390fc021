"""Writes of line protocol: each measurement is a dataset of the caller, tags are its keys, fields its columns."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from atlas.accounts.access import Caller
from atlas.db.database import Database
from atlas.errors import BadRequestError
from atlas.timeseries.columns import Dtype
from atlas.timeseries.frames import Frame
from atlas.timeseries.ingest.bodies import SizeLimit, decoder, unpacked
from atlas.timeseries.ingest.service import RowService
from atlas.timeseries.line_protocol import repository
from atlas.timeseries.line_protocol.frames import Fitted, fitted
from atlas.timeseries.line_protocol.model import Fault, Points
from atlas.timeseries.line_protocol.parser import PRECISIONS, parse
from atlas.timeseries.service import DatasetService

# Bytes of an unpacked body. Clients send some thousand lines at a time.
MOST_BYTES = 10 << 20


@dataclass(frozen=True, slots=True)
class LineRequest:
    """A request to write. bucket: of InfluxDB, or the database of its first version; precision: of its times."""

    bucket: str
    precision: str = "ns"
    encoding: str | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a body.

    points: number of all points and faults. faults: what is wrong with lines. stored: whether the other lines are.
    """

    points: int
    faults: Sequence[Fault]
    stored: bool = True


class LineService:
    """Stores points of line protocol. partial: whether good lines are stored beside bad ones."""

    def __init__(self, database: Database, datasets: DatasetService, rows: RowService, *, partial: bool) -> None:
        self._database, self._datasets, self._rows, self._partial = database, datasets, rows, partial

    async def write(self, caller: Caller, request: LineRequest, body: AsyncIterator[bytes]) -> Written:
        """Stores the points of a body, one transaction for each measurement.

        Raises BadRequestError: when a parameter is invalid.
        Raises TooLargeError: when the body is too large.
        """
        if request.precision not in PRECISIONS:
            choices = ", ".join(name for name in PRECISIONS if name)
            raise BadRequestError("Invalid parameter", f"precision: {request.precision[:40]!r} is none of {choices}")
        if "\0" in request.bucket:
            raise BadRequestError("Invalid parameter", "bucket: the NUL character is not allowed")
        data, limit = bytearray(), SizeLimit(MOST_BYTES)
        unpack = decoder(request.encoding)
        async for received in body:
            async for piece in unpacked(unpack, received):
                limit.add(len(piece))
                data += piece
        unpack.finish()
        batch = await asyncio.to_thread(parse, bytes(data), request.precision)
        faults = list(batch.faults)
        ready: list[tuple[str, Points, int | None, Fitted]] = []
        for measurement, points in batch.points.items():
            known = await repository.find(self._database, caller.user_id, request.bucket, measurement)
            made = await self._fitted(measurement, points, known)
            faults += made.faults
            ready.append((measurement, points, None if known is None else known.dataset, made))
        count = len(batch.faults) + sum(len(points.lines) for points in batch.points.values())
        faults.sort(key=lambda fault: fault.line)
        if faults and not self._partial:
            return Written(count, faults, stored=False)
        for measurement, points, dataset, made in ready:
            if made.frame is not None:
                await self._store(caller, request.bucket, measurement, points, dataset, made.frame)
        return Written(count, faults)

    async def _fitted(self, measurement: str, points: Points, known: repository.LineDataset | None) -> Fitted:
        types: Mapping[str, Dtype] = {} if known is None else known.types
        keys = points.common_tags if known is None else known.keys
        return await asyncio.to_thread(fitted, points, measurement, types, keys, time.time_ns() // 1000)

    async def _store(
        self, caller: Caller, bucket: str, measurement: str, points: Points, dataset: int | None, frame: Frame
    ) -> None:
        if dataset is None:
            dataset = await self._made(caller, bucket, measurement, points)
        await self._rows.insert_frame(caller, dataset, frame)

    async def _made(self, caller: Caller, bucket: str, measurement: str, points: Points) -> int:
        """Returns the dataset of a measurement, which is made unless another request has made it meanwhile."""
        async with repository.alone(self._database, caller.user_id, bucket, measurement):
            known = await repository.find(self._database, caller.user_id, bucket, measurement)
            if known is not None:
                return known.dataset
            metadata = {"bucket": bucket}
            told = f"Points of the measurement {measurement} in line protocol"
            made = await self._datasets.create(caller, measurement, told, metadata, keys=points.common_tags)
            return made.id
