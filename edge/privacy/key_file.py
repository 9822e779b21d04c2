"""Where a keyring lies: a file of mode 0600 by default. A TPM or a token plugs in here."""

from __future__ import annotations

import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from edge.errors import ThresholdError

__all__ = ["FileKeyStore", "KeyStore", "KeyringError"]

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_MODE = 0o600


class KeyringError(ThresholdError):
    """The box's own keys are absent, damaged or open to others. Never says anything of a key."""


class KeyStore(Protocol):
    """Keeps the keyring's bytes, all at once.

    A TPM 2.0 store would keep them sealed to the machine's state (`TPM2_Create` / `TPM2_Unseal`), a PKCS#11 store as a secret
    object of a token (`C_CreateObject`); neither needs to know what is inside.
    """

    name: str
    """What an error calls it."""

    def load(self) -> bytes | None:
        """What is kept, or None where nothing is yet."""

    def create(self, content: bytes) -> bool:
        """Keep `content` durably unless something is kept already; whether it was taken. Safe against another process."""

    def replace(self, content: bytes) -> None:
        """Keep `content` durably in place of what is there; a crash leaves the one or the other."""

    def lock(self) -> AbstractContextManager[None]:
        """Hold other processes' changes off."""


class FileKeyStore:
    """A file that only its owner may read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.name = str(path)

    def load(self) -> bytes | None:
        """As `KeyStore.load`.

        Raises:
            KeyringError: it cannot be read, or others may.
        """
        try:
            with self._path.open("rb") as file:
                mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
                if mode & _OTHERS:
                    raise KeyringError(
                        "open keyring", f"{self.name} is open to others (mode {mode:04o})", "chmod 600 it"
                    )
                return file.read()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise KeyringError(
                "open keyring", f"{self.name}: {error.strerror}", "run as the user who owns it"
            ) from error

    def create(self, content: bytes) -> bool:
        """As `KeyStore.create`: a hard link is made only where no file stands."""
        with self._beside(content) as made:
            try:
                os.link(made, self._path)
            except FileExistsError:
                return False
            self._sync_folder()
            return True

    def replace(self, content: bytes) -> None:
        """As `KeyStore.replace`."""
        with self._beside(content) as made:
            made.replace(self._path)
            self._sync_folder()

    @contextmanager
    def lock(self) -> Iterator[None]:
        """As `KeyStore.lock`; the kernel frees it however the process ends."""
        descriptor = os.open(self._path.with_name(self._path.name + ".lock"), os.O_CREAT | os.O_RDWR, _MODE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    @contextmanager
    def _beside(self, content: bytes) -> Iterator[Path]:
        """`content` on the disk in a file of mode 0600 in the same folder, gone at the end unless it was renamed."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(prefix=f".{self._path.name}.", dir=self._path.parent)
        except OSError as error:
            raise KeyringError("write keyring", f"{self.name}: {error.strerror}", "check the folder's owner") from error
        made = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            yield made
        finally:
            made.unlink(missing_ok=True)

    def _sync_folder(self) -> None:
        folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
