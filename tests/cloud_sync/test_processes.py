"""The real processes, killed without warning and stopped with one."""

from __future__ import annotations

import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from edge.storage.database import open_reader


class Processes:
    """Starts `threshold` commands and ends what is left of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self, *arguments: str | Path) -> subprocess.Popen[bytes]:
        with (self.folder / f"{arguments[0]}.log").open("ab") as log:
            command = [sys.executable, "-m", "edge.cli", *map(str, arguments)]
            process = subprocess.Popen(command, stdout=log, stderr=log)
        self.running.append(process)
        return process

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text("utf-8")

    def end(self) -> None:
        for process in self.running:
            with suppress(ProcessLookupError):
                process.kill()
            process.wait()


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    made = Processes(tmp_path)
    yield made
    made.end()


class HqProcess:
    """`threshold hq serve` on a port of its own, which it keeps over restarts."""

    def __init__(self, processes: Processes, kit: Any, folder: Path) -> None:
        self.address = kit.RunningHq(folder / "hq")
        self.address.add_store("s1")
        self._processes = processes
        self._kit = kit
        self._folder = folder / "hq"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = self._processes.start("hq", "serve", "--data", self._folder, "--port", str(self.address.port))
        self._kit.wait_until(self.answers, what="hq serve to answer")

    def answers(self) -> bool:
        try:
            return bool(self.address.get("/healthz").status_code == 200)
        except httpx.TransportError:
            assert self.process is not None
            assert self.process.poll() is None, "hq serve ended"
            return False

    def end(self, how: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(how)
        return self.process.wait(self._kit.PATIENCE_S)

    def summary(self) -> dict[str, Any]:
        token = (self._folder / "admin-token").read_text().strip()
        answer = self.address.get("/v1/stores/s1/summary", authorization=f"Bearer {token}")
        assert answer.status_code == 200
        return dict(answer.json())


@pytest.fixture
def hq_process(processes: Processes, kit: Any, tmp_path: Path) -> HqProcess:
    made = HqProcess(processes, kit, tmp_path)
    made.start()
    return made


@pytest.fixture
def config(shop: Any, hq_process: HqProcess) -> Path:
    file = Path(shop.state) / "store.toml"
    file.write_text(
        f"""[store]
id = "s1"
[hq]
url = "{hq_process.address.url}"
credential_file = "hq.credential"
batch_events = 5
interval_s = 0.1
"""
    )
    return file


def acknowledged(shop: Any) -> int:
    if not (shop.state / "sync.db").exists():
        return 0
    with open_reader(shop.state / "sync.db") as reader, suppress(sqlite3.OperationalError):  # no tables yet
        return int(reader.execute("SELECT acknowledged_sequence FROM position").fetchone()[0])
    return 0


def total(events: list[Any]) -> int:
    return sum(event.data.count for event in events)


def counted(summary: dict[str, Any]) -> int:
    return sum(summary["counts"]["visits"]["door/main"].values())


def test_hq_killed_in_mid_stream_loses_and_doubles_nothing(
    shop: Any, hq_process: HqProcess, processes: Processes, config: Path, kit: Any
) -> None:
    """`kill -9` of HQ three times while events stream in: what it acknowledged is there, and once."""
    processes.start("sync", "--config", config)
    events: list[Any] = []
    for _ in range(3):
        before = acknowledged(shop)
        events += shop.put_counts(60)
        kit.wait_until(lambda seen=before: acknowledged(shop) > seen, what="the stream to move")
        assert hq_process.end(signal.SIGKILL) == -signal.SIGKILL
        promised = acknowledged(shop)
        hq_process.start()
        assert hq_process.summary()["events"] >= promised
    kit.wait_until(lambda: acknowledged(shop) == len(events), what="all to be acknowledged")
    assert hq_process.summary()["events"] == len(events)
    assert counted(hq_process.summary()) == total(events)


def test_sync_killed_in_mid_stream_loses_and_doubles_nothing(
    shop: Any, hq_process: HqProcess, processes: Processes, config: Path, kit: Any
) -> None:
    """`kill -9` of sync again and again: the next one takes up where HQ's commits end."""
    events: list[Any] = []
    for _ in range(4):
        before = acknowledged(shop)
        events += shop.put_counts(60)
        sync = processes.start("sync", "--config", config)
        kit.wait_until(lambda seen=before: acknowledged(shop) > seen, what="the stream to move")
        sync.kill()
        sync.wait()
        assert acknowledged(shop) <= hq_process.summary()["events"]
    processes.start("sync", "--config", config)
    kit.wait_until(lambda: acknowledged(shop) == len(events), what="all to be acknowledged")
    assert hq_process.summary()["events"] == len(events)
    assert counted(hq_process.summary()) == total(events)


def test_both_stop_cleanly_and_leave_no_secret_in_their_logs(
    shop: Any, hq_process: HqProcess, processes: Processes, config: Path, kit: Any
) -> None:
    """SIGTERM ends either with exit status 0; the logs tell of it and hold neither credential nor payload."""
    shop.put(kit.count(3, place="secret-place"))
    sync = processes.start("sync", "--state", config.parent)
    kit.wait_until(lambda: acknowledged(shop) == 1, what="the event to arrive")
    sync.send_signal(signal.SIGTERM)
    assert sync.wait(kit.PATIENCE_S) == 0
    assert hq_process.end(signal.SIGTERM) == 0
    logs = processes.log("sync") + processes.log("hq")
    assert "sync_stopped" in logs
    assert "hq_stopped" in logs
    assert kit.CREDENTIAL not in logs
    assert "secret-place" not in logs
    assert "Traceback" not in logs


def test_sync_stops_within_seconds_while_hq_hangs(
    shop: Any, processes: Processes, config: Path, kit: Any, hq_process: HqProcess
) -> None:
    """An HQ that takes the request and never answers does not keep the box from shutting down."""
    shop.put_counts(1)
    assert hq_process.process is not None
    hq_process.process.send_signal(signal.SIGSTOP)
    sync = processes.start("sync", "--config", config)
    kit.wait_until(lambda: "sync_started" in processes.log("sync"), what="sync to start")
    sync.send_signal(signal.SIGTERM)
    assert sync.wait(kit.PATIENCE_S) == 0
    hq_process.process.send_signal(signal.SIGCONT)


def test_sighup_makes_sync_try_at_once(
    shop: Any, hq_process: HqProcess, processes: Processes, config: Path, kit: Any
) -> None:
    """With an interval of an hour, an event leaves on demand."""
    config.write_text(config.read_text().replace("interval_s = 0.1", "interval_s = 3600"))
    sync = processes.start("sync", "--config", config)
    kit.wait_until(lambda: "sync_started" in processes.log("sync"), what="sync to start")
    shop.put_counts(1)

    def poked() -> bool:
        sync.send_signal(signal.SIGHUP)
        return acknowledged(shop) == 1

    kit.wait_until(poked, what="the event to arrive")
    sync.send_signal(signal.SIGINT)
    assert sync.wait(kit.PATIENCE_S) == 0


def test_sync_started_before_the_gateway_waits(
    tmp_path: Path, hq_process: HqProcess, processes: Processes, kit: Any
) -> None:
    """Without a store.db it stays up; the events go once there is one."""
    state = tmp_path / "late-shop"
    state.mkdir()
    (state / "hq.credential").write_text(kit.CREDENTIAL)
    (state / "store.toml").write_text(
        f'[store]\nid = "s1"\n[hq]\nurl = "{hq_process.address.url}"\ncredential_file = "hq.credential"\ninterval_s = 0.1\n'
    )
    sync = processes.start("sync", "--state", state)
    kit.wait_until(lambda: "waiting_for_store" in processes.log("sync"), what="sync to wait")
    with closing(kit.Shop(state)) as shop:
        shop.put_counts(3)
        kit.wait_until(lambda: acknowledged(shop) == 3, what="the events to arrive")
    assert sync.poll() is None


def test_a_second_sync_is_refused(shop: Any, processes: Processes, config: Path, kit: Any) -> None:
    """One line, exit status 1, and the first goes on."""
    first = processes.start("sync", "--config", config)
    kit.wait_until(lambda: "sync_started" in processes.log("sync"), what="the first to start")
    second = processes.start("sync", "--config", config)
    assert second.wait(kit.PATIENCE_S) == 1
    assert "owned by another process" in processes.log("sync")
    assert first.poll() is None


def test_a_store_is_added_while_hq_serves(
    hq_process: HqProcess, processes: Processes, tmp_path: Path, kit: Any
) -> None:
    """Its credential works at once, without a restart."""
    out = tmp_path / "s7.credential"
    adding = processes.start("hq", "add-store", "s7", "--data", tmp_path / "hq", "--credential-out", out)
    assert adding.wait(kit.PATIENCE_S) == 0, processes.log("hq")
    batch = [kit.event(kit.count(1), 1, store="s7")]
    answer = hq_process.address.post(batch, store="s7", credential=out.read_text().strip())
    assert answer.json()["new"] == 1
    assert out.read_text().strip() not in processes.log("hq")
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
