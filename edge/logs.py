"""Structured logs, one JSON line each, on standard error. A trace names code, never values: those may hold a card number."""

from __future__ import annotations

import logging
import sys

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

__all__ = ["configure_logs"]


def configure_logs(*, process: str, level: int = logging.INFO, clean: Processor | None = None) -> None:
    """Set up logging for a process; `process` stands in each line, and `clean` sees each line last."""
    structlog.configure(
        processors=[
            _named(process),
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False)),
            *([] if clean is None else [clean]),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),  # looked up anew: it may be redirected
    )


def _named(process: str) -> Processor:
    def add(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        return {**event, "process": process}

    return add
