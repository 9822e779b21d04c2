"""The whole way, through the `threshold demo` command: what it prints is what happened, whatever is killed meanwhile."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.timeout(400)

SIGNATURES = {"JPEG": b"\xff\xd8\xff", "PNG": b"\x89PNG\r\n", "WebP": b"WEBPVP8", "GIF": b"GIF89a", "MP4": b"ftypisom"}


class RunningDemo:
    """A demo in a process of its own."""

    def __init__(self, state: Path, *arguments: str) -> None:
        self.state = state
        command = [sys.executable, "-m", "edge.cli", "demo", "--state", str(state), "--json", *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def kill(self, name: str) -> None:
        """Kill -9 one of its processes; it may be down already, on its way back from the last time."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(int((self.state / "run" / f"{name}.pid").read_text()), signal.SIGKILL)

    def await_(self, ready: Callable[[dict[str, Any]], bool], *, deadline_s: float = 90) -> None:
        """Wait until `threshold status` of the demo's folder says so."""
        until = time.monotonic() + deadline_s
        while time.monotonic() < until:
            asked = [sys.executable, "-m", "edge.cli", "status", "--state", str(self.state), "--json"]
            done = subprocess.run(asked, check=False, capture_output=True, text=True)
            if done.returncode == 0 and ready(json.loads(done.stdout)):
                return
            assert self.process.poll() is None, self.process.communicate()[1]
            time.sleep(0.3)
        raise AssertionError("the demo never got there")

    def result(self) -> dict[str, Any]:
        """Wait for its end and read its last line."""
        out, err = self.process.communicate(timeout=300)
        assert self.process.returncode == 0, err
        account: dict[str, Any] = json.loads(out.splitlines()[-1])
        return account

    def end(self) -> None:
        """Leave nothing running."""
        if self.process.poll() is None:
            self.process.terminate()
            self.process.communicate(timeout=60)


@pytest.fixture
def start_demo(tmp_path: Path):
    """Starts demos and ends them with the test."""
    started: list[RunningDemo] = []

    def start(*arguments: str) -> RunningDemo:
        started.append(RunningDemo(tmp_path / "state", *arguments))
        return started[-1]

    yield start
    for demo in started:
        demo.end()


def pictures_in(folder: Path) -> list[str]:
    """Files under `folder` with a picture's signature anywhere in them."""
    found = []
    for path in folder.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        found += [f"{path.name}: {kind}" for kind, signature in SIGNATURES.items() if signature in content]
    return found


def test_a_demo_ends_by_itself_with_everything_at_hq_and_no_picture_on_disk(start_demo):
    """Exit 0, counts near the truth, nothing lost, nothing double, and no frame in any file of the state folder."""
    demo = start_demo("--duration", "40")
    account = demo.result()
    assert account["lost"] == 0
    assert account["duplicates"] == 0
    assert account["events_at_hq"] == account["events_released"] > 0
    assert account["dead_letters"] == 0
    for way in ("in", "out"):
        truth, counted = account[f"truth_{way}"], account[f"visitors_{way}"]
        assert truth >= 5
        assert abs(counted - truth) <= max(1, 0.05 * truth), account
    assert account["latency_ms"]["p50"] is not None
    assert pictures_in(demo.state) == []


def test_nothing_is_lost_or_doubled_when_everything_is_killed(start_demo):
    """Broker and gateway killed with -9 in mid-demo, HQ down for a while: afterwards the three books agree."""
    demo = start_demo("--duration", "45")
    demo.await_(lambda status: status["counters"].get("messages", 0) >= 5)
    demo.kill("broker")
    time.sleep(4)
    demo.kill("gateway")
    time.sleep(4)
    for _ in range(6):  # the supervisor brings it back each time
        demo.kill("hq")
        time.sleep(1.2)
    demo.kill("gateway")
    demo.kill("sync")
    account = demo.result()
    assert account["restarts"]["broker"] >= 1
    assert account["restarts"]["gateway"] >= 2
    assert account["restarts"]["hq"] >= 2
    assert account["lost"] == 0, account
    assert account["duplicates"] == 0, account
    assert account["events_at_hq"] == account["events_released"] > 0
    assert account["messages"] > 0
    assert pictures_in(demo.state) == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--video", "absent.mp4"], "no such file"),
        (["--line", "a:0,0,1,1"], "--line goes with --video"),
        (["--duration", "1"], "--duration"),
    ],
)
def test_bad_use_is_one_line(tmp_path: Path, arguments: list[str], told: str):
    """A demo that cannot be played says why, at once."""
    command = [sys.executable, "-m", "edge.cli", "demo", "--state", str(tmp_path / "state"), *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert told in done.stderr


def test_a_taken_port_is_told(tmp_path: Path):
    """A port somebody else listens on is named, with the option to choose another."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "edge.cli", "demo", "--web-port", port, "--state", str(tmp_path / "state")]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert f"port {port} is taken" in done.stderr


def test_a_real_store_is_not_played_over(tmp_path: Path):
    """A demo in a folder with a store of its own is refused, and the store.toml stays as it was."""
    real = tmp_path / "store.toml"
    real.write_text('[store]\nid = "berlin-1"\n', "utf-8")
    command = [sys.executable, "-m", "edge.cli", "demo", "--state", str(tmp_path), "--duration", "5"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert "holds a store of its own" in done.stderr
    assert real.read_text("utf-8") == '[store]\nid = "berlin-1"\n'
