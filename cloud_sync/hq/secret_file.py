"""A secret in a file that its owner alone reads."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from edge.errors import StorageError

__all__ = ["kept_secret", "write_secret"]


def write_secret(path: Path, secret: str) -> None:
    """Write `secret` to `path`, mode 0600, whole or not at all.

    Raises:
        StorageError: it cannot be written.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(secret + "\n")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        raise StorageError("write secret", f"{path}: {error.strerror}", "choose a file that can be written") from error


def kept_secret(path: Path, *, make: Callable[[], str]) -> str:
    """The secret in `path`; made and written there the first time.

    Raises:
        StorageError: it cannot be read or written, or is empty.
    """
    try:
        secret = path.read_text("ascii").strip()
    except FileNotFoundError:
        secret = make()
        write_secret(path, secret)
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError("read secret", f"{path} cannot be read", "check its owner, or remove it") from error
    if not secret:
        raise StorageError("read secret", f"{path} is empty", "remove it, and a new one is made")
    return secret
