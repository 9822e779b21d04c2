"""A receipt settles exactly what it may."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from cloud_sync.receipt import NOTHING_COMMITTED, Receipt, ReceiptMismatch, RejectedEvent, settled


def receipt(through: int, *, new: int = 0, duplicates: int = 0, rejected: tuple[int, ...] = ()) -> Receipt:
    refused = tuple(RejectedEvent(index=index, reason="unfit") for index in rejected)
    return Receipt(committed_through=f"{through:020d}", new=new, duplicates=duplicates, rejected=refused)


def test_everything_committed_settles_the_whole_batch() -> None:
    """New events and duplicates count alike."""
    assert settled(receipt(9, new=2, duplicates=1), [3, 7, 9]) == 3


def test_a_rejected_event_is_settled_too() -> None:
    """An event refused for good does not hold up the rest, be it first, last or between."""
    assert settled(receipt(2, new=1, rejected=(0, 2)), [1, 2, 3]) == 3


def test_all_rejected_settles_all() -> None:
    """A batch of which nothing was fit is done with."""
    assert settled(receipt(int(NOTHING_COMMITTED), rejected=(0, 1)), [4, 5]) == 2


def test_partial_commit_settles_the_front_only() -> None:
    """What lies past the committed sequence stays open."""
    assert settled(receipt(4, new=1), [4, 5, 6]) == 1
    assert settled(receipt(0), [4, 5, 6]) == 0


def test_a_rejected_event_past_an_open_one_does_not_move_the_position() -> None:
    """The position may not pass an event that could be lost."""
    assert settled(receipt(1, new=1, rejected=(2,)), [1, 2, 3]) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        receipt(3, new=2),
        receipt(3, new=4),
        receipt(4, new=3),
        receipt(3, new=3, rejected=(1,)),
        receipt(3, new=3, rejected=(3,)),
        receipt(0, new=1),
    ],
)
def test_a_receipt_that_does_not_add_up_settles_nothing(wrong: Receipt) -> None:
    """Wrong sums, strangers' events or too high a sequence are refused as a whole."""
    with pytest.raises(ReceiptMismatch, match="read HQ's receipt"):
        settled(wrong, [1, 2, 3])


@pytest.mark.parametrize("through", ["", "7", "-0000000000000000001", "0" * 21, "0000000000000000000x"])
def test_a_sequence_is_twenty_digits(through: str) -> None:
    """Anything else is no receipt."""
    with pytest.raises(ValidationError):
        Receipt(committed_through=through, new=0, duplicates=0)


@given(
    fates=st.lists(st.sampled_from(["new", "duplicate", "rejected"]), min_size=1, max_size=30), gap=st.integers(1, 5)
)
def test_an_honest_receipt_settles_everything(fates: list[str], gap: int) -> None:
    """Whatever mixture of fates, gaps in the sequence included, the whole batch is done."""
    sequences = [1 + gap * index for index in range(len(fates))]
    kept = [sequence for sequence, fate in zip(sequences, fates, strict=True) if fate != "rejected"]
    rejected = tuple(index for index, fate in enumerate(fates) if fate == "rejected")
    through = max(kept, default=0)
    made = receipt(through, new=fates.count("new"), duplicates=fates.count("duplicate"), rejected=rejected)
    assert settled(made, sequences) == len(fates)


@given(
    sequences=st.lists(st.integers(1, 50), min_size=1, max_size=10, unique=True).map(sorted),
    through=st.integers(0, 60),
    new=st.integers(0, 10),
    rejected=st.sets(st.integers(0, 10), max_size=3),
)
def test_no_receipt_settles_an_event_it_does_not_name(
    sequences: list[int], through: int, new: int, rejected: set[int]
) -> None:
    """Whatever a receipt claims, each settled event is at or below its sequence, or rejected by index."""
    try:
        done = settled(receipt(through, new=new, rejected=tuple(rejected)), sequences)
    except ReceiptMismatch:
        return
    assert all(sequences[index] <= through or index in rejected for index in range(done))
