"""`threshold count`: people in a video file, through the very pipeline that the gateway runs."""

from __future__ import annotations

import json
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import isfinite
from pathlib import Path
from time import perf_counter
from typing import NotRequired, TypedDict

import click
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from edge.camera.annotated import AnnotatedVideo
from edge.camera.chart import draw_counts
from edge.camera.counting import touches_edge
from edge.camera.detector import Detector
from edge.camera.pipeline import CameraPipeline, FrameResult
from edge.camera.video import VideoFile
from edge.clock import from_epoch_s
from edge.commands.options import example
from edge.facts import Crossing, Fact
from edge.models import default_models_dir, load_manifest, load_model
from edge.settings import CameraSettings, LineSettings

__all__ = ["count", "parse_line"]

_BEGINNING = from_epoch_s(0)
_DEFAULT_LINE = LineSettings(name="middle", points=((0.5, 0.0), (0.5, 1.0)))
_STEPS = ("decode", "infer", "track", "total")
_TICK_S = 1e-6
"""Frame times are sums of fractions: one that means 10 s may be a hair short of it."""


@dataclass(frozen=True, slots=True)
class _OwnVideo:
    """The gate's answer for a file that somebody names on their own command line: no camera runs."""

    allowed: bool = True
    reason: str = ""


LineReport = TypedDict("LineReport", {"name": str, "in": int, "out": int})


class WindowReport(TypedDict):
    """Who went over each line from `start_s` to before `end_s` of the video."""

    start_s: float
    end_s: float
    lines: list[LineReport]


class Report(TypedDict):
    """What `--json` prints; others script against it."""

    frames: int
    fps_source: float
    visible: dict[str, int]
    lines: list[LineReport]
    tracks: int
    ms: dict[str, float]
    windows: NotRequired[list[WindowReport]]
    """With `--window` only; they add up to `lines`."""


@dataclass(slots=True)
class _Tally:
    """What has been counted so far."""

    lines: tuple[LineSettings, ...]
    sampled: frozenset[int]
    frames: int = 0
    visible: dict[int, int] = field(default_factory=dict)
    people_by_s: list[tuple[float, int]] = field(default_factory=list)
    crossings: list[tuple[float, str, str]] = field(default_factory=list)
    ms: dict[str, float] = field(default_factory=lambda: dict.fromkeys(_STEPS, 0.0))

    def add(self, result: FrameResult, *, at_s: float, decode_ms: float) -> None:
        if self.frames in self.sampled:
            self.visible[self.frames] = result.people_visible
        self.people_by_s.append((at_s, result.people_visible))
        self.cross(result.facts, at_s=at_s)
        took = result.timings_ms
        spent = {"decode": decode_ms, "infer": took.infer, "track": took.track, "total": decode_ms + took.total}
        self.ms = {step: self.ms[step] + spent[step] for step in _STEPS}
        self.frames += 1

    def cross(self, facts: tuple[Fact, ...], *, at_s: float) -> None:
        self.crossings += [(at_s, fact.line, fact.direction) for fact in facts if isinstance(fact, Crossing)]

    def counts(self) -> dict[str, dict[str, int]]:
        """In and out, by line."""
        return {one["name"]: {"in": one["in"], "out": one["out"]} for one in self._by_line(self.crossings)}

    def report(self, *, fps_source: float, tracks: int, window_s: float | None) -> Report:
        """The command's contract."""
        frames = max(self.frames, 1)
        report: Report = {
            "frames": self.frames,
            "fps_source": round(fps_source, 3),
            "visible": {str(index): people for index, people in sorted(self.visible.items())},
            "lines": self._by_line(self.crossings),
            "tracks": tracks,
            "ms": {step: round(self.ms[step] / frames, 3) for step in _STEPS},
        }
        if window_s is not None:
            last_s = self.people_by_s[-1][0] if self.people_by_s else 0.0
            report["windows"] = self._windows(window_s, ends_s=last_s + 1 / fps_source)
        return report

    def _windows(self, length_s: float, *, ends_s: float) -> list[WindowReport]:
        """Every window that a frame began in, the last one cut where the video ends."""
        within: dict[int, list[tuple[float, str, str]]] = defaultdict(list)
        for crossing in self.crossings:
            within[_window_of(crossing[0], length_s)].append(crossing)
        last = _window_of(self.people_by_s[-1][0], length_s) if self.people_by_s else -1
        return [
            {
                "start_s": round(index * length_s, 3),
                "end_s": round(min((index + 1) * length_s, ends_s), 3),
                "lines": self._by_line(within[index]),
            }
            for index in range(last + 1)
        ]

    def _by_line(self, crossings: list[tuple[float, str, str]]) -> list[LineReport]:
        sums = Counter((line, direction) for _, line, direction in crossings)
        return [{"name": line.name, "in": sums[line.name, "in"], "out": sums[line.name, "out"]} for line in self.lines]


@click.command(
    epilog=example(
        "threshold count entrance.mp4 --line door:0.1,0.6,0.9,0.6 --json",
        "threshold count entrance.mp4 --line door:0.1,0.6,0.9,0.6 --window 900",
        "threshold count entrance.mp4 --annotate counted.mp4 --plot counts.png",
    )
)
@click.argument("video", type=click.Path(path_type=Path))
@click.option(
    "--line",
    "line_texts",
    multiple=True,
    metavar="NAME:x1,y1,x2,y2",
    help="A counting line, coordinates 0 to 1 from the top left. Walking from its first to its second point, 'in' is a"
    " crossing from your left hand to your right. May be given several times. Default: middle:0.5,0,0.5,1.",
)
@click.option("--sample", metavar="I,J,...", help="Report the people in view in these frames, counted from 0.")
@click.option("--model", "model_name", default="footfall", show_default=True, help="A model of the manifest.")
@click.option("--models", "models_dir", type=click.Path(path_type=Path), help="Another folder of models.")
@click.option(
    "--window",
    "window_s",
    type=click.FloatRange(min=1),
    callback=lambda _context, _option, value: _finite(value),
    metavar="S",
    help="Also count for every S seconds of the video.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option(
    "--annotate",
    type=click.Path(path_type=Path),
    metavar="OUT.mp4",
    help="Write the video with boxes, lines and counts; everybody who is detected is pixelated.",
)
@click.option("--plot", type=click.Path(path_type=Path), metavar="OUT.png", help="Draw the counts over time.")
def count(
    video: Path,
    line_texts: tuple[str, ...],
    sample: str | None,
    model_name: str,
    models_dir: Path | None,
    window_s: float | None,
    as_json: bool,
    annotate: Path | None,
    plot: Path | None,
) -> None:
    """Count the people in VIDEO, and who goes over each line."""
    lines = _lines(line_texts)
    tally = _Tally(lines, _samples(sample))
    if not video.is_file():
        raise click.UsageError(f"no such video file: {video}")
    _check_output("--annotate", annotate, ".mp4", video)
    _check_output("--plot", plot, ".png", video)
    detector = _detector(model_name, models_dir or default_models_dir())
    camera = CameraSettings(id="video", zone="video", lines=lines, motion_gate=False)
    pipeline = CameraPipeline(camera, detector=detector, allowed=lambda _: _OwnVideo())
    with VideoFile(video) as source:
        tracks = _run(source, pipeline, tally, annotate)
        report = tally.report(fps_source=source.fps, tracks=tracks, window_s=window_s)
    if plot is not None:
        draw_counts(plot, lines=lines, people_by_s=tally.people_by_s, crossings=tally.crossings)
    for index in sorted(tally.sampled - tally.visible.keys()):
        click.echo(f"threshold count: frame {index} is past the last one, {tally.frames - 1}", err=True)
    if as_json:
        click.echo(json.dumps(report))
    else:
        _print(report)


def _finite(seconds: float | None) -> float | None:
    if seconds is not None and not isfinite(seconds):
        raise click.BadParameter(f"{seconds} is not a number of seconds")
    return seconds


def _lines(texts: tuple[str, ...]) -> tuple[LineSettings, ...]:
    lines = tuple(parse_line(text) for text in texts) or (_DEFAULT_LINE,)
    if len({line.name for line in lines}) < len(lines):
        raise click.UsageError("two --line have the same name")
    for line in lines:
        if touches_edge(line):
            click.echo(f"threshold count: line '{line.name}' lies on the picture's edge; move it inwards", err=True)
    return lines


def parse_line(text: str) -> LineSettings:
    """A line written as NAME:x1,y1,x2,y2, relative coordinates.

    Raises:
        click.UsageError: it is not written so.
    """
    name, _, coordinates = text.partition(":")
    try:
        x1, y1, x2, y2 = (float(part) for part in coordinates.split(","))
    except ValueError:
        raise click.UsageError(f"--line '{text}': write it as NAME:x1,y1,x2,y2") from None
    try:
        return LineSettings(name=name, points=((x1, y1), (x2, y2)))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        wrong = "the name" if "name" in first["loc"] else "the points"
        raise click.UsageError(f"--line '{text}': {wrong}: {first['msg']}") from None


def _samples(text: str | None) -> frozenset[int]:
    parts = text.split(",") if text else []
    if not all(part.strip().isdecimal() for part in parts):
        raise click.UsageError(f"--sample '{text}': write frame numbers as I,J,...")
    return frozenset(int(part) for part in parts)


def _check_output(option: str, path: Path | None, suffix: str, video: Path) -> None:
    if path is None:
        return
    if path.suffix.lower() != suffix:
        raise click.UsageError(f"{option} {path}: the name must end in {suffix}")
    if path.exists() and path.samefile(video):
        raise click.UsageError(f"{option} {path}: that is the video itself")
    if path.is_dir() or not path.parent.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise click.UsageError(f"{option} {path}: cannot be written there")


def _detector(name: str, models_dir: Path) -> Detector:
    known = load_manifest(models_dir)
    if name not in known:
        raise click.UsageError(
            f"--model {name}: not in {models_dir}; known there: {', '.join(sorted(known)) or 'none'}"
        )
    return Detector(load_model(name, models_dir))


def _run(source: VideoFile, pipeline: CameraPipeline, tally: _Tally, annotate: Path | None) -> int:
    """Put every frame through `pipeline`; how many people were tracked."""
    tracks, at_s, started = 0, 0.0, perf_counter()
    with _progress(source.frames_expected) as advance, _annotated(source, tally.lines, annotate) as written:
        for at_s, image_bgr in source.frames():
            decode_ms = 1e3 * (perf_counter() - started)
            result = pipeline.image(image_bgr, at=_moment(at_s))
            tracks = max(tracks, pipeline.tracks_confirmed)
            tally.add(result, at_s=at_s, decode_ms=decode_ms)
            if written is not None:
                written.add(image_bgr, found=pipeline.found, people=pipeline.people, counts=tally.counts())
            advance()
            started = perf_counter()
    tally.cross(pipeline.finish(at=_moment(at_s)), at_s=at_s)
    return tracks


@contextmanager
def _progress(frames: int) -> Iterator[Callable[[], None]]:
    """A bar on standard error; yields what moves it on by one frame."""
    columns = (TextColumn("counting"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("counting", total=frames or None)
        yield lambda: bar.advance(task)


@contextmanager
def _annotated(
    source: VideoFile, lines: tuple[LineSettings, ...], path: Path | None
) -> Iterator[AnnotatedVideo | None]:
    if path is None:
        yield None
        return
    written = AnnotatedVideo(path, fps=source.fps, width=source.width, height=source.height, lines=lines)
    try:
        yield written
    finally:
        written.close()


def _print(report: Report) -> None:
    console = Console(highlight=False)
    table = Table("line", "in", "out")
    for line in report["lines"]:
        table.add_row(line["name"], str(line["in"]), str(line["out"]))
    console.print(table)
    if "windows" in report:
        console.print(_windows_table(report["windows"]))
    if report["visible"]:
        seen = Table("frame", "people in view")
        for frame, people in report["visible"].items():
            seen.add_row(frame, str(people))
        console.print(seen)
    ms = ", ".join(f"{step} {spent:.1f}" for step, spent in report["ms"].items())
    click.echo(f"{report['frames']} frames, {report['tracks']} people tracked; ms a frame: {ms}")


def _windows_table(windows: list[WindowReport]) -> Table:
    table = Table("from", "to", "line", "in", "out")
    for window in windows:
        begins, ends = _clock(window["start_s"]), _clock(window["end_s"])
        for line in window["lines"]:
            table.add_row(begins, ends, line["name"], str(line["in"]), str(line["out"]))
    return table


def _clock(seconds: float) -> str:
    """Seconds as h:mm:ss, with a fraction where there is one."""
    minutes, rest_s = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    shown = f"{rest_s:06.3f}".rstrip("0").rstrip(".") if rest_s % 1 else f"{rest_s:02.0f}"
    return f"{hours}:{minutes:02}:{shown}"


def _window_of(at_s: float, length_s: float) -> int:
    return int((at_s + _TICK_S) // length_s)


def _moment(at_s: float) -> datetime:
    return _BEGINNING + timedelta(seconds=at_s)
