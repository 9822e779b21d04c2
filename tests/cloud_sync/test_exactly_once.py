"""From a real outbox to a real HQ over a line that fails in every way: each event once, in order."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

import pytest

from cloud_sync.receipt import Receipt
from cloud_sync.transports.https import HttpsTransport
from cloud_sync.uplink import Uplink
from edge.storage.database import open_reader

Make = Callable[..., Uplink]


def drain(uplink: Uplink) -> None:
    """Step until the outbox is empty, not waiting where the uplink would."""
    quiet = 0
    for _ in range(500):
        quiet = quiet + 1 if uplink.step() > 0 else 0
        if quiet == 12:
            return
    pytest.fail("the outbox does not run dry")


def expected_visits(events: Sequence[Any]) -> int:
    return sum(event.data.count for event in events)


def visits(hq: Any) -> int:
    return sum(hq.summary()["counts"]["visits"]["door/main"].values())


def test_everything_arrives_once(shop: Any, hq: Any, uplink_to: Make) -> None:
    """On a good line, in several batches."""
    events = shop.put_counts(50)
    drain(uplink_to(hq.url, batch_events=7))
    made = hq.summary()
    assert (made["events"], made["first_sequence"], made["last_sequence"]) == (50, 1, 50)
    assert visits(hq) == expected_visits(events)


def test_lost_answers_make_no_doubles(shop: Any, hq: Any, line: Any, uplink_to: Make) -> None:
    """HQ commits and its answer is lost, three times over: sent again, counted once."""
    events = shop.put_counts(20)
    line.lose_answers = 3
    drain(uplink_to(line.url, batch_events=6))
    assert hq.summary()["events"] == 20
    assert visits(hq) == expected_visits(events)


def test_a_request_cut_in_the_middle_commits_nothing(shop: Any, hq: Any, line: Any, uplink_to: Make) -> None:
    """Half a batch is no batch; whole, it arrives."""
    events = shop.put_counts(20)
    line.cut_after_bytes = 1500
    uplink = uplink_to(line.url)
    assert uplink.step() > 0
    assert hq.summary()["events"] == 0
    line.cut_after_bytes = None
    drain(uplink)
    assert visits(hq) == expected_visits(events)


def test_hq_down_for_a_while_loses_nothing(shop: Any, hq: Any, uplink_to: Make) -> None:
    """What comes meanwhile waits in the outbox, and goes in order when HQ is back."""
    events = list(shop.put_counts(5))
    uplink = uplink_to(hq.url, batch_events=4)
    drain(uplink)
    hq.stop()
    for _ in range(3):
        events += shop.put_counts(5)
        assert uplink.step() > 0
    hq.start()
    drain(uplink)
    made = hq.summary()
    assert (made["events"], made["last_sequence"]) == (20, 20)
    assert visits(hq) == expected_visits(events)


def test_an_uplink_that_forgot_its_position_makes_no_doubles(shop: Any, hq: Any, uplink_to: Make) -> None:
    """A lost sync.db sends everything again; HQ knows it all."""
    events = shop.put_counts(10)
    drain(uplink_to(hq.url))
    for file in shop.state.glob("sync.db*"):
        file.rename(file.with_name("old-" + file.name))
    drain(uplink_to(hq.url))
    assert hq.summary()["events"] == 10
    assert visits(hq) == expected_visits(events)


def test_a_number_used_twice_is_recorded_and_not_lost_silently(shop: Any, hq: Any, uplink_to: Make, kit: Any) -> None:
    """A store.db restored from an old backup reuses ids: HQ refuses the second event, and the shop has it on record."""
    stolen = shop.put(kit.count(3))[0].model_dump(mode="json")
    stolen["data"]["count"] = 99
    hq.post([stolen])
    shop.put_counts(2)
    drain(uplink_to(hq.url))
    assert hq.summary()["events"] == 3
    with open_reader(shop.state / "sync.db") as reader:
        rows = reader.execute("SELECT sequence, reason FROM rejected_events").fetchall()
    assert [tuple(row) for row in rows] == [(1, "HQ: another event has this id")]


class WitnessedTransport:
    """Passes on to a real transport and notes which sequences were sent."""

    def __init__(self, inner: HttpsTransport) -> None:
        self._inner = inner
        self.sent: list[int] = []

    def send(self, batch: Sequence[bytes]) -> Receipt:
        self.sent += [int(json.loads(event)["sequence"]) for event in batch]
        return self._inner.send(batch)

    def close(self) -> None:
        self._inner.close()


@pytest.mark.parametrize("seed", range(3))
def test_any_mixture_of_faults_ends_in_the_same_sums(seed: int, shop: Any, hq: Any, line: Any, uplink_to: Make) -> None:
    """Random events, lost answers, cuts, outages and prunings: nothing lost, nothing double, never out of order."""
    chance = random.Random(seed)
    inner = HttpsTransport(line.url, store="s1", credential_file=shop.credential_file)
    events: list[Any] = []
    with closing(WitnessedTransport(inner)) as witness:
        uplink = uplink_to(transport=witness, batch_events=5)
        for _ in range(40):
            fault = chance.choice(["none", "none", "lose", "cut", "down", "prune"])
            line.lose_answers = int(fault == "lose")
            line.cut_after_bytes = chance.randint(1, 3000) if fault == "cut" else None
            if fault == "down":
                hq.stop()
            if fault == "prune":
                shop.prune(acknowledged(shop))
            events += shop.put_counts(chance.randint(0, 4))
            uplink.step()
            if fault == "down":
                hq.start()
        line.lose_answers, line.cut_after_bytes = 0, None
        drain(uplink)
    made = hq.summary()
    assert (made["events"], made["last_sequence"]) == (len(events), len(events))
    assert visits(hq) == expected_visits(events)
    assert first_sendings(witness.sent) == list(range(1, len(events) + 1))
    assert acknowledged(shop) == len(events)


def acknowledged(shop: Any) -> int:
    with open_reader(shop.state / "sync.db") as reader:
        return int(reader.execute("SELECT acknowledged_sequence FROM position").fetchone()[0])


def first_sendings(sent: list[int]) -> list[int]:
    """Each sequence at its first sending, in the order of time."""
    return list(dict.fromkeys(sent))
