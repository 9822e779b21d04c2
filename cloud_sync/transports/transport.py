"""The way to HQ, whatever carries it: one batch out, one receipt back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from cloud_sync.receipt import Receipt
from edge.errors import ThresholdError

__all__ = ["Transport", "TransportError"]


class TransportError(ThresholdError):
    """A batch was not acknowledged. It may or may not have arrived: only a receipt settles an event.

    `retryable` is False where waiting does not help and somebody must mend something, such as a credential.
    """

    def __init__(self, operation: str, subject: str, remedy: str, *, retryable: bool) -> None:
        super().__init__(operation, subject, remedy)
        self.retryable = retryable


class Transport(Protocol):
    """Carries CloudEvents to HQ. `tests/cloud_sync/test_transport_contract.py` says what every one must hold to."""

    def send(self, batch: Sequence[bytes]) -> Receipt:
        """Send events (CloudEvent JSON, in order) and return HQ's receipt, given after its database committed.

        Raises:
            TransportError: no receipt came; the same batch may be sent again.
        """
        ...

    def close(self) -> None:
        """Give up the connection. Closing twice is fine."""
        ...
