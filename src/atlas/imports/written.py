"""Written records: the row that each record became or updated, for the issues to review."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from atlas.imports.checks import Staged
from atlas.imports.fuzzy_duplicates import Candidate
from atlas.imports.matched import Matched
from atlas.imports.plan import ImportPlan
from atlas.imports.staging import Staging


@dataclass(frozen=True)
class Written:
    """Matched records with the numbers of their rows, made by `number` or `number_updated`.

    The staging has the table `numbered(_n, row)`.
    rows: the number of records with a row.
    """

    matched: Matched
    rows: int

    @property
    def file(self) -> Staged:
        return self.matched.file

    @property
    def staging(self) -> Staging:
        return self.matched.staging

    @property
    def plan(self) -> ImportPlan:
        return self.matched.plan

    def forget_updated(self) -> None:
        """Keeps only repeats within the file as duplicates, as a record that updated a row needs no review."""
        self.staging.query("DELETE FROM dups WHERE first IS NULL")

    def candidates(self, name: str, others: Sequence[str], key: Sequence[str]) -> list[Candidate]:
        """Returns the inserted records for the search of similar records. Labels are the numbers of their rows."""
        cells = "".join(
            f", CAST({self.file.value(c)} AS VARCHAR)" for c in map(self.plan.column, others) if c is not None
        )
        column = self.plan.column(name)
        assert column is not None
        parts = [f"{self.file.value(part)} IS NOT NULL" for part in map(self.plan.column, key) if part is not None]
        keyed = " AND ".join(parts) or "false"
        rows = self.staging.query(
            f"SELECT raw._n, {self.file.value(column)}, {keyed}{cells} FROM raw JOIN numbered USING (_n) "
            f"WHERE {self.file.value(column)} IS NOT NULL ORDER BY raw._n"
        )
        return [Candidate(row[0], row[1], tuple(row[3:]), keyed=row[2]) for row in rows]


def number(matched: Matched, first_row: int, leave_out: str) -> Written:
    """Numbers the records from `first_row` on in order, without the records of the query `leave_out`."""
    staging = matched.staging
    staging.query(
        f"CREATE OR REPLACE TABLE numbered AS SELECT _n, {first_row - 1} + row_number() OVER (ORDER BY _n) AS row "
        f"FROM raw WHERE {matched.checked.passing()} {f'AND _n NOT IN ({leave_out})' if leave_out else ''}"
    )
    if matched.plan.duplicates == "update":
        staging.query("INSERT INTO numbered SELECT n, row FROM existing")
    return Written(matched, int(staging.query("SELECT count(*) FROM numbered")[0][0]))


def number_updated(matched: Matched) -> Written:
    """Assigns to each record the number of the row that it updated."""
    matched.staging.query("CREATE OR REPLACE TABLE numbered AS SELECT n AS _n, row FROM existing")
    return Written(matched, matched.existing)
