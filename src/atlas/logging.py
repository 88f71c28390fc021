"""Structured logs on standard error."""

from __future__ import annotations

import logging
import sys

import structlog


def configure_logs(level: str, layout: str) -> None:
    """Configures one line for each event, as `console` for people or `json` for machines.

    Keys and bodies are never logged.
    """
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if layout == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        # Standard error is looked up for each line, because callers that run commands in their own process replace and
        # close it.
        logger_factory=lambda *_: structlog.WriteLogger(sys.stderr),
    )
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")
