"""The uplink against HQs that say whatever a test has them say."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from cloud_sync.receipt import NOTHING_COMMITTED, Receipt, RejectedEvent
from cloud_sync.sync_record import SyncRecord
from cloud_sync.transports.transport import TransportError
from cloud_sync.uplink import Uplink
from edge.settings import HqSettings, Settings, StoreSettings
from edge.storage.database import open_reader


class SaidHq:
    """A transport that keeps what it is sent and answers by script; without one, it commits everything."""

    def __init__(self, *script: Receipt | TransportError) -> None:
        self.batches: list[list[bytes]] = []
        self._script = list(script)

    def send(self, batch: Sequence[bytes]) -> Receipt:
        self.batches.append(list(batch))
        if not self._script:
            return all_new(batch)
        answer = self._script.pop(0)
        if isinstance(answer, TransportError):
            raise answer
        return answer

    def close(self) -> None:
        pass

    @property
    def sequences(self) -> list[list[int]]:
        return [[int(json.loads(event)["sequence"]) for event in batch] for batch in self.batches]


def all_new(batch: Sequence[bytes]) -> Receipt:
    return Receipt(committed_through=json.loads(batch[-1])["sequence"], new=len(batch), duplicates=0)


def away(*, retryable: bool = True) -> TransportError:
    return TransportError("send events to HQ", "HQ is away", "it is tried again", retryable=retryable)


def position(shop: Any) -> int:
    with open_reader(shop.state / "sync.db") as reader:
        return int(reader.execute("SELECT acknowledged_sequence FROM position").fetchone()[0])


def rejected(shop: Any) -> list[tuple[Any, ...]]:
    with open_reader(shop.state / "sync.db") as reader:
        return [tuple(row) for row in reader.execute("SELECT sequence, event_id, reason FROM rejected_events")]


def last_error(shop: Any) -> str | None:
    with open_reader(shop.state / "sync.db") as reader:
        return reader.execute("SELECT last_error FROM uplink_state").fetchone()[0]


Make = Callable[..., Uplink]


def test_batches_go_in_order_and_at_their_size(shop: Any, uplink_to: Make) -> None:
    """Seven events in batches of three leave as 3, 3, 1, oldest first, without a wait between."""
    shop.put_counts(7)
    said = SaidHq()
    uplink = uplink_to(transport=said, batch_events=3)
    assert [uplink.step() for _ in range(3)] == [0.0, 0.0, 0.0]
    assert said.sequences == [[1, 2, 3], [4, 5, 6], [7]]
    assert position(shop) == 7


def test_what_leaves_is_the_outbox_byte_for_byte(shop: Any, uplink_to: Make) -> None:
    """The uplink rewrites nothing."""
    events = shop.put_counts(2)
    said = SaidHq()
    uplink_to(transport=said).step()
    assert said.batches == [[event.model_dump_json().encode() for event in events]]


def test_an_idle_uplink_waits_its_interval(shop: Any, uplink_to: Make) -> None:
    """With nothing to send, HQ is not bothered."""
    said = SaidHq()
    assert uplink_to(transport=said, interval_s=7).step() == 7
    assert said.batches == []


def test_the_gateway_may_start_later(tmp_path: Path, kit: Any) -> None:
    """Without a store.db the uplink waits; when one appears, its events go."""
    settings = Settings(store=StoreSettings(id="s1"), state=tmp_path, hq=HqSettings(interval_s=3))
    said = SaidHq()
    with closing(SyncRecord(tmp_path / "sync.db")) as record:
        uplink = Uplink(settings, said, record=record, clock=lambda: kit.NOON, jitter=lambda: 0.0)
        assert uplink.step() == 3
        with closing(kit.Shop(tmp_path)) as shop:
            shop.put_counts(1)
            assert uplink.step() == 0
    assert said.sequences == [[1]]


def test_a_store_db_without_tables_yet_is_waited_for(tmp_path: Path, kit: Any) -> None:
    """The gateway makes the file first and its tables a moment later; that moment crashes nothing."""
    (tmp_path / "store.db").touch()
    settings = Settings(store=StoreSettings(id="s1"), state=tmp_path)
    with closing(SyncRecord(tmp_path / "sync.db")) as record:
        uplink = Uplink(settings, SaidHq(), record=record, clock=lambda: kit.NOON, jitter=lambda: 0.0)
        assert uplink.step() > 0


def test_a_failure_moves_nothing_and_the_same_events_go_again(shop: Any, uplink_to: Make) -> None:
    """No receipt, no progress, whatever may have arrived."""
    shop.put_counts(2)
    said = SaidHq(away(), away())
    uplink = uplink_to(transport=said)
    waits = [uplink.step(), uplink.step()]
    assert position(shop) == 0
    assert 0 < waits[0] < waits[1]
    assert "HQ is away" in str(last_error(shop))
    assert uplink.step() == 0
    assert said.sequences == [[1, 2]] * 3
    assert (position(shop), last_error(shop)) == (2, None)


def test_what_somebody_must_mend_waits_long_and_is_an_error_in_the_log(shop: Any, uplink_to: Make) -> None:
    """A wrong credential is not hammered, and is tried again all the same: it may be mended at HQ."""
    shop.put_counts(1)
    uplink = uplink_to(transport=SaidHq(away(retryable=False)))
    with capture_logs() as logs:
        assert uplink.step() >= 30
    assert [(entry["event"], entry["log_level"]) for entry in logs] == [("not_sent", "error")]
    assert uplink.step() == 0
    assert position(shop) == 1


def test_a_partial_commit_resumes_at_the_first_open_event(shop: Any, uplink_to: Make) -> None:
    """HQ committed two of four: the other two go next, and at once."""
    shop.put_counts(4)
    said = SaidHq(Receipt(committed_through=f"{2:020d}", new=2, duplicates=0))
    uplink = uplink_to(transport=said)
    assert uplink.step() == 0
    assert position(shop) == 2
    uplink.step()
    assert said.sequences == [[1, 2, 3, 4], [3, 4]]
    assert position(shop) == 4


def test_an_hq_that_commits_nothing_is_backed_off_from(shop: Any, uplink_to: Make) -> None:
    """A receipt without progress is a failure, not an endless quick loop."""
    shop.put_counts(1)
    uplink = uplink_to(transport=SaidHq(Receipt(committed_through=NOTHING_COMMITTED, new=0, duplicates=0)))
    assert uplink.step() > 0
    assert position(shop) == 0


@pytest.mark.parametrize(
    "lie",
    [
        Receipt(committed_through=f"{9:020d}", new=2, duplicates=0),
        Receipt(committed_through=f"{2:020d}", new=1, duplicates=0),
        Receipt(committed_through=f"{2:020d}", new=2, duplicates=1),
    ],
)
def test_a_receipt_that_does_not_add_up_is_not_believed(shop: Any, uplink_to: Make, lie: Receipt) -> None:
    """The gateway prunes by the position: it moves on sums that fit or not at all."""
    shop.put_counts(2)
    uplink = uplink_to(transport=SaidHq(lie))
    assert uplink.step() > 0
    assert position(shop) == 0


def test_a_rejected_event_is_recorded_and_the_rest_goes_on(shop: Any, uplink_to: Make) -> None:
    """One event HQ will never take must not hold up the shop."""
    events = shop.put_counts(3)
    refusal = RejectedEvent(index=1, id="a lie", reason="unfit")
    said = SaidHq(Receipt(committed_through=f"{3:020d}", new=2, duplicates=0, rejected=(refusal,)))
    assert uplink_to(transport=said).step() == 0
    assert position(shop) == 3
    assert rejected(shop) == [(2, events[1].id, "HQ: unfit")]


def test_a_rejection_past_the_settled_front_is_not_recorded_yet(shop: Any, uplink_to: Make) -> None:
    """It will be sent again, and recorded then, once."""
    shop.put_counts(3)
    early = Receipt(committed_through=f"{1:020d}", new=1, duplicates=0, rejected=(RejectedEvent(index=2, reason="x"),))
    again = Receipt(committed_through=f"{2:020d}", new=1, duplicates=0, rejected=(RejectedEvent(index=1, reason="x"),))
    uplink = uplink_to(transport=SaidHq(early, again))
    uplink.step()
    assert (position(shop), rejected(shop)) == (1, [])
    uplink.step()
    assert position(shop) == 3
    assert [row[0] for row in rejected(shop)] == [3]


def test_what_is_no_event_of_the_schema_never_leaves(shop: Any, uplink_to: Make, kit: Any) -> None:
    """A damaged or foreign row in the outbox is recorded, not sent, and holds up nothing."""
    shop.put_counts(1)
    shop.put_raw(b"not json at all")
    shop.put_raw(json.dumps(kit.event(kit.count(1), 3, store="s2")).encode())
    shop.put_raw(
        json.dumps(kit.event(kit.count(1), 4) | {"data": {"kind": "count", "card": "4111111111111111"}}).encode()
    )
    shop.put_counts(1)
    said = SaidHq()
    assert uplink_to(transport=said).step() == 0
    assert said.sequences == [[1, 5]]
    assert position(shop) == 5
    assert [row[0] for row in rejected(shop)] == [2, 3, 4]
    assert "4111" not in str([row[2] for row in rejected(shop)])


def test_a_batch_of_nothing_fit_moves_on_without_sending(shop: Any, uplink_to: Make) -> None:
    """HQ is not asked about events that must not leave."""
    shop.put_raw(b"{}")
    said = SaidHq()
    assert uplink_to(transport=said).step() == 0
    assert (said.batches, position(shop)) == ([], 1)


def test_gaps_in_the_outbox_are_no_matter(shop: Any, uplink_to: Make) -> None:
    """What was pruned is gone; the rest goes in order."""
    shop.put_counts(5)
    shop.prune(3)
    said = SaidHq()
    uplink_to(transport=said).step()
    assert said.sequences == [[4, 5]]


def test_pruning_by_the_position_loses_nothing(shop: Any, uplink_to: Make) -> None:
    """The gateway prunes what is acknowledged, at any moment; every event is sent once."""
    said = SaidHq()
    uplink = uplink_to(transport=said, batch_events=2)
    for _ in range(4):
        shop.put_counts(3)
        uplink.step()
        shop.prune(position(shop))
    while uplink.step() == 0:
        shop.prune(position(shop))
    assert [sequence for batch in said.sequences for sequence in batch] == list(range(1, 13))


def test_a_store_made_anew_is_sent_from_its_beginning(shop: Any, uplink_to: Make, kit: Any) -> None:
    """store.db was lost: its successor's first events are not taken for acknowledged ones."""
    shop.put_counts(5)
    said = SaidHq()
    uplink = uplink_to(transport=said)
    uplink.step()
    shop.close()
    for file in shop.state.glob("store.db*"):
        file.unlink()
    with closing(kit.Shop(shop.state)) as successor:
        successor.put_counts(2)
        uplink.step()
    assert said.sequences == [[1, 2, 3, 4, 5], [1, 2]]
    assert position(shop) == 2


def test_a_batch_is_bounded_in_bytes(shop: Any, uplink_to: Make, kit: Any) -> None:
    """Many wide events are split, so that a proxy's body limit never stops the uplink."""
    shop.put(*(kit.count(1, place="p" * 128) for _ in range(2000)))
    said = SaidHq()
    uplink = uplink_to(transport=said, batch_events=5000)
    while uplink.step() == 0:
        pass
    assert max(sum(map(len, batch)) for batch in said.batches) < 600_000
    assert [sequence for batch in said.sequences for sequence in batch] == list(range(1, 2001))


def test_stop_ends_a_long_wait_and_retry_now_cuts_it_short(shop: Any, uplink_to: Make, kit: Any) -> None:
    """Neither a stopping box nor one whose HQ is back sits out its interval of an hour."""
    said = SaidHq()
    uplink = uplink_to(transport=said, interval_s=3600)
    worker = threading.Thread(target=uplink.run, daemon=True)
    worker.start()
    shop.put_counts(1)

    def sent() -> bool:
        uplink.retry_now()
        return said.sequences == [[1]]

    kit.wait_until(sent, what="the event to leave")
    uplink.stop()
    worker.join(kit.PATIENCE_S)
    assert not worker.is_alive()


def test_no_payload_in_the_log(shop: Any, uplink_to: Make, kit: Any) -> None:
    """Sending, failing and rejecting log numbers and reasons, never what an event says."""
    shop.put(kit.count(3, place="secret-place"))
    shop.put_raw(b'{"data": "secret-place"}')
    with capture_logs() as logs:
        uplink = uplink_to(transport=SaidHq(away()))
        uplink.step()
        uplink.step()
    assert {entry["event"] for entry in logs} == {"not_sent", "sent", "event_rejected"}
    assert "secret-place" not in str(logs)
