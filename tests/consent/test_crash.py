"""Killed at any moment: what was acknowledged is there, and a deed is all there or not at all."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from consenting import ASKED, Shop

from edge.consent.subject import Subject, subject_from, to_bytes

SUPPORT = Path(__file__).parents[1] / "support"
DICE = random.Random(20260302)

GRANTING = """
for _ in range({count}):
    given = shop.give("size_recommendation", "in_store_offers")
    print(given.seq, given.subject, given.code, flush=True)
"""

ENDING = """
for subject in sys.stdin.read().split():
    print("asked", subject, flush=True)
    if "erase" == sys.argv[2]:
        shop.registry.erase(subject, channel="phone")
    else:
        shop.registry.withdraw(subject, channel="phone")
    print("done", subject, flush=True)
"""

BEFORE = """
import sys, pathlib
sys.path.insert(0, {support!r})
from consenting import Shop
shop = Shop(pathlib.Path(sys.argv[1]))
print("ready", flush=True)
"""


def start(body: str, *arguments: str) -> subprocess.Popen[str]:
    """A process that owns the registry and says over a pipe what is committed."""
    code = textwrap.dedent(BEFORE.format(support=str(SUPPORT))) + body
    process = subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def kill(process: subprocess.Popen[str], *, after_lines: int) -> list[list[str]]:
    """Kill -9 a moment after so many lines; every whole line that it had said by then."""
    assert process.stdout is not None
    with process:
        lines = [process.stdout.readline() for _ in range(after_lines)]
        time.sleep(DICE.random() * 0.01)  # into the midst of a deed
        process.send_signal(signal.SIGKILL)
        lines += process.stdout.readlines()
    return [line.split() for line in lines if line.endswith("\n")]


def test_no_acknowledged_grant_is_lost_in_a_thousand(tmp_path: Path):
    """Killed at ten random points on the way: every receipt that was handed out opens its page, with its consents."""
    acknowledged: list[list[str]] = []
    while len(acknowledged) < 1000:
        process = start(GRANTING.format(count=1000), str(tmp_path))
        acknowledged += kill(process, after_lines=DICE.randint(80, 120))
    shop = Shop(tmp_path)
    for seq, name, code in acknowledged:
        subject = subject_from(name)
        assert shop.registry.by_code(code) == subject
        assert shop.registry.history(subject)[-1].seq == int(seq)
        assert shop.registry.view(subject).granted() == {"size_recommendation", "in_store_offers"}
    found = shop.verify()
    assert found.subjects >= len(acknowledged)
    # Whoever was not acknowledged is whole all the same: shown, an answer to each question, a receipt.
    assert found.entries == found.subjects * (len(ASKED) + 2)
    assert shop.rows("SELECT count(*) FROM access") == [(2 * found.subjects,)]
    shop.close()


@pytest.mark.parametrize("how", ["withdraw", "erase"])
def test_an_end_is_whole_or_has_not_begun(tmp_path: Path, how: str):
    """Killed amid withdrawals or erasures: ledger, consents, key, data and session of a subject end together."""
    shop = Shop(tmp_path)
    subjects = [shop.give(*ASKED[:3]).subject for _ in range(120)]
    for subject in subjects:
        shop.registry.open_session(subject, [ASKED[0]])
        shop.registry.put_data(subject, "tag", b"liked it")
    keys = dict(shop.rows("SELECT subject, key FROM subjects"))
    shop.close()
    done: set[str] = set()
    for _ in range(6):
        process = start(ENDING, str(tmp_path), how)
        assert process.stdin is not None
        process.stdin.write("\n".join(one for one in subjects if one not in done))
        process.stdin.close()
        done |= {line[1] for line in kill(process, after_lines=DICE.randint(10, 40)) if line[0] == "done"}
    assert 0 < len(done) < len(subjects)
    shop = Shop(tmp_path)
    raw = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.name.startswith("consent.db"))
    for subject in subjects:
        ended = whole(shop, subject, how=how)
        assert ended or subject not in done
        assert (keys[to_bytes(subject)] in raw) != ended
    shop.verify()
    shop.close()


def whole(shop: Shop, subject: Subject, *, how: str) -> bool:
    """Whether all of the subject has ended; fails where only a part of it has."""
    view = shop.registry.view(subject)
    kinds = [entry.kind for entry in shop.registry.history(subject)]
    ended = kinds.count("withdrawn") == 3
    signs = {
        view.granted() == frozenset(),
        not view.key_alive,
        shop.registry.data(subject, "tag") is None,
        shop.registry.end_sessions(subject) == 0,
        kinds.count("erased") == 1 if how == "erase" else ended,
    }
    assert signs == {ended}
    return ended
