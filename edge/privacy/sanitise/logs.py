"""Logs through the sanitiser: a structlog processor, a filter for the standard library's, and hooks for a crash."""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from collections.abc import Callable
from types import TracebackType

from structlog.typing import EventDict, Processor, WrappedLogger

from edge.privacy.sanitise.sanitiser import Sanitiser

__all__ = ["CrashHook", "SanitisingFilter", "crash_hook", "hook_crashes", "log_processor"]

CrashHook = Callable[[type[BaseException], BaseException, TracebackType | None], None]
"""What `sys.excepthook` is."""


def log_processor(sanitiser: Sanitiser) -> Processor:
    """Cleans message, fields and their names. Put it after what renders exceptions and before what renders the line."""

    def clean(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        cleaned: EventDict = sanitiser.clean(event).value
        return cleaned

    return clean


class SanitisingFilter(logging.Filter):
    """Cleans each record's message, extra fields, exception and stack.

    Put it on a handler: a logger's filter is not asked for the records of its children.
    """

    def __init__(self, sanitiser: Sanitiser) -> None:
        super().__init__()
        self._sanitiser = sanitiser

    def filter(self, record: logging.LogRecord) -> bool:
        """Always True; the record is changed."""
        record.msg, record.args = self._text(_message(record)), ()
        if record.exc_info:
            record.exc_text = record.exc_text or _FORMATTER.formatException(record.exc_info)
            record.exc_info = None  # else the next handler would format it anew
        record.exc_text = self._text(record.exc_text) if record.exc_text else record.exc_text
        record.stack_info = self._text(record.stack_info) if record.stack_info else record.stack_info
        extra = {name: value for name, value in vars(record).items() if name not in _OWN}
        vars(record).update(self._sanitiser.clean(extra).value)
        return True

    def _text(self, text: str) -> str:
        cleaned: str = self._sanitiser.clean(text).value
        return cleaned


def crash_hook(sanitiser: Sanitiser, write: Callable[[str], object]) -> CrashHook:
    """A hook that gives `write` the traceback of what was not caught, cleaned."""

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        write(sanitiser.clean("".join(traceback.format_exception(kind, error, trace))).value)

    return hook


def hook_crashes(sanitiser: Sanitiser) -> None:
    """Have this process write cleaned tracebacks alone: of its main thread, of other threads, of finalisers."""
    hook = crash_hook(sanitiser, lambda text: print(text, end="", file=sys.stderr))

    def in_thread(caught: threading.ExceptHookArgs) -> None:
        if caught.exc_value is not None and not issubclass(caught.exc_type, SystemExit):
            hook(caught.exc_type, caught.exc_value, caught.exc_traceback)

    def unraisable(caught: sys.UnraisableHookArgs) -> None:
        if caught.exc_value is not None:
            hook(caught.exc_type, caught.exc_value, caught.exc_traceback)

    sys.excepthook, threading.excepthook, sys.unraisablehook = hook, in_thread, unraisable


_FORMATTER = logging.Formatter()
_OWN = frozenset(vars(logging.LogRecord("", 0, "", 0, "", (), None))) | {"message", "asctime", "taskName"}


def _message(record: logging.LogRecord) -> str:
    """As `getMessage`; where arguments do not fit their message both are told, since logging would print them raw."""
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):
        return f"{record.msg} {record.args}"
