"""`atlas job`: background jobs that wait, run or have failed, for admins and operators."""

from __future__ import annotations

from typing import Annotated

import typer

from atlas.cli.context import Session, Yes, remote

job = typer.Typer(no_args_is_help=True, help="Asynchronous imports and webhooks, for admins and operators.")
COLUMNS = ["id", "task", "status", "attempts", "organization", "import_id", "created_at", "started_at", "ended_at"]


@job.command("list")
@remote
def job_list(
    session: Session,
    status: Annotated[str | None, typer.Option(help="Such as todo, doing or failed.")] = None,
    organization: Annotated[str | None, typer.Option("--org", help="Only of this organization.")] = None,
    limit: Annotated[int, typer.Option(help="Most to list.", min=1)] = 50,
) -> None:
    """List jobs that wait, run or have failed, newest first."""
    found = session.client.admin.jobs(status=status, organization=organization, limit=limit)
    session.show(list(found), COLUMNS)


@job.command("cancel")
@remote
def job_cancel(session: Session, job_id: int, yes: Yes = False) -> None:
    """Call off a job that waits, or end one that runs."""
    session.confirm(f"Cancel job {job_id} at {session.target.url}?", yes)
    session.show(session.client.admin.cancel_job(job_id))


@job.command("retry")
@remote
def job_retry(session: Session, job_id: int) -> None:
    """Run a failed job again."""
    session.show(session.client.admin.retry_job(job_id))
