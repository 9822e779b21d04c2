"""What is remembered of visits: bounded, forgotten, and never under somebody else's key."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import count
from threading import Barrier
from typing import Any

import httpx
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from edge.consent.choices import Codes
from edge.consent.kiosk.forgery import FormTokens
from edge.consent.kiosk.mood import MoodButtons
from edge.consent.kiosk.stays import Question, Slip, Stay, Stays
from edge.consent.subject import Subject

NOON = datetime(2026, 6, 3, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def keys() -> Callable[[], str]:
    """Makes keys that can be told apart."""
    numbers = count()
    return lambda: f"key-{next(numbers)}"


class Visits(RuleBasedStateMachine):
    """Whatever visitors do, each key leads to its own stay or to none, and old keys to none."""

    live: Bundle[str] = Bundle("live")

    def __init__(self) -> None:
        super().__init__()
        self.now = NOON
        self.stays = Stays(forget_after=MINUTE, make_key=keys())
        self.owners: dict[str, tuple[Stay, datetime]] = {}
        self.dead: set[str] = set()

    @rule(target=live, address=st.sampled_from("ab"))
    def opens(self, address: str) -> str:
        key, stay = self.stays.open(address=address, at=self.now)
        self.owners[key] = (stay, self.now)
        return key

    @rule(target=live, key=consumes(live))
    def changes_key(self, key: str) -> str:
        fresh = self.stays.rekey(key)
        self.owners[fresh] = self.owners.pop(key)
        self.dead.add(key)
        return fresh

    @rule(key=consumes(live))
    def ends(self, key: str) -> None:
        self.stays.end(key)
        del self.owners[key]
        self.dead.add(key)

    @rule(key=live)
    def comes_back(self, key: str) -> None:
        stay, seen_at = self.owners[key]
        found = self.stays.find(key, at=self.now)
        if found is None:
            assert self.now - seen_at > MINUTE
        else:
            assert found is stay
            self.owners[key] = (stay, self.now)

    @rule(seconds=st.integers(0, 90))
    def time_goes_by(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @invariant()
    def old_keys_open_nothing(self) -> None:
        assert not any(self.stays.find(key, at=self.now) for key in self.dead)


TestVisits = Visits.TestCase


def test_one_address_cannot_crowd_the_others_out() -> None:
    """An address that opens visits without end loses its own oldest, and nobody else's."""
    stays = Stays(forget_after=MINUTE)
    mine, _ = stays.open(address="me", at=NOON)
    theirs = [stays.open(address="flood", at=NOON)[0] for _ in range(1000)]
    assert stays.find(mine, at=NOON) is not None
    assert stays.find(theirs[0], at=NOON) is None
    assert stays.find(theirs[-1], at=NOON) is not None
    assert len(stays) <= 201


def test_many_addresses_do_not_fill_the_memory() -> None:
    """There are never more than five thousand visits; the one longest silent goes first."""
    stays = Stays(forget_after=MINUTE, make_key=keys())
    for number in range(5200):
        stays.open(address=f"10.0.{number // 250}.{number % 250}", at=NOON)
    assert len(stays) == 5000
    assert stays.find("key-0", at=NOON) is None


def test_nothing_personal_shows_in_a_log() -> None:
    """Codes, subjects and words stay out of what is printed of a visit."""
    stay = Stay("10.0.0.1", NOON, subject=Subject("s_secret"), slip=Slip(Codes("SECR-ETXX", "secret"), NOON))
    stay.unsent = Question("question", "secret words", "secret@mail")
    assert "secret" not in repr(stay).lower()


@pytest.mark.parametrize("site", [None, "same-origin", "none"])
def test_a_token_fits_its_own_visit_alone(site: str | None) -> None:
    """Another visit, another process, no visit at all: the token does not fit."""
    tokens = FormTokens(b"1" * 32)
    token = tokens.token("mine")
    assert tokens.fits(token, visit_key="mine", fetch_site=site)
    assert not tokens.fits(token, visit_key="yours", fetch_site=site)
    assert not tokens.fits(tokens.token(""), visit_key="", fetch_site=site)
    assert not FormTokens(b"2" * 32).fits(token, visit_key="mine", fetch_site=site)


def test_moods_of_different_screens_do_not_wait_for_each_other() -> None:
    """Only the same screen has to pause between two presses; a clock that was set back stops nobody."""
    counted: list[int] = []
    buttons = MoodButtons(lambda level, _: counted.append(level))
    assert buttons.press(1, address="a", at=NOON)
    assert buttons.press(2, address="b", at=NOON)
    assert not buttons.press(3, address="a", at=NOON + timedelta(seconds=2))
    assert buttons.press(4, address="a", at=NOON - timedelta(days=1))
    assert counted == [1, 2, 4]
    for number in range(3000):
        buttons.press(5, address=str(number), at=NOON)
    assert len(buttons._last) <= 1000


def test_a_form_sent_twice_at_once_is_written_down_once(kiosk: Any) -> None:
    """Two taps reach the box at the same moment: one shopper, one act, and the receipt that was made stays reachable."""
    for number in range(1, 6):
        visitor = kiosk.visitor()
        visitor.get("/here/choose")
        visitor.send("/here/choose", allow=["in_store_offers"], answer="chosen")
        together, cookies = Barrier(2), dict(visitor.client.cookies)

        def tap(_: int, *, token: str = visitor.token, together: Barrier = together) -> httpx.Response:
            with httpx.Client(base_url=kiosk.address, cookies=cookies, trust_env=False) as client:  # noqa: B023
                together.wait()
                return client.post("/here/age", data={"token": token, "age": "adult"})

        with ThreadPoolExecutor(2) as two:
            answers = list(two.map(tap, range(2)))
        assert [answer.status_code for answer in answers] == [303, 303]
        (moved,) = [answer for answer in answers if "set-cookie" in answer.headers]
        assert moved.headers["location"] == "/here/receipt"
        visitor.client.cookies = moved.cookies
        visitor.get("/here/receipt")
        assert visitor.code
        assert len(kiosk.rows("SELECT subject FROM subjects")) == number
