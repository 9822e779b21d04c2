"""`threshold camera tune`, as somebody at a terminal meets it, on films of the simulated door and on a running camera."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import cv2
import numpy as np
import pytest

from edge.bus.listener import TopicListener
from edge.camera.guard import stamp_jpeg
from edge.cli import run
from edge.errors import BusError
from edge.messages import Device
from edge.settings import MqttSettings
from edge.simulate.device import ReferenceDevice
from edge.simulate.scene import DoorScene

PATIENCE_S = 100
FPS, SECONDS = 5, 75
STORE = """\
# Our shop.
[store]
id = "shop-1"
[mqtt]
port = {port}      # Mosquitto's
[[zones]]
id = "hall"
notice_attested_on = {today}
[[zones]]
id = "back"
[[cameras]]
id = "door"        # above the door
zone = "hall"
score_threshold = {threshold}   # by guess
lines = [{{ name = "door", points = [[0.12, 0.48], [0.88, 0.48]] }}]
[[cameras]]
id = "unsigned"
zone = "back"
"""


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    """A minute and a quarter at a busy simulated door."""
    scene = DoorScene(seed=11)
    return [scene.frame(number / FPS).image_bgr for number in range(SECONDS * FPS)]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory, pictures: list[np.ndarray]) -> Path:
    path = tmp_path_factory.mktemp("film") / "door.mp4"
    write(path, pictures)
    return path


def write(path: Path, pictures: list[np.ndarray]) -> None:
    height, width = pictures[0].shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), FPS, (width, height))
    for picture in pictures:
        writer.write(picture)
    writer.release()


def store(folder: Path, *, threshold: float = 0.85, port: int = 1) -> Path:
    path = folder / "store.toml"
    path.write_text(STORE.format(threshold=threshold, port=port, today=datetime.now(UTC).date()), "utf-8")
    return path


def tuned(capsys: pytest.CaptureFixture[str], path: Path, *arguments: object) -> dict[str, Any]:
    assert run(["camera", "tune", "--config", str(path), "--id", "door", *map(str, arguments), "--json"]) == 0
    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    return report


def test_a_threshold_far_off_is_found_and_nothing_written(film: Path, tmp_path: Path, capsys) -> None:
    """Far too high a threshold: it says what it saw, a lower one, and what would change; the file stays as it was."""
    path = store(tmp_path)
    before = path.read_bytes()
    report = tuned(capsys, path, "--video", film)
    assert (report["camera"], report["by"], report["written"]) == ("door", "tracks", False)
    assert report["pictures"] == SECONDS * FPS
    assert report["boxes"] >= report["boxes_judged"] > 0
    assert report["walked"] >= 20
    assert report["threshold"] < report["threshold_now"] == 0.85
    assert report["f1"] > report["f1_now"] + 0.1
    crossings = [sum(line["in"] + line["out"] for line in report[key]["lines"]) for key in ("counts_now", "counts")]
    assert crossings[0] < crossings[1]
    assert path.read_bytes() == before


def test_write_changes_one_number(film: Path, tmp_path: Path, capsys) -> None:
    """With --write the number is in store.toml, its comment beside it; asked again there is nothing left to change."""
    path = store(tmp_path)
    report = tuned(capsys, path, "--video", film, "--write")
    assert report["written"] is True
    text = path.read_text("utf-8")
    assert f"score_threshold = {report['threshold']}   # by guess" in text
    assert text.replace(str(report["threshold"]), "0.85", 1) == STORE.format(
        threshold=0.85, port=1, today=datetime.now(UTC).date()
    )
    again = tuned(capsys, path, "--video", film, "--write")
    assert (again["threshold_now"], again["threshold"], again["written"]) == (report["threshold"],) * 2 + (False,)


def test_a_person_can_read_it(film: Path, tmp_path: Path, capsys) -> None:
    """What was seen, the threshold now and proposed, what would change, and how to write it."""
    command = ["camera", "tune", "--config", str(store(tmp_path)), "--id", "door", "--video", str(film)]
    assert run(command) == 0
    told = capsys.readouterr()
    for words in (
        " boxes in 375 pictures",
        "tracks walked",
        "threshold now 0.85",
        "people tracked:",
        "line door:",
        "--write",
    ):
        assert words in told.out
    assert run([*command, "--write"]) == 0
    assert "written: cameras.score_threshold = " in capsys.readouterr().out
    assert run(command) == 0
    assert "keep 0." in capsys.readouterr().out


def test_a_count_of_ones_own_leads(film: Path, tmp_path: Path, capsys) -> None:
    """--people: the number of tracks comes as near to it as it can."""
    report = tuned(capsys, store(tmp_path), "--video", film, "--people", 33)
    assert report["by"] == "people"
    assert abs(report["counts"]["people"] - 33) <= abs(report["counts_now"]["people"] - 33)


def test_labels_lead(tmp_path: Path, capsys) -> None:
    """A COCO file with pictures of that camera: the best F1 of the labels, without tracks."""
    scene = DoorScene(seed=5)
    images, annotations = [], []
    for number in range(0, 200, 5):
        frame = scene.frame(number / FPS)
        cv2.imwrite(str(tmp_path / f"{number}.png"), frame.image_bgr)
        images.append({"id": number, "file_name": f"{number}.png"})
        annotations += [
            {"image_id": number, "category_id": 1, "bbox": [float(one) for one in (x, y, right - x, bottom - y)]}
            for x, y, right, bottom in frame.boxes_xyxy
        ]
    labels = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "person"}]}
    (tmp_path / "people.json").write_text(json.dumps(labels))
    report = tuned(capsys, store(tmp_path), "--images", tmp_path, "--annotations", tmp_path / "people.json")
    assert (report["by"], report["labelled"]) == ("labels", len(annotations))
    assert report["threshold"] < 0.85
    assert report["f1"] > report["f1_now"]
    (tmp_path / "0.png").unlink()
    few = {**labels, "images": images[1:2], "annotations": []}
    (tmp_path / "people.json").write_text(json.dumps(few))
    command = ["camera", "tune", "--config", str(store(tmp_path)), "--id", "door", "--images", str(tmp_path)]
    assert run([*command, "--annotations", str(tmp_path / "people.json")]) == 1
    assert "no people are labelled; 20 are needed" in capsys.readouterr().err


def test_too_little_is_no_advice(film: Path, pictures: list[np.ndarray], tmp_path: Path, capsys) -> None:
    """Ten seconds of the same door: one clear line, exit 1, nothing written."""
    write(tmp_path / "short.mp4", pictures[: 10 * FPS])
    path = store(tmp_path)
    before = path.read_bytes()
    command = ["camera", "tune", "--config", str(path), "--id", "door", "--write"]
    assert run([*command, "--video", str(tmp_path / "short.mp4")]) == 1
    line = capsys.readouterr().err.strip().splitlines()[-1]
    assert "walked through the picture; 20 are needed for advice" in line
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "name one source"),
        (["--video", "x.mp4", "--minutes", "3"], "name one source"),
        (["--images", "."], "name one source"),
        (["--video", "none.mp4"], "no such video file"),
        (["--minutes", "0"], "--minutes"),
        (["--images", ".", "--annotations", "store.toml", "--people", "3"], "--people is for"),
        (["--images", ".", "--annotations", "store.toml"], "not a COCO detection file"),
        (["--id", "window", "--video", "none.mp4"], "known there: door, unsigned"),
    ],
)
def test_bad_use_is_one_line(tmp_path: Path, monkeypatch, capsys, arguments: list[str], says: str) -> None:
    """Each mistake is named in one line, exit 2."""
    monkeypatch.chdir(tmp_path)
    store(tmp_path)
    assert run(["camera", "tune", "--config", "store.toml", "--id", "door", *arguments]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert says in line


def test_the_running_camera_is_watched_in_memory(mosquitto, pictures: list[np.ndarray], tmp_path: Path) -> None:
    """What the camera publishes, by the camera's own times; nothing is written but the number, no picture anywhere."""
    path = store(tmp_path, port=mosquitto.port)
    command = ["camera", "tune", "--config", str(path), "--id", "door", "--minutes", "0.5", "--write", "--json"]
    process = subprocess.Popen(
        [sys.executable, "-m", "edge.cli", *command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    begins = datetime.now(UTC) - timedelta(seconds=SECONDS + 30)
    with ReferenceDevice(
        store="shop-1", device=Device("camera", "door"), mqtt=MqttSettings(port=mosquitto.port)
    ) as device:
        assert device.wait_connected(PATIENCE_S)
        number = 0
        while process.poll() is None:
            jpeg = bytes(cv2.imencode(".jpg", pictures[number % len(pictures)])[1])
            taken = begins + timedelta(seconds=number / FPS)
            device.publish_frame(stamp_jpeg(jpeg, captured_at=taken, message_id=uuid4()))
            number += 1
            with_patience(process)
    assert process.returncode == 0
    report = json.loads(process.communicate()[0])
    assert report["written"] is True
    assert report["walked"] >= 20
    assert tomllib.loads(path.read_text("utf-8"))["cameras"][0]["score_threshold"] == report["threshold"]
    assert [one.name for one in tmp_path.iterdir()] == ["store.toml"]


def with_patience(process: subprocess.Popen[str]) -> None:
    """A camera's pause between two pictures, a short one."""
    try:
        process.wait(0.03)
    except subprocess.TimeoutExpired:
        return


def test_a_camera_whose_notice_nobody_attested_is_not_watched(mosquitto, tmp_path: Path, capsys) -> None:
    """The gate is asked here as everywhere."""
    path = store(tmp_path, port=mosquitto.port)
    assert run(["camera", "tune", "--config", str(path), "--id", "unsigned", "--minutes", "1"]) == 1
    assert "nobody has attested" in capsys.readouterr().err.strip().splitlines()[-1]


def test_a_camera_that_is_silent_and_a_broker_that_is_away_are_one_line(mosquitto, tmp_path: Path, capsys) -> None:
    """No picture came; or nobody answers."""
    path = store(tmp_path, port=mosquitto.port)
    command = ["camera", "tune", "--config", str(path), "--id", "door", "--minutes", "0.1"]
    assert run(command) == 1
    assert "no picture came" in capsys.readouterr().err.strip().splitlines()[-1]
    mosquitto.kill()
    assert run(command) == 1
    assert "is the broker running?" in capsys.readouterr().err.strip().splitlines()[-1]


def test_a_listener_keeps_the_newest_only_and_is_refused_in_words(make_mosquitto, mosquitto) -> None:
    """What nobody took is overwritten; a broker that wants a password says no, and that is an error with a reason."""
    settings = MqttSettings(port=mosquitto.port)
    with (
        TopicListener(settings, topic="threshold/v1/s/camera/c/frame") as listener,
        ReferenceDevice(store="s", device=Device("camera", "c"), mqtt=settings) as device,
    ):
        assert listener.take(timeout_s=0.01) is None
        assert device.wait_connected(PATIENCE_S)
        sent = 0
        while listener.heard < 5:
            sent += device.publish_frame(str(sent).encode())
        newest = listener.take(timeout_s=PATIENCE_S)
        assert newest is not None
        assert int(newest) >= 4
    closed = make_mosquitto("listener {port} 127.0.0.1\nallow_anonymous false")
    closed.start()
    with pytest.raises(BusError, match="refuses us"), TopicListener(MqttSettings(port=closed.port), topic="t"):
        pytest.fail("it listens")


def test_help_shows_an_example(capsys) -> None:
    """`--help` shows how to call it."""
    assert run(["camera", "tune", "--help"]) == 0
    assert "threshold camera tune --config store.toml --id door --video" in capsys.readouterr().out
