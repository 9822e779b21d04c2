"""A million consent records: how fast they verify, in how much memory, and how fast the gate decides among them.

The records are made by the registry's own deeds. Ratios are against limits measured in the same run: verifying against
reading and hashing the same rows and nothing else, the gate against one bare look-up by primary key.

    python benchmarks/consent.py
    python benchmarks/consent.py --records 100000 --keep /tmp/consents
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from time import perf_counter, process_time

import numpy as np

from edge.consent.choices import Choices, Shown
from edge.consent.gate import ConsentGate
from edge.consent.purposes import PurposeBook
from edge.consent.reader import ConsentReader
from edge.consent.registry import ConsentRegistry
from edge.consent.subject import Subject, to_bytes
from edge.consent.verify import verify_registry
from edge.privacy.keyring import Keyring

PURPOSE = "size_recommendation"
DECISIONS = 20_000
SESSIONS = 500
BOOK = PurposeBook.load()
ASKED = frozenset(purpose.id for purpose in BOOK.individual())
SEPARATE = frozenset(purpose.id for purpose in BOOK.individual() if purpose.separate)


def answers(dice: random.Random) -> Choices:
    """What somebody says who tosses a coin for each purpose."""
    granted = frozenset(one for one in sorted(ASKED) if dice.random() < 0.5)
    return Choices(
        granted=granted,
        refused=ASKED - granted,
        separately=SEPARATE & granted,
        shown=Shown(versions={one: BOOK.version(one) for one in ASKED}, language="zh-CN", channel="kiosk"),
        age_band="adult",
    )


def opened(folder: Path) -> ConsentRegistry:
    """The registry in `folder`, which does not wait for the disk: only its making is spared that, nothing is measured."""
    keyring = Keyring.open(folder / "keyring.json")
    registry = ConsentRegistry(folder / "consent.db", keyring=keyring, purposes=BOOK, clock=lambda: datetime.now(UTC))
    registry._file.sql.execute("PRAGMA synchronous=OFF")
    return registry


def make(folder: Path, *, records: int) -> float:
    """So many consent records, one for each answer to a purpose; how many acts a second were written."""
    dice, acts, started = random.Random(4), records // len(ASKED), perf_counter()
    with opened(folder) as registry:
        for _ in range(acts):
            registry.give(answers(dice))
    return acts / (perf_counter() - started)


def sessions(folder: Path) -> tuple[list[str], list[Subject]]:
    """Live session codes, and subjects who agreed."""
    with sqlite3.connect(folder / "consent.db") as sql:
        query = "SELECT json_extract(CAST(entry AS TEXT), '$.subject') FROM ledger WHERE seq IN (SELECT since_seq FROM consents"
        rows = sql.execute(
            f"{query} WHERE purpose = ? AND state = 'granted') ORDER BY random() LIMIT 20000", (PURPOSE,)
        )
        subjects = [Subject(subject) for (subject,) in rows]
    sql.close()
    with opened(folder) as registry:
        return [registry.open_session(one, [PURPOSE]).code for one in subjects[:SESSIONS]], subjects


def times_us(ask: Callable[[int], object]) -> list[float]:
    """How long each of many asks took."""
    took = []
    for number in range(DECISIONS):
        started = perf_counter()
        ask(number)
        took.append(1e6 * (perf_counter() - started))
    return took


def gate_figures(folder: Path) -> dict[str, float]:
    """The gate among all those records, by session and by subject, cold entries and all."""
    codes, subjects = sessions(folder)
    reader = ConsentReader(folder / "consent.db", keyring=Keyring.open(folder / "keyring.json"))
    gate = ConsentGate((), attestation_valid_days=30, timezone="UTC", registry=reader, notice_of=BOOK.version)
    at = datetime.now(UTC)

    def by_session(number: int) -> None:
        answer = gate.ask(PURPOSE, at=at, session=codes[number % len(codes)], device="mirror-1")
        assert answer.allowed, answer

    def by_subject(number: int) -> None:
        assert gate.ask(PURPOSE, at=at, subject=to_bytes(subjects[number % len(subjects)])).allowed

    figures: dict[str, float] = {}
    for name, ask in (("session", by_session), ("subject", by_subject)):
        took = times_us(ask)
        figures |= {
            f"gate_{name}_p50_us": float(np.median(took)),
            f"gate_{name}_p99_us": float(np.quantile(took, 0.99)),
        }
    reader.close()
    with sqlite3.connect(folder / "consent.db") as sql:
        bare = times_us(lambda n: sql.execute("SELECT mac FROM access WHERE mac = ?", (bytes(n % 32),)).fetchone())
    sql.close()
    return {**figures, "bare_lookup_p99_us": float(np.quantile(bare, 0.99))}


def hashing_rate(folder: Path) -> float:
    """Entries a second that are read and hashed, and nothing else."""
    started, count = perf_counter(), 0
    with sqlite3.connect(folder / "consent.db") as sql:
        for entry, digest in sql.execute("SELECT entry, hash FROM ledger ORDER BY seq"):
            sha256(b"threshold-consent-v1\n" + digest + entry).digest()
            count += 1
    sql.close()
    return count / (perf_counter() - started)


def verify_figures(folder: Path) -> dict[str, float]:
    """One verification in this process, which does nothing else: its rate and its peak memory."""
    keys = Keyring.open(folder / "keyring.json").verify_keys()
    started, cpu = perf_counter(), process_time()
    found = verify_registry(folder / "consent.db", keys=keys)
    took_s, cpu_s = perf_counter() - started, process_time() - cpu
    peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "entries": found.entries,
        "records": found.consents,
        "verify_s": took_s,
        "verify_per_s": found.entries / took_s,
        "verify_per_cpu_s": found.entries / cpu_s,
        "peak_mb": peak_kb / 1024,
    }


def in_own_process(folder: Path) -> dict[str, float]:
    """`verify_figures` where no other work has raised the peak."""
    command = [sys.executable, __file__, "--verify", str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def report(folder: Path, *, records: int) -> None:
    if not (folder / "consent.db").exists():
        small = folder / "small"
        small.mkdir()
        make(small, records=records // 10)
        print(f"{make(folder, records=records):,.0f} acts/s written, without waiting for the disk")
    size_mb = (folder / "consent.db").stat().st_size / 2**20
    few, many = in_own_process(folder / "small"), in_own_process(folder)
    bare = hashing_rate(folder)
    print(f"{many['records']:,.0f} consent records, {many['entries']:,.0f} ledger entries, {size_mb:,.0f} MB")
    print(f"verify: {many['verify_s']:.1f} s, {many['verify_per_s']:,.0f} entries/s (bar 50,000)")
    print(
        f"        {many['verify_per_cpu_s']:,.0f} entries for each second of CPU; reading and hashing alone {bare:,.0f}/s"
    )
    print(f"        peak memory {many['peak_mb']:.1f} MB; of a tenth of the entries {few['peak_mb']:.1f} MB")
    gate = gate_figures(folder)
    bare_us = gate["bare_lookup_p99_us"]
    for name in ("session", "subject"):
        p50, p99 = gate[f"gate_{name}_p50_us"], gate[f"gate_{name}_p99_us"]
        print(
            f"gate by {name}: p50 {p50:.0f} µs, p99 {p99:.0f} µs (bar 1,000); {p99 / bare_us:.1f} times a bare look-up"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description="Consent records: verifying and deciding.")
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--keep", type=Path, help="a folder to keep the records in, or to find them in")
    parser.add_argument("--verify", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.verify is not None:
        print(json.dumps(verify_figures(options.verify)))
        return
    if options.keep is not None:
        options.keep.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() if options.keep is None else nullcontext(options.keep) as folder:
        report(Path(folder), records=options.records)


if __name__ == "__main__":
    main()
