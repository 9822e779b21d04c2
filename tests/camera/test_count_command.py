from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.cli import run

FRAMES = 24


@pytest.fixture
def empty_shop(tmp_path: Path) -> Path:
    """Two seconds and a half of a grey room."""
    path = tmp_path / "empty.mp4"
    write(path, [np.full((120, 160, 3), 90, np.uint8)] * FRAMES, fps=10)
    return path


def write(path: Path, pictures: list[np.ndarray], *, fps: float) -> None:
    height, width = pictures[0].shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), fps, (width, height))
    for picture in pictures:
        writer.write(picture)
    writer.release()


def frames_of(path: Path) -> list[np.ndarray]:
    capture, pictures = cv2.VideoCapture(str(path)), []
    while (read := capture.read())[0]:
        pictures.append(np.asarray(read[1]))
    return pictures


def counted(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict[str, object]:
    assert run(["count", *map(str, arguments), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert isinstance(report, dict)
    return report


def test_the_json_keeps_its_contract(empty_shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One object with the promised keys; nobody in an empty room; the default line runs down the middle."""
    report = counted(capsys, empty_shop, "--sample", "0,5,23")
    assert report.keys() == {"frames", "fps_source", "visible", "lines", "tracks", "ms"}
    assert report["frames"] == FRAMES
    assert report["fps_source"] == 10
    assert report["visible"] == {"0": 0, "5": 0, "23": 0}
    assert report["lines"] == [{"name": "middle", "in": 0, "out": 0}]
    assert report["tracks"] == 0
    assert report["ms"].keys() == {"decode", "infer", "track", "total"}  # type: ignore[attr-defined]


def test_without_json_a_person_can_read_it(empty_shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A table of the lines on standard output, the progress on standard error."""
    assert run(["count", str(empty_shop), "--line", "door:0,0.5,1,0.5", "--line", "till:0.2,0.1,0.2,0.9"]) == 0
    told = capsys.readouterr()
    assert "door" in told.out
    assert "till" in told.out
    assert f"{FRAMES} frames" in told.out
    assert "counting" in told.err


def test_a_sample_past_the_end_is_told(empty_shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is left out of the object, and standard error says so."""
    assert run(["count", str(empty_shop), "--sample", "3,999", "--json"]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["visible"] == {"3": 0}
    assert "frame 999" in told.err


def test_a_line_on_the_edge_is_warned_of(empty_shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """People appear and vanish there without crossing."""
    assert run(["count", str(empty_shop), "--line", "door:0,1,1,1", "--json"]) == 0
    assert "edge" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--line", "door"], "NAME:x1,y1,x2,y2"),
        (["--line", "door:1,2,3"], "NAME:x1,y1,x2,y2"),
        (["--line", "door:0,0,0,1.5"], "less than or equal to 1"),
        (["--line", "door:nan,0,0,1"], "the points"),
        (["--line", "The Door:0,0,0,1"], "the name"),
        (["--line", "door:0.5,0.5,0.5,0.5"], "two different points"),
        (["--line", "a:0,0.5,1,0.5", "--line", "a:0,0.6,1,0.6"], "same name"),
        (["--sample", "1,x"], "frame numbers"),
        (["--sample", "-1"], "frame numbers"),
        (["--model", "faces"], "known there: footfall"),
        (["--annotate", "/nowhere/at/all.mp4"], "cannot be written"),
        (["--annotate", "out.gif"], "must end in .mp4"),
        (["--plot", "/nowhere/at/all.png"], "cannot be written"),
        (["--window", "0"], "--window"),
        (["--window", "-5"], "--window"),
        (["--window", "nan"], "--window"),
        (["--window", "inf"], "--window"),
        (["--window", "ten"], "--window"),
        (["--nonsense"], "No such option"),
    ],
)
def test_bad_use_is_one_line_and_exit_2(
    empty_shop: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    """Each mistake is named in one line; nothing is computed."""
    assert run(["count", str(empty_shop), *arguments]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert said in line


def test_a_missing_video_is_bad_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No file, one line, exit 2."""
    assert run(["count", str(tmp_path / "none.mp4")]) == 2
    assert "no such video" in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"", b"not a video at all\n" * 50, bytes(5000), b"\0\0\0\x20ftypisom" + bytes(99)])
def test_what_is_no_video_fails_in_one_line(tmp_path: Path, content: bytes) -> None:
    """Neither a traceback nor the decoder's own story."""
    path = tmp_path / "odd.mp4"
    path.write_bytes(content)
    command = [sys.executable, "-m", "edge.cli", "count", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 1
    (line,) = done.stderr.strip().splitlines()
    assert "no video" in line


def test_an_output_over_the_video_itself_is_refused(empty_shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The footage is never overwritten."""
    before = empty_shop.read_bytes()
    assert run(["count", str(empty_shop), "--annotate", str(empty_shop)]) == 2
    assert "the video itself" in capsys.readouterr().err
    assert empty_shop.read_bytes() == before


def bounds(report: dict[str, object]) -> list[tuple[float, float]]:
    windows = report["windows"]
    assert isinstance(windows, list)
    return [(one["start_s"], one["end_s"]) for one in windows]


@pytest.mark.parametrize(
    ("fps", "frames", "window_s", "expected"),
    [
        (10, 24, "1", [(0, 1), (1, 2), (2, 2.4)]),
        (10, 20, "1", [(0, 1), (1, 2)]),
        (10, 24, "60", [(0, 2.4)]),
        (10, 24, "1.5", [(0, 1.5), (1.5, 2.4)]),
        (30000 / 1001, 45, "1", [(0, 1), (1, 1.502)]),
        (12.5, 1, "3", [(0, 0.08)]),
    ],
)
def test_windows_cover_the_video_and_no_more(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    fps: float,
    frames: int,
    window_s: str,
    expected: list[tuple[float, float]],
) -> None:
    """One after another from 0, the last cut where the video ends, at broken frame rates and for windows longer than it."""
    write(tmp_path / "room.mp4", [np.full((120, 160, 3), 90, np.uint8)] * frames, fps=fps)
    lines = ("--line", "door:0,0.5,1,0.5", "--line", "till:0.2,0.1,0.2,0.9")
    report = counted(capsys, tmp_path / "room.mp4", "--window", window_s, *lines)
    assert [one for pair in bounds(report) for one in pair] == pytest.approx([one for pair in expected for one in pair])
    (first, *_) = report["windows"]  # type: ignore[misc]
    assert first["lines"] == [{"name": "door", "in": 0, "out": 0}, {"name": "till", "in": 0, "out": 0}]


def test_windows_hold_each_crossing_when_it_happened(
    videos: Path, yardstick: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Three people leave real footage at 19.0, 43.9 and 69.0 s: each in its own window, the sum the same as without."""
    options = ("--models", yardstick, "--line", LINES["one-by-one-a"])
    report = counted(capsys, videos / "one-by-one-a.mp4", *options, "--window", 15)
    windows = report["windows"]
    assert isinstance(windows, list)
    assert [window["lines"][0]["out"] for window in windows] == [0, 1, 1, 0, 1]
    assert [window["lines"][0]["in"] for window in windows] == [0] * 5
    assert bounds(report)[-1] == (60, 72)
    assert report["lines"] == [{"name": "door", "in": 0, "out": 3}]


def test_windows_can_be_read_by_a_person(empty_shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A row for each window and line, its times as on a clock."""
    assert run(["count", str(empty_shop), "--window", "1"]) == 0
    told = capsys.readouterr().out
    assert all(time in told for time in ("0:00:00", "0:00:01", "0:00:02", "0:00:02.4"))


def test_help_shows_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    """`--help` shows how to call it."""
    assert run(["count", "--help"]) == 0
    assert "threshold count entrance.mp4 --line" in capsys.readouterr().out


LINES = {"one-by-one-a": "door:0.78,0,0.78,1", "store-aisle": "none:0.5,0,0.5,1", "worker-zone": "door:0.45,0,0.45,1"}


@pytest.mark.parametrize("name", LINES)
def test_real_footage_is_counted_as_a_person_counted_it(
    videos: Path, yardstick: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """With the yardstick detector: every crossing right, visible people within a tenth of the truth."""
    truth = json.loads((videos / f"{name}.json").read_text())
    samples = {str(one["frame"]): one["count"] for one in truth["visible"] if one["sure"]}
    report = counted(
        capsys, videos / f"{name}.mp4", "--models", yardstick, "--line", LINES[name], "--sample", ",".join(samples)
    )
    line = truth["line"] or {"in_count": 0, "out_count": 0}
    (counts,) = report["lines"]  # type: ignore[misc]
    assert (counts["in"], counts["out"]) == (line["in_count"], line["out_count"])
    assert report["tracks"] == truth["distinct_people"]
    visible = report["visible"]
    assert isinstance(visible, dict)
    assert visible.keys() == samples.keys()
    assert sum(visible.values()) == pytest.approx(sum(samples.values()), rel=0.1)


def test_a_video_played_backwards_counts_the_opposite(
    videos: Path, yardstick: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In becomes out and out becomes in."""
    for name, (went_in, went_out) in {"one-by-one-a": (3, 0), "worker-zone": (0, 1)}.items():
        write(tmp_path / "back.mp4", frames_of(videos / f"{name}.mp4")[::-1], fps=10)
        report = counted(capsys, tmp_path / "back.mp4", "--models", yardstick, "--line", LINES[name])
        assert report["lines"] == [{"name": "door", "in": went_in, "out": went_out}]


def test_an_annotated_video_shows_nobody(
    videos: Path, yardstick: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The written video has every frame, and the person in it is a handful of flat cells."""
    source = videos / "worker-zone.mp4"
    annotated, plot = tmp_path / "out.mp4", tmp_path / "out.png"
    counted(capsys, source, "--models", yardstick, "--annotate", annotated, "--plot", plot)
    before, after = frames_of(source), frames_of(annotated)
    assert len(after) == len(before) == 71
    # Inside the box of frame 56, away from the drawn frame: the fine detail is gone.
    sharp, blurred = (
        float(np.abs(np.diff(pictures[56][70:120, 95:145].astype(float), axis=0)).mean())
        for pictures in (before, after)
    )
    assert blurred < sharp / 2
    picture = cv2.imread(str(plot))
    assert picture is not None
    assert picture.std() > 5


def test_a_folder_of_ones_own_models_is_used(
    empty_shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--models` names another folder, and an altered model in it is refused."""
    from edge.models import default_models_dir

    folder = tmp_path / "models"
    folder.mkdir()
    for name in ("manifest.toml", "footfall.onnx"):
        shutil.copy(default_models_dir() / name, folder)
    with (folder / "footfall.onnx").open("ab") as file:
        file.write(b"!")
    assert run(["count", str(empty_shop), "--models", str(folder)]) == 1
    assert "sha256" in capsys.readouterr().err
