"""The privacy officer's tools: figures, verification, one subject's file, the retention job; one clear line when not."""

from __future__ import annotations

import json
import stat
from datetime import timedelta
from pathlib import Path

import pytest
from consenting import ASKED, BOOK, Clock, Shop

from edge.cli import run
from edge.clock import utc_now

SIZE, OFFERS = "size_recommendation", "in_store_offers"


@pytest.fixture
def shop(tmp_path: Path):
    """A store whose registry lives in the present, as the commands do."""
    (tmp_path / "store.toml").write_text('[store]\nid = "shop-1"\n', "utf-8")
    made = Shop(tmp_path, clock=Clock(utc_now()))
    yield made
    made.close()


class Officer:
    """Runs `threshold consent` and reads what it prints."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._folder, self._capsys = folder, capsys

    def __call__(self, *words: str) -> tuple[int, str, str]:
        status = run(["consent", *words, "--state", str(self._folder)])
        said = self._capsys.readouterr()
        return status, said.out, said.err

    def json(self, *words: str):
        status, out, err = self(*words, "--json")
        assert (status, err) == (0, "")
        return json.loads(out)

    def refusal(self, *words: str) -> str:
        """The one line that it says instead."""
        status, out, err = self(*words)
        assert status in (1, 2)
        assert out == ""
        assert err.count("\n") == 1
        assert err.startswith("threshold: ")
        return err


@pytest.fixture
def officer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Officer:
    return Officer(tmp_path, capsys)


def test_show_counts_answers(shop: Shop, officer: Officer):
    """How many said what, for each purpose; what has run out counts as expired."""
    shop.clock.now -= timedelta(days=40)
    shop.give(SIZE, OFFERS)
    shop.clock.now = utc_now()
    erased = shop.give(SIZE).subject
    shop.registry.erase(erased, channel="phone")
    shop.give(SIZE)
    found = officer.json("show")
    assert (found["subjects"], found["erased"]) == (3, 1)
    assert found["purposes"][SIZE] == {"expired": 1, "granted": 1}
    assert found["purposes"][OFFERS] == {"granted": 1, "refused": 1}
    status, out, _ = officer("show")
    assert status == 0
    assert "3, 1 of them erased" in out
    assert "1 expired, 1 granted" in out


def test_show_says_how_things_stand_for_one(shop: Shop, officer: Officer):
    """By the code of the receipt or by the pseudonym."""
    given = shop.give(SIZE)
    by_code, by_name = (
        officer("show", "--code", (given.code or "").lower()),
        officer("show", "--subject", given.subject),
    )
    assert by_code == by_name
    assert given.subject in by_code[1]
    assert "granted, until " in by_code[1]


def test_verify_says_what_holds(shop: Shop, officer: Officer):
    """And how far the witnesses have seen."""
    seq = shop.give(SIZE).seq
    found = officer.json("verify")
    assert (found["entries"], found["subjects"], found["consents"]) == (seq, 1, len(ASKED))
    assert (found["witness_seq"], found["followed_seq"]) == (seq, None)
    assert f"{seq} entries and 1 checkpoints hold" in officer("verify")[1]


def test_verify_names_the_first_broken_entry_in_one_line(shop: Shop, officer: Officer):
    """And exits 1."""
    shop.give(SIZE)
    with shop.tampering() as sql:
        sql.execute("UPDATE ledger SET entry = replace(CAST(entry AS TEXT), 'kiosk', 'phone') WHERE seq IN (3, 5)")
    assert "verify ledger: entry 3: its hash does not follow" in officer.refusal("verify")


def test_verify_says_that_the_file_is_damaged(shop: Shop, officer: Officer):
    """A file that SQLite cannot read is one line too."""
    shop.give(SIZE)
    shop.close()
    raw = shop.path.read_bytes()
    shop.path.write_bytes(raw[: len(raw) // 2])
    assert "the file is damaged" in officer.refusal("verify") or "malformed" in officer.refusal("verify")


def test_export_writes_all_that_is_held_on_one(shop: Shop, officer: Officer, tmp_path: Path):
    """Standing, ledger, the words that were shown, data opened, tickets, sessions; readable by its owner alone."""
    given = shop.give(SIZE, OFFERS)
    other = shop.give(SIZE).subject
    shop.registry.put_data(given.subject, "zone", "liked 外套".encode())
    shop.registry.put_data(given.subject, "raw", b"\xff\x00")
    session = shop.registry.open_session(given.subject, [SIZE])
    ticket = shop.registry.open_ticket(
        "question", sealed=b"s", due=shop.clock(), language="en", channel="phone", subject=given.subject
    )
    shop.registry.answer_ticket(ticket.id, "On the second floor.")
    seq = shop.registry.view(given.subject).seq
    shop.close()
    out = tmp_path / "answer.json"
    status, said, _ = officer("export", "--code", given.code or "", "--out", str(out))
    assert (status, said) == (0, f"wrote {out}; noted in the ledger as entry {seq + 1}\n")
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    held = json.loads(out.read_text("utf-8"))
    assert held["standing"]["subject"] == given.subject
    assert [entry["seq"] for entry in held["ledger"]] == [*range(1, given.seq + 1), seq]
    assert set(held["notices"]) == {BOOK.version(one) for one in ASKED}
    assert held["notices"][BOOK.version(SIZE)]["text"]["zh-CN"]["title"] == BOOK.purpose(SIZE).text["zh-CN"].title
    assert held["data"] == {"zone": "liked 外套", "raw": {"base64": "/wA="}}
    assert held["tickets"][0]["answer"] == "On the second floor."
    assert held["sessions"][0]["purposes"] == [SIZE]
    assert {one["kind"] for one in held["access"]} == {"code", "link"}
    for secret in (given.code, given.link, session.code, other):
        assert f'"{secret}"' not in out.read_text("utf-8")


def test_export_under_a_running_web_process_says_that_it_is_not_noted(shop: Shop, officer: Officer, tmp_path: Path):
    """One process writes the ledger; the file is made all the same."""
    given = shop.give(SIZE)
    status, said, _ = officer("export", "--subject", given.subject, "--out", str(tmp_path / "a.json"))
    assert status == 0
    assert "not noted in the ledger" in said


def test_export_makes_a_new_file_only(shop: Shop, officer: Officer, tmp_path: Path):
    """It writes over nothing, and into no folder that is not there."""
    given = shop.give(SIZE)
    (tmp_path / "there").write_text("mine")
    assert "exists already" in officer.refusal("export", "--subject", given.subject, "--out", str(tmp_path / "there"))
    assert (tmp_path / "there").read_text() == "mine"
    assert "No such file" in officer.refusal("export", "--subject", given.subject, "--out", str(tmp_path / "no" / "x"))


def test_retain_reports_what_it_deleted(shop: Shop, officer: Officer):
    """Each kind with its count; while the web process runs, it says so instead."""
    shop.clock.now -= timedelta(days=40)
    shop.give(SIZE)
    assert "owned by another process" in officer.refusal("retain")
    shop.close()
    report = officer.json("retain")
    assert (report["expired_consents"], report["keys_destroyed"]) == (1, 1)
    assert "expired consents  0" in officer("retain")[1]


def test_purposes_are_printed_with_their_versions(shop: Shop, officer: Officer):
    """In either language, whether or not anybody has answered yet."""
    english, chinese = officer.json("purposes"), officer.json("purposes", "--language", "zh-CN")
    assert [one["version"] for one in english] == [one["version"] for one in chinese] == [p.version for p in BOOK]
    assert BOOK.purpose(SIZE).text["zh-CN"].summary in officer("purposes", "--language", "zh-CN")[1]
    assert english[0]["title"] == BOOK.purpose("footfall").text["en"].title


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("show", "--code", "AAAA-AAAA"), "no receipt has that code"),
        (("show", "--code", "nonsense, really"), "no receipt has that code"),
        (("show", "--subject", "s_aaaaaaaaaaaaaaaaaaaaaaaaaa"), "nobody is known as s_aaaa"),
        (("show", "--subject", "Ms Wang"), "that is no pseudonym"),
        (("show", "--subject", "s_a", "--code", "AAAA-AAAA"), "either --subject or --code"),
        (("export", "--out", "x.json"), "either --subject or --code"),
        (("export", "--code", "AAAA-AAAA"), "Missing option '--out'"),
    ],
)
def test_what_cannot_be_answered_is_one_line(shop: Shop, officer: Officer, words: tuple[str, ...], says: str):
    """A wrong name or code is not repeated beyond what helps."""
    shop.give(SIZE)
    said = officer.refusal(*words)
    assert says in said
    assert "Wang" not in said


@pytest.mark.parametrize("words", [("show",), ("verify",), ("export", "--code", "x", "--out", "y"), ("retain",)])
def test_without_a_database_each_says_so(tmp_path: Path, officer: Officer, words: tuple[str, ...]):
    """And makes none."""
    (tmp_path / "store.toml").write_text('[store]\nid = "shop-1"\n', "utf-8")
    assert "consent.db does not exist yet; set kiosk.enabled" in officer.refusal(*words)
    assert [one.name for one in tmp_path.iterdir()] == ["store.toml"]


@pytest.mark.parametrize("words", [("verify",), ("show", "--code", "AAAA-AAAA"), ("retain",)])
def test_a_keyring_that_cannot_be_used_is_said(shop: Shop, officer: Officer, words: tuple[str, ...]):
    """Open to others, damaged, or gone."""
    shop.give(SIZE)
    shop.close()
    path = shop.folder / "keyring.json"
    path.chmod(0o644)
    assert "open to others (mode 0644); chmod 600 it" in officer.refusal(*words)
    path.chmod(0o600)
    path.write_text("{")
    assert "keyring.json is damaged" in officer.refusal(*words)
    path.unlink()
    assert "keyring.json does not exist" in officer.refusal(*words)
    assert not path.exists()
