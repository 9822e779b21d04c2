"""The gate: what it lets through, and how it fails."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from consenting import BOOK, Shop

from edge.consent.gate import Answer, ConsentGate
from edge.consent.reader import ConsentReader
from edge.consent.subject import to_bytes
from edge.consent.tries import Tries

SIZE, OFFERS = "size_recommendation", "in_store_offers"
Ask = Callable[..., Answer]


def gate_of(shop: Shop, *, book=BOOK, **more) -> ConsentGate:
    """The gate as the gateway wires it."""
    return ConsentGate(
        (),
        attestation_valid_days=30,
        timezone="UTC",
        registry=ConsentReader(shop.path, keyring=shop.keyring),
        notice_of=book.version,
        wrong_codes=Tries(each=3, everybody=100, window=timedelta(minutes=1)),
        **more,
    )


@pytest.fixture
def ask(shop: Shop) -> Ask:
    """Ask the gate now, from the mirror."""
    gate = gate_of(shop)

    def asking(purpose: str = SIZE, *, device: str = "mirror-1", **who: object) -> Answer:
        return gate.ask(purpose, at=shop.clock(), device=device, **who)

    return asking


@pytest.fixture
def code(shop: Shop) -> str:
    """The session code of somebody who agreed to sizes."""
    return shop.registry.open_session(shop.give(SIZE).subject, [SIZE]).code


def test_whoever_agreed_is_served(ask: Ask, code: str) -> None:
    """A live session for a granted purpose is let through."""
    assert ask(session=code).allowed


def test_what_was_not_agreed_to_is_refused(ask: Ask, code: str) -> None:
    """The session of one purpose opens no other."""
    assert ask(OFFERS, session=code) == Answer(False, "not agreed to in this session", ask(session=code).subject)


def test_a_withdrawal_counts_at_the_next_question(shop: Shop, ask: Ask) -> None:
    """Nothing is remembered from the yes before."""
    given = shop.give(SIZE)
    subject = to_bytes(given.subject)
    assert ask(subject=subject).allowed
    shop.registry.withdraw(given.subject, [SIZE], channel="phone")
    assert not ask(subject=subject).allowed


def test_an_erased_shopper_is_refused(shop: Shop, ask: Ask) -> None:
    """After an erasure there is no yes left, in a session or out of one."""
    given = shop.give(SIZE)
    code = shop.registry.open_session(given.subject, [SIZE]).code
    assert ask(session=code, device="mirror-2").allowed
    shop.registry.erase(given.subject, channel="phone")
    assert not ask(subject=to_bytes(given.subject)).allowed
    assert ask(session=code).reason == "no live consent session"


def test_a_session_ends_after_ten_minutes(shop: Shop, ask: Ask, code: str) -> None:
    """An old code is a wrong code."""
    shop.clock.forward(minutes=10, seconds=1)
    assert ask(session=code).reason == "no live consent session"


def test_consent_ends_when_its_time_is_up(shop: Shop, ask: Ask) -> None:
    """A yes is not for ever, even before the retention job has written so."""
    subject = to_bytes(shop.give(SIZE).subject)
    shop.clock.forward(days=BOOK.purpose(SIZE).consent_days + 1)
    assert ask(subject=subject).reason == "expired"


def test_a_session_belongs_to_the_first_device(ask: Ask, code: str) -> None:
    """A code overheard is of no use at another mirror."""
    assert ask(session=code, device="mirror-1").allowed
    assert not ask(session=code, device="mirror-2").allowed
    assert ask(session=code, device="mirror-1").allowed


def test_wrong_codes_make_a_device_wait(ask: Ask, code: str, shop: Shop) -> None:
    """Nobody tries them all; another device and a later minute are free."""
    wrong = "000000" if code != "000000" else "000001"
    for _ in range(3):
        assert ask(session=wrong).reason == "no live consent session"
    assert ask(session=code).reason == "too many wrong session codes; wait a minute"
    assert ask(session=code, device="mirror-2").allowed
    shop.clock.forward(minutes=1, seconds=1)
    assert ask(session=code, device="mirror-2").allowed


def test_an_ended_session_is_no_guess(shop: Shop, ask: Ask) -> None:
    """A mirror that goes on asking after a withdrawal is refused, and is free for the next shopper at once."""
    given = shop.give(SIZE)
    old = shop.registry.open_session(given.subject, [SIZE]).code
    assert ask(session=old).allowed
    shop.registry.withdraw(given.subject, [SIZE], channel="phone")
    for _ in range(20):
        assert ask(session=old).reason == "the consent session has ended"
    assert ask(session=shop.registry.open_session(shop.give(SIZE).subject, [SIZE]).code).allowed


def test_a_changed_notice_asks_again(shop: Shop) -> None:
    """A yes to other words is no yes to these."""
    subject = to_bytes(shop.give(SIZE).subject)
    gate = ConsentGate(
        (),
        attestation_valid_days=30,
        timezone="UTC",
        registry=ConsentReader(shop.path, keyring=shop.keyring),
        notice_of=lambda _: "another version",
    )
    assert "asked again" in gate.ask(SIZE, at=shop.clock(), subject=subject).reason


def test_no_registry_no_consent(shop: Shop, tmp_path: Path) -> None:
    """Without a database, with a broken one, without a session: no."""
    missing = ConsentReader(tmp_path / "absent" / "consent.db", keyring=shop.keyring)
    (tmp_path / "broken.db").write_bytes(b"no database" * 500)
    broken = ConsentReader(tmp_path / "broken.db", keyring=shop.keyring)
    for reader in (missing, broken):
        gate = ConsentGate((), attestation_valid_days=30, timezone="UTC", registry=reader, notice_of=BOOK.version)
        assert gate.ask(SIZE, at=shop.clock(), session="123456").reason == "the consent registry cannot be read"
        assert gate.ask(SIZE, at=shop.clock()).reason == "no consent session given"
    nobody = ConsentGate((), attestation_valid_days=30, timezone="UTC")
    assert nobody.ask(SIZE, at=shop.clock(), session="123456").reason == "this store has no consent registry"


def test_a_doubted_registry_opens_nothing(shop: Shop, code: str) -> None:
    """What the gateway found damaged is not believed."""
    gate = gate_of(shop, doubt=lambda: "the consent ledger is damaged")
    assert gate.ask(SIZE, at=shop.clock(), session=code) == Answer(False, "the consent ledger is damaged")
