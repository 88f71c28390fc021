"""Shows progress on a terminal: sent bytes, stages and records of an import. Without a terminal nothing is shown."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator

from atlas.kit.plurals import many

Report = Callable[[int], None]


@contextlib.contextmanager
def bytes_bar(what: str, total: int | None) -> Iterator[Report]:
    """Shows a bar of bytes. Yields a function that takes the number of bytes so far.

    total: None if unknown.
    """
    if not sys.stderr.isatty():
        yield lambda done: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=total)
        yield lambda done: progress.update(task, completed=done)


class ImportBar:
    """A line on standard error with the progress of an import: first sent bytes, then the server's stages."""

    def __init__(self, name: str, total: int) -> None:
        self._name, self._total = name, total
        self._change: Callable[..., None] = lambda **given: None
        self.watched = sys.stderr.isatty()

    @contextlib.contextmanager
    def shown(self) -> Iterator[ImportBar]:
        """Shows the line while the block runs."""
        if not self.watched:
            yield self
            return
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(bar_width=30), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task(f"sending {self._name}", total=self._total)
            self._change = lambda **given: progress.update(task, **given)
            yield self

    def sent(self, done: int) -> None:
        """Shows the sent bytes.

        done: the bytes that the server has taken.
        """
        # The form fields around the file count as well.
        if done < self._total:
            self._change(completed=done)
        else:
            self._change(description=f"{self._name}: received", total=None)

    def stage(self, stage: str, records: int) -> None:
        """Shows the stage and the number of records so far, as the server reports."""
        told = f"{stage}, {many(records, 'record')}" if records else stage
        self._change(description=f"{self._name}: {told}", total=None)
