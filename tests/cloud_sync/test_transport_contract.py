"""What every transport must hold to. A later one (NATS) adds its line to `WAYS` and passes, unchanged."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, Protocol

import pytest

from cloud_sync.transports.https import HttpsTransport
from cloud_sync.transports.transport import Transport, TransportError


class Way(Protocol):
    """One kind of transport between a store s1 and an HQ, with a hand on what may go wrong between."""

    hq: Any

    def transport(self, *, credential: str | None = None) -> Transport: ...
    def lose_next_answer(self) -> None: ...


class HttpsWay:
    def __init__(self, hq: Any, line: Any, folder: Path, kit: Any, stack: ExitStack) -> None:
        self.hq = hq
        self._line = line
        self._folder = folder
        self._kit = kit
        self._stack = stack

    def transport(self, *, credential: str | None = None) -> Transport:
        file = self._folder / "credential"
        file.write_text(credential or self._kit.CREDENTIAL)
        made = HttpsTransport(self._line.url, store="s1", credential_file=file)
        return self._stack.enter_context(closing(made))

    def lose_next_answer(self) -> None:
        self._line.lose_answers += 1


WAYS: dict[str, Callable[..., Way]] = {"https": HttpsWay}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, hq: Any, line: Any, tmp_path: Path, kit: Any) -> Iterator[Way]:
    with ExitStack() as stack:
        yield WAYS[request.param](hq, line, tmp_path, kit, stack)


@pytest.fixture
def batch(kit: Any) -> Callable[..., list[bytes]]:
    def make(*sequences: int) -> list[bytes]:
        return [json.dumps(kit.event(kit.count(1), sequence)).encode() for sequence in sequences]

    return make


Batch = Callable[..., list[bytes]]


def test_a_receipt_comes_after_the_commit(way: Way, batch: Batch) -> None:
    """When `send` returns, HQ's database has the events."""
    receipt = way.transport().send(batch(1, 2, 3))
    assert (receipt.committed_through, receipt.new, receipt.duplicates) == (f"{3:020d}", 3, 0)
    assert way.hq.summary()["events"] == 3


def test_what_is_sent_again_is_a_duplicate(way: Way, batch: Batch) -> None:
    """The same batch, or one that overlaps it, adds only what is new."""
    transport = way.transport()
    transport.send(batch(1, 2))
    receipt = transport.send(batch(1, 2, 3))
    assert (receipt.new, receipt.duplicates) == (1, 2)
    assert way.hq.summary()["counts"] == {"visits": {"door/main": {"in": 3}}}


def test_a_lost_answer_is_a_retryable_error_and_no_loss(way: Way, batch: Batch) -> None:
    """HQ committed and the answer went missing: sending again tells so."""
    transport = way.transport()
    way.lose_next_answer()
    with pytest.raises(TransportError) as caught:
        transport.send(batch(1, 2))
    assert caught.value.retryable
    assert way.hq.summary()["events"] == 2
    assert transport.send(batch(1, 2)).duplicates == 2


def test_hq_away_is_a_retryable_error_and_the_same_transport_serves_on(way: Way, batch: Batch) -> None:
    """No new transport is needed when HQ comes back."""
    transport = way.transport()
    transport.send(batch(1))
    way.hq.stop()
    with pytest.raises(TransportError) as caught:
        transport.send(batch(2))
    assert caught.value.retryable
    way.hq.start()
    assert transport.send(batch(2)).new == 1


def test_a_wrong_credential_is_not_retryable_and_commits_nothing(way: Way, batch: Batch) -> None:
    """Somebody must mend it; the error says where, and never the credential."""
    with pytest.raises(TransportError) as caught:
        way.transport(credential="wrong-secret").send(batch(1))
    assert not caught.value.retryable
    assert "wrong-secret" not in str(caught.value)
    assert way.hq.summary()["events"] == 0


def test_an_unfit_event_is_named_by_its_index(way: Way, batch: Batch) -> None:
    """The others are committed; the receipt says which one is not, and why, without quoting it."""
    one, three = batch(1, 3)
    two = json.loads(batch(2)[0]) | {"card": "4111111111111111"}
    receipt = way.transport().send([one, json.dumps(two).encode(), three])
    assert [event.index for event in receipt.rejected] == [1]
    assert "4111111111111111" not in receipt.model_dump_json()
    assert (receipt.committed_through, receipt.new) == (f"{3:020d}", 2)


def test_another_stores_event_is_rejected(way: Way, kit: Any) -> None:
    """A store cannot report for another, whatever it sends."""
    stranger = json.dumps(kit.event(kit.count(1), 1, store="s2")).encode()
    receipt = way.transport().send([stranger])
    assert [event.reason for event in receipt.rejected] == ["source is not this store"]
    assert way.hq.summary("s2")["events"] == 0


def test_closing_twice_is_fine(way: Way) -> None:
    """A clean stop may pass by more than once."""
    transport = way.transport()
    transport.close()
    transport.close()
