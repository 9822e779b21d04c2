"""Logs on standard error, one line of key=value each: standard output belongs to what a command answers."""

from __future__ import annotations

import sys

import structlog

__all__ = ["log_to_stderr"]


def log_to_stderr() -> None:
    """Send this process's log to standard error."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"]),
        ],
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),  # looked up anew: it may be redirected
    )
