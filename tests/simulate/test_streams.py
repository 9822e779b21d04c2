"""What simulated tills, mirrors and kiosks say: typed, reproducible, with a truth that adds up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from random import Random

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.bus.payloads import parse_payload
from edge.bus.topics import SPOKEN
from edge.facts import SaleMade
from edge.messages import Device, KioskFeedback, MirrorMeasurement, MirrorSilhouette, PosTransaction
from edge.pos_bridge.sales import sale_of
from edge.simulate.kiosk import kiosk_sayings
from edge.simulate.mirror import mirror_sayings
from edge.simulate.stream import Opening, Saying, arrivals
from edge.simulate.till import till_sayings
from edge.simulate.truth import SaidTruth
from edge.simulate.wire import encode

Sayings = Callable[..., Iterator[Saying]]
OPENED = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
EVERY_KIND = [
    (Device("pos", "till-1"), till_sayings),
    (Device("mirror", "mirror-1"), mirror_sayings),
    (Device("kiosk", "kiosk-1"), kiosk_sayings),
]
every_kind = pytest.mark.parametrize(("device", "sayings"), EVERY_KIND, ids=["till", "mirror", "kiosk"])


def said(sayings: Sayings, device: Device, *, seed: int = 7, started_at: datetime = OPENED) -> list[Saying]:
    return list(islice(sayings(Opening(seed, started_at), device, until_s=None), 150))


@every_kind
def test_every_message_parses_as_what_it_is(device: Device, sayings: Sayings) -> None:
    """What a device publishes is understood by the gateway's own parser, as the very same message."""
    for saying in said(sayings, device):
        encoded = encode(saying.message)
        assert encoded.channel in SPOKEN[device.kind]
        assert parse_payload(encoded.channel, encoded.payload) == saying.message


@every_kind
def test_a_seed_is_a_stream(device: Device, sayings: Sayings) -> None:
    """Seed and start give the same payloads at the same times, byte for byte; another seed gives others."""
    one, two = ([encode(saying.message) for saying in said(sayings, device)] for _ in range(2))
    assert one == two
    assert [saying.at_s for saying in said(sayings, device)] == [saying.at_s for saying in said(sayings, device)]
    assert one != [encode(saying.message) for saying in said(sayings, device, seed=8)]


@every_kind
def test_a_second_run_says_the_same_with_new_ids(device: Device, sayings: Sayings) -> None:
    """A later run with the same seed has the same truth, but ids of its own: a store that saw the first run counts it too."""
    first, later = said(sayings, device), said(sayings, device, started_at=OPENED + timedelta(seconds=1))
    ids = [{saying.message.message_id for saying in run} for run in (first, later)]
    assert not ids[0] & ids[1]
    assert truth_of(first).as_dict() == truth_of(later).as_dict()


@every_kind
def test_devices_of_one_shop_do_not_repeat_each_other(device: Device, sayings: Sayings) -> None:
    """Two devices with one seed say different things."""
    other = replace(device, id=f"{device.id}-b")
    assert [one.at_s for one in said(sayings, device)] != [one.at_s for one in said(sayings, other)]
    assert len({one.message.message_id for run in (device, other) for one in said(sayings, run)}) == 300


@every_kind
def test_a_device_falls_silent_at_the_end(device: Device, sayings: Sayings) -> None:
    """Nothing is said at or after `until_s`, and what is said before does not depend on it."""
    whole = said(sayings, device)
    until_s = whole[20].at_s
    assert list(sayings(Opening(7, OPENED), device, until_s=until_s)) == whole[:20]


@every_kind
def test_messages_bear_the_time_they_are_said_at(device: Device, sayings: Sayings) -> None:
    """`captured_at` is the opening plus `at_s`, to the millisecond."""
    for saying in said(sayings, device):
        told_s = (saying.message.captured_at - OPENED).total_seconds()
        assert told_s == pytest.approx(saying.at_s, abs=0.001)


@settings(deadline=None)
@given(seed=st.integers(0, 2**31), per_minute=st.floats(0.5, 300), until_s=st.floats(0, 120))
def test_arrivals_rise_and_end(seed: int, per_minute: float, until_s: float) -> None:
    """Arrival times strictly rise from above 0 to below the end."""
    times = list(arrivals(Random(seed), per_minute=per_minute, until_s=until_s))
    assert all(0 < earlier < later for earlier, later in pairwise(times))
    assert all(0 < at_s < until_s for at_s in times)


def test_tills_do_all_that_tills_do() -> None:
    """There are sales, returns, voids, practice and split tenders in every long enough day."""
    device = Device("pos", "till-1")
    messages = [saying.message for saying in islice(till_sayings(Opening(1, OPENED), device, until_s=None), 600)]
    transactions = [message for message in messages if isinstance(message, PosTransaction)]
    assert {transaction.kind for transaction in transactions} == {"sale", "return", "void"}
    assert any(transaction.training for transaction in transactions)
    assert any(len(transaction.tenders) == 2 for transaction in transactions)
    assert all(0 < transaction.tax_minor < transaction.total_minor for transaction in transactions)


def test_kiosks_give_moods_words_and_both() -> None:
    """Feedback is a mood, or words, or both, and every mood occurs."""
    messages = [saying.message for saying in said(kiosk_sayings, Device("kiosk", "kiosk-1"))]
    feedback = [message for message in messages if isinstance(message, KioskFeedback)]
    assert {one.mood for one in feedback} == {None, 1, 2, 3, 4, 5}
    assert {(one.mood is None, one.words is None) for one in feedback} == {(True, False), (False, True), (False, False)}


def test_mirrors_measure_people() -> None:
    """Measurements lie where people's do, and a silhouette is a small black and white picture of one figure."""
    messages = [saying.message for saying in said(mirror_sayings, Device("mirror", "mirror-1"))]
    for one in (message for message in messages if isinstance(message, MirrorMeasurement)):
        assert 1400 <= one.stature_mm <= 2100
        assert all(
            0.08 < part_mm / one.stature_mm < 0.3 for part_mm in (*one.breadths_mm.values(), *one.depths_mm.values())
        )
    outlines = [message for message in messages if isinstance(message, MirrorSilhouette)]
    assert outlines
    for outline in outlines[:5]:
        for png in (outline.front_png, outline.side_png):
            mask = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)
            assert mask is not None
            assert set(np.unique(mask)) == {0, 255}
            assert cv2.connectedComponents(mask)[0] == 2  # ground and one figure
            assert len(png) < 5000


def truth_of(sayings: list[Saying]) -> SaidTruth:
    truth = SaidTruth()
    for saying in sayings:
        truth.add(saying.message)
    return truth


def test_the_truth_of_sales_is_what_the_gateway_makes_of_them() -> None:
    """Summing the facts that the point-of-sale room draws from each transaction gives the simulator's truth."""
    sayings = said(till_sayings, Device("pos", "till-1"))
    facts: list[SaleMade] = []
    for saying in sayings:
        assert isinstance(saying.message, PosTransaction)
        fact = sale_of(saying.message, till="till-1", at=saying.message.captured_at)
        facts += [] if fact is None else [fact]
    truth = truth_of(sayings).as_dict()
    assert truth["training"] == len(sayings) - len(facts)
    assert truth["sales"] == {
        "CNY": {
            "sales": sum(fact.kind == "sale" for fact in facts),
            "returns": sum(fact.kind == "return" for fact in facts),
            "voids": sum(fact.kind == "void" for fact in facts),
            "units": sum(fact.units for fact in facts),
            "total_minor": sum(fact.total_minor for fact in facts),
            "tax_minor": sum(fact.tax_minor for fact in facts),
        }
    }


def test_the_truth_counts_moods_words_and_sizes() -> None:
    """Each mood given is counted by its level, words by their number, sizes by their garment."""
    feedback = said(kiosk_sayings, Device("kiosk", "kiosk-1"))
    measured = said(mirror_sayings, Device("mirror", "mirror-1"))
    truth = truth_of(feedback + measured).as_dict()
    moods = [saying.message.mood for saying in feedback if isinstance(saying.message, KioskFeedback)]
    assert truth["mood"] == {str(level): moods.count(level) for level in range(1, 6)}
    assert sum(truth["mood"].values()) + moods.count(None) == len(feedback)
    assert sum(truth["sizes_asked"].values()) == len(measured)
    assert 0 < truth["words"] < len(feedback)
