"""What can go wrong, in one family: every error names the operation, its subject and the remedy."""

from __future__ import annotations

__all__ = [
    "BusError",
    "MessageRejected",
    "ModelRefused",
    "SettingsError",
    "StorageError",
    "ThresholdError",
]


class ThresholdError(Exception):
    """Base of all errors meant for people; `str()` is one line: operation, subject, remedy.

    It never carries a payload: an error may end in a log.
    """

    def __init__(self, operation: str, subject: str, remedy: str) -> None:
        super().__init__(f"{operation}: {subject}; {remedy}" if remedy else f"{operation}: {subject}")
        self.operation = operation
        self.subject = subject
        self.remedy = remedy


class SettingsError(ThresholdError):
    """`store.toml` is wrong; `mistakes` holds every mistake found, each one line."""

    def __init__(self, path: str, mistakes: tuple[str, ...]) -> None:
        noun = "mistake" if len(mistakes) == 1 else "mistakes"
        super().__init__(f"read {path}", f"{len(mistakes)} {noun}: {'; '.join(mistakes)}", "")
        self.mistakes = mistakes


class MessageRejected(ThresholdError):
    """A message that cannot be taken; becomes a dead letter with `reason`, a short fixed word."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__("take message", detail, f"rejected as {reason}")
        self.reason = reason


class ModelRefused(ThresholdError):
    """A model file that is absent, altered or not what the manifest says."""


class BusError(ThresholdError):
    """The MQTT broker cannot be reached, or refuses us."""


class StorageError(ThresholdError):
    """A database cannot be opened, read or written."""
