"""`threshold simulate` and `threshold camera publish`, as somebody at a terminal meets them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.camera.guard import FrameLimits, inspect_jpeg

from .conftest import PATIENCE_S, Broker, FakeGateway, eventually
from .test_camera import film

NewGateway = Callable[..., FakeGateway]


def threshold(*arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "edge.cli", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONWARNINGS": "error"},
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=PATIENCE_S)
    return process.returncode, out, err


def store(folder: Path, broker: Broker) -> Path:
    path = folder / "store.toml"
    path.write_text(
        f"""
[store]
id = "shop"
[mqtt]
host = "{broker.host}"
port = {broker.port}
[[zones]]
id = "hall"
kind = "entrance"
[[cameras]]
id = "door"
zone = "hall"
lines = [{{ name = "door", points = [[0.1, 0.5], [0.9, 0.5]] }}]
[[tills]]
id = "till-1"
zone = "hall"
"""
    )
    return path


def test_simulate_writes_the_truth(mosquitto: Broker, new_gateway: NewGateway, tmp_path: Path) -> None:
    """A run of fixed length ends by itself with exit 0 and a truth file, and nothing else lies in the folder."""
    gateway = new_gateway()
    store(tmp_path, mosquitto)
    status, out, err = ended(
        threshold("simulate", "--state", tmp_path, "--duration", 5, "--seed", 3, "--truth", tmp_path / "truth.json")
    )
    assert (status, out) == (0, ""), err
    truth = json.loads((tmp_path / "truth.json").read_text("utf-8"))
    assert truth["messages_sent"] == len(gateway.times)
    assert gateway.wait(lambda: len(gateway.channel("frame")) == truth["frames_published"])
    assert {path.name for path in tmp_path.iterdir()} == {"store.toml", "truth.json"}


def test_simulate_ends_well_at_sigterm(mosquitto: Broker, new_gateway: NewGateway, tmp_path: Path) -> None:
    """SIGTERM stops producing; what was said is waited for and told on standard output, exit 0."""
    gateway = new_gateway()
    process = threshold("simulate", "--config", store(tmp_path, mosquitto))
    assert gateway.wait(lambda: len(gateway.times) >= 1 and len(gateway.channel("frame")) >= 1)
    process.send_signal(signal.SIGTERM)
    status, out, err = ended(process)
    assert status == 0, err
    truth = json.loads(out)
    assert (truth["unacked"], truth["messages_sent"]) == (0, len(gateway.times))


def test_simulate_shows_a_film(mosquitto: Broker, new_gateway: NewGateway, tmp_path: Path) -> None:
    """`--video` puts the film before every camera, at `--video-fps`."""
    gateway = new_gateway()
    path = film(tmp_path / "film.avi", frames=4, fps=20)
    status, out, err = ended(
        threshold(
            "simulate", "--config", store(tmp_path, mosquitto), "--duration", 2, "--video", path, "--video-fps", 5
        )
    )
    assert status == 0, err
    assert json.loads(out)["truth_in"] is None
    assert 1 <= len(gateway.channel("frame")) <= 11


def test_camera_publish_plays_a_film(mosquitto: Broker, new_gateway: NewGateway, tmp_path: Path) -> None:
    """A film becomes frames on the camera's topic; the command ends with it, and says on standard error what it did."""
    gateway = new_gateway()
    source = film(tmp_path / "film.mp4", frames=10, fps=10, size=(640, 360))
    broker = ("--host", mosquitto.host, "--port", mosquitto.port)
    status, out, err = ended(
        threshold(
            "camera", "publish", "--source", source, "--store", "shop", "--id", "door", *broker, "--max-side", 320
        )
    )
    assert (status, out) == (0, ""), err
    assert gateway.wait(lambda: b"offline" in gateway.heard[-1][1])
    assert err.splitlines()[-1] == f"threshold: {len(gateway.channel('frame'))} frames published, " + (
        f"{10 - len(gateway.channel('frame'))} dropped"
    )
    assert {topic for topic, _ in gateway.heard} == {
        "threshold/v1/shop/camera/door/frame",
        "threshold/v1/shop/camera/door/status",
    }
    assert {inspect_jpeg(jpeg, limits=FrameLimits()).width for jpeg in gateway.channel("frame")} == {320}


def test_camera_publish_takes_store_and_broker_from_settings(
    mosquitto: Broker, new_gateway: NewGateway, tmp_path: Path
) -> None:
    """With `--state` neither store nor broker has to be typed; `--loop` runs until SIGTERM, exit 0."""
    gateway = new_gateway()
    store(tmp_path, mosquitto)
    source = film(tmp_path / "film.avi", frames=3, fps=20)
    process = threshold("camera", "publish", "--source", source, "--state", tmp_path, "--id", "door", "--loop")
    assert gateway.wait(lambda: len(gateway.channel("frame")) > 6)
    process.send_signal(signal.SIGTERM)
    status, _, err = ended(process)
    assert status == 0, err


def test_camera_publish_waits_for_the_broker(mosquitto: Broker, tmp_path: Path) -> None:
    """Without a broker it says so once, waits, and plays the whole film when the broker has come."""
    mosquitto.kill()
    source = film(tmp_path / "film.avi", frames=4, fps=10)
    process = threshold("camera", "publish", "--source", source, "--store", "s", "--id", "c", "--port", mosquitto.port)
    assert process.stderr is not None
    assert process.stderr.readline() == f"threshold: broker 127.0.0.1:{mosquitto.port} is away; waiting for it\n"
    mosquitto.start()
    status, _, err = ended(process)
    assert status == 0
    published, dropped = (int(word) for word in err.splitlines()[-1].split() if word.isdecimal())
    assert published + dropped == 4
    assert "away" not in err


def test_camera_publish_says_when_the_broker_goes_and_comes(
    mosquitto: Broker, new_gateway: NewGateway, tmp_path: Path
) -> None:
    """In an outage there is one line at its beginning and one at its end."""
    gateway = new_gateway()
    source = film(tmp_path / "film.avi", frames=3, fps=20)
    process = threshold(
        *("camera", "publish", "--source", source, "--store", "s", "--id", "c", "--port", mosquitto.port, "--loop")
    )
    assert process.stderr is not None
    assert gateway.wait(lambda: len(gateway.channel("frame")) > 0)
    mosquitto.kill()
    assert process.stderr.readline().endswith("; trying again\n")
    mosquitto.start()
    assert process.stderr.readline() == "threshold: connected again\n"
    seen = len(gateway.channel("frame"))
    assert eventually(lambda: len(gateway.channel("frame")) > seen)
    process.send_signal(signal.SIGTERM)
    assert ended(process)[0] == 0


@pytest.mark.parametrize(
    ("status", "says", "arguments"),
    [
        (2, "no such file", ("--source", "none.mp4", "--store", "s", "--id", "c")),
        (1, "no video", ("--source", "text.mp4", "--store", "s", "--id", "c")),
        (1, "must begin with", ("--source", "ftp://127.0.0.1:9/x", "--store", "s", "--id", "c")),
        (1, "open webcam", ("--source", "987", "--store", "s", "--id", "c")),
        (2, "--store", ("--source", "text.mp4", "--id", "c")),
        (2, "a-z, 0-9", ("--source", "text.mp4", "--store", "s", "--id", "Door 1")),
        (2, "--loop is for files", ("--source", "rtsp://127.0.0.1:9/x", "--store", "s", "--id", "c", "--loop")),
        (2, "store.toml", ("--source", "text.mp4", "--state", "nowhere", "--id", "c")),
        (2, "does not exist", ("--source", "text.mp4", "--store", "s", "--id", "c", "--ca-file", "none.pem")),
    ],
)
def test_bad_use_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int, says: str, arguments: tuple[str, ...]
) -> None:
    """Whatever is wrong: one line on standard error that names it, and no library's chatter beside it."""
    (tmp_path / "text.mp4").write_text("not a film")
    monkeypatch.chdir(tmp_path)
    found, out, err = ended(threshold("camera", "publish", *arguments))
    assert (found, out) == (status, "")
    assert len(err.splitlines()) == 1
    assert err.startswith("threshold: ")
    assert says in err


@pytest.mark.parametrize("command", [("simulate",), ("camera",), ("camera", "publish")])
def test_help_shows_an_example(command: tuple[str, ...]) -> None:
    """`--help` ends with a command line to copy."""
    status, out, _ = ended(threshold(*command, "--help"))
    assert status == 0
    assert "Example:\n  " in out.split("Options:")[-1]
    assert "threshold " in out.split("Example:")[-1]
