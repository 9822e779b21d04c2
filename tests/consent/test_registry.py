"""What shoppers chose is written down, derived, taken back and destroyed."""

from __future__ import annotations

import re
import sqlite3
import threading
from contextlib import suppress
from dataclasses import astuple
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from consenting import ASKED, BOOK, START, Shop, choices
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.consent.choices import ChoicesRefused, Shown
from edge.consent.purposes import PurposeBook
from edge.consent.reader import ConsentReader
from edge.consent.subject import NoSuchSubject, subject_from, subject_of, to_bytes
from edge.errors import StorageError, ThresholdError

SIZE, OFFERS, MEMBER = "size_recommendation", "in_store_offers", "member_link"


def states(shop: Shop, subject) -> dict[str, str]:
    return {one.purpose: one.state for one in shop.registry.view(subject).purposes}


def kinds(shop: Shop, subject) -> list[str]:
    return [entry.kind for entry in shop.registry.history(subject)]


def key_of(shop: Shop, subject) -> bytes | None:
    ((key,),) = shop.rows("SELECT key FROM subjects WHERE subject = ?", to_bytes(subject))
    return key


def every_byte(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()) if path.name.startswith("consent"))


def test_a_yes_and_the_noes_are_written_down(shop: Shop):
    """Each answer is an entry, with what was shown before and the receipt after, all of one act."""
    given = shop.give(SIZE)
    assert states(shop, given.subject) == {one: "granted" if one == SIZE else "refused" for one in ASKED}
    assert kinds(shop, given.subject) == ["shown", "granted", *["refused"] * (len(ASKED) - 1), "receipt"]
    assert {entry.act for entry in shop.registry.history(given.subject)} == {given.act}
    assert shop.registry.history(given.subject)[-1].seq == given.seq == shop.registry.view(given.subject).seq
    assert given.at == START


def test_an_answer_carries_what_a_record_needs(shop: Shop):
    """Until when, in which language, where, of which age, confirmed apart; and the notice by its version."""
    granted = shop.registry.history(shop.give(SIZE).subject)[1]
    assert granted.notice == BOOK.version(SIZE)
    assert granted.details == {
        "until": "2026-04-01T09:00:00.000Z",
        "language": "en",
        "channel": "kiosk",
        "age_band": "adult",
        "separate": True,
    }
    content = shop.registry.notice(BOOK.version(SIZE))
    assert content is not None
    assert type(BOOK.purpose(SIZE)).of_content(content) == BOOK.purpose(SIZE)
    assert shop.registry.notice("0" * 64) is None


def test_the_ledger_holds_no_code(shop: Shop):
    """Codes exist in the answer alone: no file has them in any form that can be read."""
    given = shop.give(SIZE)
    session = shop.registry.open_session(given.subject, [SIZE])
    assert given.code is not None
    assert given.link is not None
    assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}", given.code)
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", given.link)
    assert re.fullmatch(r"\d{6}", session.code)
    everything = every_byte(shop.folder)
    for secret in (given.code, given.code.replace("-", ""), given.link):
        assert secret.encode() not in everything
    for thing in (given, given.codes, session):
        assert not any(secret in repr(thing) for secret in (given.code, given.link, session.code))


def test_a_code_opens_however_it_is_typed(shop: Shop):
    """Lower case, spaces, no hyphen, and O or I or L for the digits they resemble."""
    given = shop.give(SIZE)
    assert given.code is not None
    assert given.link is not None
    sloppy = given.code.lower().replace("0", "o").replace("1", "l").replace("-", " ")
    for typed in (given.code, sloppy, f" {given.code.replace('-', '')} "):
        assert shop.registry.by_code(typed) == given.subject
    assert shop.registry.by_link(given.link) == given.subject
    for wrong in ("", "AAAA-AAAA", "U" * 8, "x" * 10_000, "\ud800", given.link, given.code + "0"):
        assert shop.registry.by_code(wrong) is None
    assert shop.registry.by_link(given.code) is None


def test_codes_end_thirty_days_after_the_last_consent(shop: Shop):
    """A receipt does not open a page for ever."""
    given = shop.give(SIZE)
    shop.clock.forward(days=59)
    assert shop.registry.by_code(given.code or "") == given.subject
    shop.clock.forward(days=2)
    assert shop.registry.by_code(given.code or "") is None
    assert shop.registry.by_link(given.link or "") is None


def test_new_codes_replace_the_old(shop: Shop):
    """Who shows the code to a stranger can have another."""
    given = shop.give(OFFERS)
    codes = shop.registry.issue_codes(given.subject, channel="phone")
    assert shop.registry.by_code(given.code or "") is None
    assert shop.registry.by_link(given.link or "") is None
    assert shop.registry.by_code(codes.code) == shop.registry.by_link(codes.link) == given.subject
    shop.clock.forward(days=179)
    assert shop.registry.by_code(codes.code) == given.subject


def test_a_returning_shopper_keeps_pseudonym_and_codes(shop: Shop):
    """Another answer is another act of the same subject, and makes no new receipt."""
    first = shop.give(SIZE)
    second = shop.give(SIZE, OFFERS, subject=first.subject)
    assert (second.subject, second.codes) == (first.subject, None)
    assert second.act != first.act
    assert states(shop, first.subject)[OFFERS] == "granted"
    assert shop.registry.by_code(first.code or "") == first.subject


def test_a_no_to_what_was_granted_takes_it_back(shop: Shop):
    """Switching a purpose off on the page is a withdrawal, and is written down as one."""
    subject = shop.give(SIZE, OFFERS).subject
    shop.give(OFFERS, subject=subject)
    assert states(shop, subject)[SIZE] == "withdrawn"
    assert shop.registry.view(subject).key_alive
    shop.give(subject=subject)
    assert states(shop, subject)[OFFERS] == "withdrawn"
    assert not shop.registry.view(subject).key_alive
    shop.verify()


def test_what_was_not_answered_stays_as_it_was(shop: Shop):
    """A page that asks about one purpose changes that one alone."""
    subject = shop.give(SIZE).subject
    shop.give(OFFERS, subject=subject, refused=frozenset())
    assert states(shop, subject) == {**dict.fromkeys(ASKED, "refused"), SIZE: "granted", OFFERS: "granted"}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"separately": frozenset()}, "not_separate"),
        ({"age_band": "guardian"}, "guardian_missing"),
        ({"age_band": None}, "age_missing"),
        ({"refused": frozenset(ASKED)}, "contradictory"),
        ({"shown": Shown(versions={SIZE: "0" * 64}, language="en", channel="kiosk")}, "notice_changed"),
        ({"shown": Shown(versions={"nonsense": "0" * 64}, language="en", channel="kiosk")}, "notice_changed"),
        ({"shown": Shown(versions={}, language="en", channel="kiosk")}, "not_shown"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_choices_that_do_not_stand_are_refused_whole(shop: Shop, changes, reason):
    """Nothing is written of them."""
    with pytest.raises(ChoicesRefused) as refused:
        shop.give(SIZE, **changes)
    assert refused.value.reason == reason
    assert shop.rows("SELECT count(*) FROM ledger") == shop.rows("SELECT count(*) FROM subjects") == [(0,)]


def test_a_purpose_without_a_question_cannot_be_granted(shop: Shop):
    """Footfall rests on the notice at the door."""
    versions = {"footfall": BOOK.version("footfall")}
    shown = Shown(versions=versions, language="en", channel="kiosk")
    with pytest.raises(ChoicesRefused) as refused:
        shop.give("footfall", refused=frozenset(), shown=shown)
    assert refused.value.reason == "not_asked"


def test_under_fourteen_a_guardian_confirms(shop: Shop):
    """The confirmation is an entry of its own, and names nobody (PIPL Art. 31)."""
    given = shop.give(SIZE, age_band="guardian", guardian="parent")
    entry = shop.registry.history(given.subject)[1]
    assert (entry.kind, entry.details) == ("guardian", {"relation": "parent", "channel": "kiosk"})
    assert states(shop, given.subject)[SIZE] == "granted"


def test_a_changed_notice_asks_again(tmp_path: Path):
    """The old yes stays in the ledger, and counts no more."""
    shipped = files("edge.consent").joinpath("purposes.toml").read_text("utf-8")
    changed = PurposeBook.parse(shipped.replace("which size is likely to fit", "which size fits"), source="test")
    shop = Shop(tmp_path)
    subject = shop.give(SIZE, OFFERS).subject
    shop.purposes = changed
    shop.reopen()
    view = {one.purpose: one for one in shop.registry.view(subject).purposes}
    assert (view[SIZE].state, view[SIZE].notice_changed, view[SIZE].ask_again) == ("granted", True, True)
    assert (view[OFFERS].notice_changed, view[OFFERS].ask_again) == (False, False)
    assert shop.registry.view(subject).granted() == {OFFERS}
    with pytest.raises(ChoicesRefused, match=SIZE):
        shop.registry.open_session(subject, [SIZE])
    shop.give(SIZE, OFFERS, subject=subject)
    assert shop.registry.view(subject).granted() == {SIZE, OFFERS}
    shop.close()


def test_a_consent_runs_out(shop: Shop):
    """After its days it counts no more, before any job has written that down."""
    subject = shop.give(SIZE).subject
    shop.clock.forward(days=30)
    (view,) = [one for one in shop.registry.view(subject).purposes if one.purpose == SIZE]
    assert (view.state, view.ask_again) == ("expired", True)
    assert shop.registry.view(subject).granted() == frozenset()


def test_a_session_stands_for_a_subject_and_purposes(shop: Shop):
    """For ten minutes, for what was asked for and is granted; the next session ends it."""
    subject = shop.give(SIZE, OFFERS).subject
    reader = ConsentReader(shop.path, keyring=shop.keyring)
    first = shop.registry.open_session(subject, [SIZE])
    live = reader.session(f"{first.code[:3]} {first.code[3:]}", at=shop.clock())
    assert live is not None
    assert (live.subject, live.purposes) == (to_bytes(subject), {SIZE})
    second = shop.registry.open_session(subject, [SIZE, OFFERS])
    assert reader.session(first.code, at=shop.clock()) is None
    assert reader.session(second.code, at=shop.clock()) is not None
    shop.clock.forward(minutes=10)
    assert reader.session(second.code, at=shop.clock()) is None
    for wrong in ("", "12345", "１２３４５６", "123456789", "abcdef"):
        assert reader.session(wrong, at=shop.clock()) is None
    reader.close()


def test_no_session_without_consent(shop: Shop):
    """Nor for nothing."""
    subject = shop.give(SIZE).subject
    for asked in ([OFFERS], [SIZE, OFFERS], []):
        with pytest.raises(ChoicesRefused) as refused:
            shop.registry.open_session(subject, asked)
        assert refused.value.reason == "not_granted"


def test_a_code_that_lately_stood_for_somebody_is_not_given_again(tmp_path: Path):
    """Its old owner may still type it."""
    drawn = iter([(7).to_bytes(4), (7).to_bytes(4), (8).to_bytes(4), (7).to_bytes(4)])
    shop = Shop(tmp_path)
    one, other = shop.give(SIZE).subject, shop.give(SIZE).subject
    real = shop.registry._random
    shop.registry._random = lambda n: next(drawn) if n == 4 else real(n)
    assert shop.registry.open_session(one, [SIZE]).code == "000007"
    shop.registry.end_sessions(one)
    assert shop.registry.open_session(other, [SIZE]).code == "000008"
    shop.clock.forward(minutes=20, seconds=1)
    assert shop.registry.open_session(one, [SIZE]).code == "000007"
    shop.close()


def test_withdrawing_one_ends_what_rests_on_it(shop: Shop):
    """The session that names it ends; the rest goes on."""
    subject = shop.give(SIZE, OFFERS).subject
    reader = ConsentReader(shop.path, keyring=shop.keyring)
    session = shop.registry.open_session(subject, [SIZE, OFFERS])
    seq = shop.registry.withdraw(subject, [SIZE], channel="phone")
    assert seq == shop.registry.view(subject).seq
    assert reader.session(session.code, at=shop.clock()) is None
    standing = reader.standing(to_bytes(subject), SIZE)
    assert standing is not None
    assert standing.state == "withdrawn"
    assert shop.registry.view(subject).granted() == {OFFERS}
    assert shop.registry.view(subject).key_alive
    assert shop.registry.withdraw(subject, [SIZE, MEMBER], channel="phone") == seq
    reader.close()


def test_withdrawing_the_last_destroys_the_key_and_what_it_opened(shop: Shop):
    """The page stays, with its history; a new yes begins with a new key."""
    given = shop.give(SIZE, OFFERS)
    subject, key = given.subject, key_of(shop, given.subject)
    shop.registry.put_data(subject, "tag", b"tried a coat")
    shop.registry.withdraw(subject, channel="kiosk")
    last = shop.registry.history(subject)[-1]
    assert (last.kind, last.details) == ("withdrawn", {"channel": "kiosk", "key": "destroyed"})
    assert (key_of(shop, subject), shop.registry.data(subject, "tag")) == (None, None)
    assert key not in every_byte(shop.folder)
    assert shop.registry.by_code(given.code or "") == subject
    with pytest.raises(ChoicesRefused):
        shop.registry.put_data(subject, "tag", b"x")
    shop.give(OFFERS, subject=subject)
    assert key_of(shop, subject) not in (key, None)
    assert shop.registry.data(subject, "tag") is None
    shop.verify()


def test_erasing_leaves_a_page_that_says_so(shop: Shop):
    """Consents, sessions, tickets, age and the typed code are gone; ledger, pseudonym and link stay."""
    given = shop.give(SIZE, OFFERS, age_band="14-17")
    subject = given.subject
    session = shop.registry.open_session(subject, [SIZE])
    shop.registry.put_data(subject, "tag", b"tried a coat")
    ticket = shop.registry.open_ticket(
        "question", sealed=b"sealed", due=START, language="en", channel="kiosk", subject=subject
    )
    shop.clock.forward(seconds=1)
    seq = shop.registry.erase(subject, channel="phone")
    view = shop.registry.view(subject)
    assert (view.erased_seq, view.erased_at, view.purposes, view.age_band) == (seq, shop.clock(), (), None)
    assert kinds(shop, subject)[-3:] == ["withdrawn", "withdrawn", "erased"]
    assert shop.registry.by_link(given.link or "") == subject
    assert shop.registry.by_code(given.code or "") is None
    assert shop.registry.tickets(subject) == ()
    reader = ConsentReader(shop.path, keyring=shop.keyring)
    assert reader.session(session.code, at=shop.clock()) is None
    assert reader.ticket(ticket.id) is None
    standing = reader.standing(to_bytes(subject), SIZE)
    assert standing is not None
    assert standing.state == "erased"
    reader.close()
    assert shop.registry.erase(subject, channel="phone") == seq
    with pytest.raises(ChoicesRefused) as refused:
        shop.give(SIZE, subject=subject)
    assert refused.value.reason == "erased"
    shop.verify()


def test_a_destroyed_key_is_in_no_page_of_any_file(shop: Shop):
    """Among hundreds of keys in split and rewritten pages: the bytes of each destroyed one are found nowhere."""
    subjects = [shop.give(SIZE).subject for _ in range(300)]
    keys = {subject: key_of(shop, subject) for subject in subjects}
    for subject in subjects[::2]:
        shop.registry.withdraw(subject, channel="kiosk")
        shop.registry.put_data(subjects[1], "tag", bytes(len(subject)))
    for subject in subjects[::6]:
        shop.give(OFFERS, subject=subject)
    for subject in subjects[::3]:
        shop.registry.erase(subject, channel="kiosk")
    everything = every_byte(shop.folder)
    for number, subject in enumerate(subjects):
        gone = number % 2 == 0 or number % 3 == 0
        assert (keys[subject] in everything) != gone
    shop.verify()


def test_a_long_reader_holds_the_shredding_off_and_the_next_deed_makes_up_for_it(shop: Shop):
    """The write-ahead log cannot be truncated under a reader; it is once the reader has gone."""
    subject = shop.give(SIZE).subject
    key = key_of(shop, subject)
    with shop.tampering() as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM subjects").fetchone()
        shop.registry.erase(subject, channel="kiosk")
        assert shop.registry.view(subject).erased_at is not None
    shop.give(SIZE)
    assert key not in every_byte(shop.folder)


def test_data_are_readable_under_the_subjects_key_alone(shop: Shop):
    """What is kept is sealed on the disk, and bound to subject and name."""
    one, other = shop.give(OFFERS).subject, shop.give(OFFERS).subject
    shop.registry.put_data(one, "tag", b"liked the blue coat")
    assert shop.registry.data(one, "tag") == b"liked the blue coat"
    assert shop.registry.data(one, "other") is shop.registry.data(other, "tag") is None
    assert b"blue coat" not in every_byte(shop.folder)
    for column, value in (("subject", to_bytes(other)), ("name", "other")):
        with shop.tampering() as sql:
            sql.execute(f"UPDATE subject_data SET {column} = ?", (value,))  # noqa: S608
        where = (other, "tag") if column == "subject" else (other, "other")
        with pytest.raises(ThresholdError, match="does not open"):
            shop.registry.data(*where)


def test_a_ticket_goes_out_sealed_and_its_answer_comes_back(shop: Shop):
    """HQ's words are on the shopper's page, and nowhere in the clear."""
    subject = shop.give().subject
    made = shop.registry.open_ticket(
        "complaint", sealed=b"\x01sealed", due=START, language="zh-CN", channel="phone", subject=subject
    )
    assert shop.registry.tickets(subject) == (made,)
    reader = ConsentReader(shop.path, keyring=shop.keyring)
    found = reader.ticket(made.id)
    assert found is not None
    assert (found.kind, found.language, found.sealed, found.due_at) == ("complaint", "zh-CN", b"\x01sealed", START)
    reader.close()
    assert shop.registry.answer_ticket(made.id, "We have moved the mirror.")
    (answered,) = shop.registry.tickets(subject)
    assert (answered.state, answered.answer) == ("answered", "We have moved the mirror.")
    assert "mirror" not in repr(answered)
    assert b"moved the mirror" not in every_byte(shop.folder)
    assert shop.registry.history(subject)[-1].details["ticket"] == made.id
    nobodys = shop.registry.open_ticket("question", sealed=b"s", due=START, language="en", channel="kiosk")
    assert not shop.registry.answer_ticket(nobodys.id, "x")
    assert not shop.registry.answer_ticket("no such ticket", "x")
    shop.verify()


def test_retention_expires_and_deletes_what_is_due(shop: Shop):
    """The report says how much of what; a second run finds nothing."""
    short, long = shop.give(SIZE), shop.give(SIZE, OFFERS)
    shop.registry.open_session(long.subject, [SIZE])
    shop.registry.open_ticket("question", sealed=b"s", due=START, language="en", channel="kiosk", subject=long.subject)
    shop.clock.forward(days=91)
    report = shop.registry.retain(shop.clock())
    assert (report.expired_consents, report.keys_destroyed) == (2, 1)
    assert (report.sessions, report.access_codes, report.tickets) == (1, 2, 1)
    assert kinds(shop, short.subject)[-1] == "expired"
    assert not shop.registry.view(short.subject).key_alive
    assert shop.registry.view(long.subject).key_alive
    assert shop.registry.by_code(long.code or "") == long.subject
    again = shop.registry.retain(shop.clock())
    assert set(astuple(again)) == {0}
    shop.verify()


def test_retention_puts_keys_under_the_new_wrapping_key(shop: Shop):
    """After a rotation the data still open, and the old wrapping is in no file."""
    subject = shop.give(OFFERS).subject
    shop.registry.put_data(subject, "tag", b"liked it")
    old = key_of(shop, subject)
    shop.keyring.rotate(shop.clock())
    assert shop.registry.retain(shop.clock()).keys_rewrapped == 1
    assert old not in every_byte(shop.folder)
    assert shop.registry.data(subject, "tag") == b"liked it"
    shop.give(SIZE)
    shop.verify()


def test_nobody_is_found_under_a_name_that_nobody_has(shop: Shop):
    """Every method says so in the same way."""
    nobody = subject_of(bytes(16))
    for ask in (
        lambda: shop.registry.view(nobody),
        lambda: shop.registry.history(nobody),
        lambda: shop.registry.withdraw(nobody, channel="kiosk"),
        lambda: shop.registry.erase(nobody, channel="kiosk"),
        lambda: shop.registry.issue_codes(nobody, channel="kiosk"),
        lambda: shop.registry.note_exported(nobody, channel="kiosk"),
        lambda: shop.give(SIZE, subject=nobody),
    ):
        with pytest.raises(NoSuchSubject):
            ask()
    for text in ("", "s_", "nobody", nobody.upper(), nobody + "a", nobody[:-1] + "b"):
        with pytest.raises(NoSuchSubject):
            subject_from(text)
    assert to_bytes(subject_from(nobody)) == bytes(16)


def test_threads_share_a_registry(shop: Shop):
    """Answers that come at once are all written, each whole, in one unbroken chain."""
    done: list[str] = []
    threads = [
        threading.Thread(target=lambda: done.extend(shop.give(SIZE).subject for _ in range(10))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(done)) == 80
    assert shop.verify().subjects == 80


def test_a_deed_that_fails_leaves_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    """State and ledger change together or not at all."""
    given = shop.give(SIZE)
    before = shop.rows("SELECT seq, hash FROM head")
    monkeypatch.setattr(shop.registry._codes, "issue", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        shop.registry.give(choices(SIZE))
    with pytest.raises(ZeroDivisionError):
        shop.registry.issue_codes(given.subject, channel="kiosk")
    assert shop.rows("SELECT seq, hash FROM head") == before
    assert shop.registry.by_code(given.code or "") == given.subject
    shop.verify()


def test_a_reader_sees_commits_and_says_when_it_cannot(tmp_path: Path):
    """No file, a broken file: a clear error, and the next call tries again."""
    shop = Shop(tmp_path)
    reader = ConsentReader(tmp_path / "none.db", keyring=shop.keyring)
    with pytest.raises(StorageError, match="does not exist yet"):
        reader.standing(bytes(16), SIZE)
    (tmp_path / "none.db").write_bytes(b"no database" * 1000)
    with pytest.raises(StorageError, match="not a database"):
        reader.standing(bytes(16), SIZE)
    reader = ConsentReader(shop.path, keyring=shop.keyring)
    assert reader.standing(bytes(16), SIZE) is None
    assert (reader.hash_at(1), reader.entries_after(0, limit=10)) == (None, [])
    given = shop.give(SIZE)
    rows = reader.entries_after(0, limit=3)
    assert [row.seq for row in rows] == [1, 2, 3]
    assert reader.hash_at(3) == rows[-1].hash
    assert [row.seq for row in reader.entries_after(3, limit=100)] == list(range(4, given.seq + 1))
    with pytest.raises(StorageError, match="readonly"):
        reader._ask(lambda sql: sql.execute("DELETE FROM ledger"))
    reader.close()
    shop.close()


def test_a_second_owner_is_refused(shop: Shop):
    """One process writes."""
    with pytest.raises(StorageError, match="owned by another process"):
        Shop(shop.folder)


def test_the_databases_may_be_read_while_it_is_written(shop: Shop):
    """A reader in another thread is not shut out by a deed."""
    subject = shop.give(SIZE).subject
    with sqlite3.connect(f"file:{shop.path}?mode=ro", uri=True) as sql:
        shop.registry.withdraw(subject, channel="kiosk")
        assert sql.execute("SELECT count(*) FROM consents WHERE state = 'withdrawn'").fetchone() == (1,)
    sql.close()


moves = st.tuples(
    st.sampled_from(["new", "give", "withdraw", "erase", "session", "retain", "rotate", "reopen"]),
    st.integers(0, 3),
    st.frozensets(st.sampled_from(ASKED)),
    st.integers(0, 60),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(moves, max_size=25))
def test_whatever_shoppers_do_everything_follows_from_the_ledger(moves: list[tuple[str, int, frozenset[str], int]]):
    """After any acts in any order the registry verifies, and has a key exactly for those who agree to something."""
    with TemporaryDirectory() as folder:
        shop = Shop(Path(folder))
        people = [shop.give(SIZE).subject]
        for move, who, purposes, days in moves:
            shop.clock.forward(days=days)
            act(shop, move, people, people[who % len(people)], purposes)
        found = shop.verify()
        assert found.subjects == len(people)
        for subject in people:
            view = shop.registry.view(subject)
            kept = {one.purpose for one in view.purposes if one.state in ("granted", "expired")}
            assert view.granted() <= kept
            assert not (view.key_alive and view.erased_at)
            assert view.key_alive or not view.granted()
        shop.close()


def act(shop: Shop, move: str, people: list, subject, purposes: frozenset[str]) -> None:
    """One move; what an erased shopper may not do any more is refused."""
    with suppress(ChoicesRefused):
        match move:
            case "new":
                people.append(shop.give(*purposes).subject)
            case "give":
                shop.give(*purposes, subject=subject)
            case "withdraw":
                shop.registry.withdraw(subject, purposes or None, channel="phone")
            case "erase":
                shop.registry.erase(subject, channel="kiosk")
            case "session":
                shop.registry.open_session(subject, purposes)
            case "retain":
                shop.registry.retain(shop.clock())
            case "rotate":
                shop.keyring.rotate(shop.clock())
            case "reopen":
                shop.reopen()
