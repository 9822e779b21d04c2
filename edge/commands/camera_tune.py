"""`threshold camera tune`: how sure the detector must be, found from what the camera itself has seen."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from edge.commands.options import example, store_option
from edge.errors import ThresholdError
from edge.settings import CameraSettings, Settings

if TYPE_CHECKING:
    from edge.camera.detector import Detector
    from edge.camera.evaluate import Match
    from edge.camera.tune import Advice, Counts, Sight, Sorted
    from edge.commands.camera_pictures import Picture

__all__ = ["tune"]

_KEY = "score_threshold"


@dataclass(frozen=True, slots=True)
class _Found:
    """What was seen and what it comes to; `sight` and `kinds` are None where people's labels speak."""

    by: Literal["tracks", "people", "labels"]
    pictures: int
    advice: Advice
    sight: Sight | None = None
    kinds: Sorted | None = None
    labelled: int = 0


@click.command(
    epilog=example(
        "threshold camera tune --config store.toml --id door --video door.mp4",
        "threshold camera tune --config store.toml --id door --minutes 15 --write",
        "threshold camera tune --config store.toml --id door --video door.mp4 --people 34",
        "threshold camera tune --config store.toml --id door --images pictures/ --annotations people.json",
    )
)
@click.option("--id", "camera_id", required=True, help="The camera's id in store.toml.")
@click.option("--video", type=click.Path(path_type=Path), help="Footage of that camera.")
@click.option(
    "--minutes",
    type=click.FloatRange(min=0.1, max=1440),
    help="Watch the running camera for so long; pictures are in memory only, and gone with the next.",
)
@click.option(
    "--people", type=click.IntRange(min=1), help="How many different people you counted in it: come nearest to that."
)
@click.option(
    "--images", type=click.Path(path_type=Path, exists=True, file_okay=False), help="Labelled pictures of that camera."
)
@click.option(
    "--annotations", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Their labels, a COCO file."
)
@click.option("--write", is_flag=True, help="Write it into store.toml; comments and all else stay as they are.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@store_option
def tune(
    settings: Settings,
    camera_id: str,
    video: Path | None,
    minutes: float | None,
    people: int | None,
    images: Path | None,
    annotations: Path | None,
    write: bool,
    as_json: bool,
) -> None:
    """Suggest a score threshold for one camera.

    Without labels the camera's own tracks say what was a person: what walked through the picture was, what never moved and
    what flickered was not. It refuses to advise on fewer than 20 people.
    """
    from edge.commands.camera_pictures import film, live

    if sum(one is not None for one in (video, minutes, images)) != 1 or (images is None) != (annotations is None):
        raise click.UsageError("name one source: --video FILE, --minutes N, or --images DIR with --annotations FILE")
    if people is not None and images is not None:
        raise click.UsageError("--people is for --video and --minutes; labels count for themselves")
    camera = _camera(settings, camera_id)
    detector = _detector(settings, camera)
    if images is not None and annotations is not None:
        found = _from_labels(images, annotations, camera, detector)
    elif video is not None:
        found = _from_pictures(film(video), camera, detector, people)
    else:
        pictures = live(settings, camera, detector, seconds=60 * (minutes or 0))
        found = _from_pictures(pictures, camera, detector, people)
    changed = found.advice.threshold != found.advice.threshold_now
    if write and changed:
        _write(camera.id, found.advice.threshold)
    _tell(found, camera, written=write and changed, as_json=as_json)


def _camera(settings: Settings, camera_id: str) -> CameraSettings:
    for camera in settings.cameras:
        if camera.id == camera_id:
            return camera
    known = ", ".join(camera.id for camera in settings.cameras) or "none"
    raise click.UsageError(f"--id {camera_id}: no such camera in store.toml; known there: {known}")


def _detector(settings: Settings, camera: CameraSettings) -> Detector:
    """The camera's detector, asked for every box that the gateway could ever use."""
    from edge.camera.detector import LOW_SCORE, Detector
    from edge.models import default_models_dir, load_model

    model = load_model(camera.model, settings.models or default_models_dir())
    return Detector(model, score_threshold=LOW_SCORE, providers=settings.inference.providers)


def _now(camera: CameraSettings, detector: Detector) -> float:
    return detector.spec.score_threshold if camera.score_threshold is None else camera.score_threshold


def _from_pictures(
    pictures: Generator[Picture], camera: CameraSettings, detector: Detector, people: int | None
) -> _Found:
    from edge.camera.tune import SLACK, advise, advise_for, sort_boxes

    with closing(pictures):
        sight = _sight(pictures, camera, detector)
    kinds = sort_boxes(sight)
    _enough(camera, kinds.tracks["walked"], "people walked through the picture")
    now = _now(camera, detector)
    if people is None:
        return _Found("tracks", len(sight.looks), advise(kinds.matches, threshold_now=now, slack=SLACK), sight, kinds)
    advice = advise_for(people, sight, kinds.matches, threshold_now=now)
    return _Found("people", len(sight.looks), advice, sight, kinds)


def _from_labels(images: Path, annotations: Path, camera: CameraSettings, detector: Detector) -> _Found:
    from edge.camera.coco import AnnotationsRefused, check_pictures, read_annotations, read_picture
    from edge.camera.evaluate import IOUS, match
    from edge.camera.tune import advise

    try:
        truth = read_annotations(annotations)
        check_pictures(images, truth)
        matches: list[Match] = []
        for one in truth:
            picture = read_picture(images, one.file_name)
            matches.append(match(detector.detect(picture), one, iou=IOUS[0]))
    except AnnotationsRefused as error:
        raise click.UsageError(str(error)) from error
    labelled = sum(one.people for one in matches)
    _enough(camera, labelled, "people are labelled")
    advice = advise(matches, threshold_now=_now(camera, detector))
    return _Found("labels", len(truth), advice, labelled=labelled)


def _enough(camera: CameraSettings, found: int, what: str) -> None:
    from edge.camera.tune import LEAST_WALKS

    if found < LEAST_WALKS:
        remedy = f"{LEAST_WALKS} are needed for advice: give it more to see"
        raise ThresholdError("tune camera", f"'{camera.id}': {found or 'no'} {what}", remedy)


def _sight(pictures: Iterator[Picture], camera: CameraSettings, detector: Detector) -> Sight:
    """Boxes of all pictures, privacy masks drawn first; no picture outlives its turn.

    Raises:
        ThresholdError: there is no picture, or they change their size on the way.
    """
    from edge.camera.mask import PrivacyMask
    from edge.camera.tune import Look, Sight

    first = next(pictures, None)
    if first is None:
        raise ThresholdError("tune camera", f"'{camera.id}': no picture came", "does it publish frames?")
    mask, looks, size = PrivacyMask(camera.privacy_masks), [], first[1].shape[:2]
    for at_s, image_bgr in chain([first], pictures):
        if image_bgr.shape[:2] != size:
            raise ThresholdError(
                "tune camera", f"'{camera.id}': its pictures change their size", "let it keep one size"
            )
        mask.apply(image_bgr)
        looks.append(Look(at_s, detector.detect(image_bgr)))
    return Sight(size[1], size[0], tuple(looks))


def _write(camera_id: str, threshold: float) -> None:
    from edge.store_edit import set_camera_number

    path = click.get_current_context().obj
    assert isinstance(path, Path)  # noqa: S101  `store_option` put it there
    set_camera_number(path, camera_id, _KEY, threshold)


def _tell(found: _Found, camera: CameraSettings, *, written: bool, as_json: bool) -> None:
    changes = _changes(found, camera)
    if as_json:
        click.echo(json.dumps(_report(found, camera, changes, written=written)))
        return
    click.echo(_seen(found))
    now, then = found.advice.threshold_now, found.advice.threshold
    if now == then:
        click.echo(f"keep {now:.2f} (F1 {found.advice.f1:.3f}): no other threshold is worth a change")
        return
    click.echo(
        f"threshold now {now:.2f} (F1 {found.advice.f1_now:.3f}), proposed {then:.2f} (F1 {found.advice.f1:.3f})"
    )
    if changes is not None:
        before, after = changes
        click.echo(f"people tracked: {before.people} now, {after.people} with {then:.2f}")
        for line, (went_in, went_out) in before.lines.items():
            new_in, new_out = after.lines[line]
            click.echo(f"line {line}: {went_in} in, {went_out} out now; {new_in} in, {new_out} out with {then:.2f}")
    click.echo(f"written: cameras.{_KEY} = {then}" if written else f"write it with --write, or as {_KEY} = {then}")


def _seen(found: _Found) -> str:
    if found.kinds is None:
        return f"{found.labelled:,} labelled people in {found.pictures:,} pictures"
    tracks = found.kinds.tracks
    told = (
        f"{found.kinds.boxes:,} boxes in {found.pictures:,} pictures: {tracks['walked']:,} tracks walked,"
        f" {tracks['still']:,} never moved, {tracks['flickered']:,} flickered,"
        f" {tracks['unclear']:,} were unclear and not judged"
    )
    return told + "\nwhat never moved was taken for a thing, also if it was somebody" * bool(tracks["still"])


def _changes(found: _Found, camera: CameraSettings) -> tuple[Counts, Counts] | None:
    """What tracker and lines count now, and what they would."""
    from edge.camera.tune import count_at

    if found.sight is None:
        return None
    now, then = (
        count_at(found.sight, camera, threshold=one) for one in (found.advice.threshold_now, found.advice.threshold)
    )
    return now, then


def _report(
    found: _Found, camera: CameraSettings, changes: tuple[Counts, Counts] | None, *, written: bool
) -> dict[str, object]:
    seen: dict[str, object] = {"labelled": found.labelled}
    if found.kinds is not None:
        seen = {"boxes": found.kinds.boxes, "boxes_judged": found.kinds.boxes_judged}
        seen |= {str(kind): tracks for kind, tracks in found.kinds.tracks.items()}
    advice = {key: round(value, 4) for key, value in asdict(found.advice).items()}
    report = {"camera": camera.id, "by": found.by, "pictures": found.pictures, **seen, **advice, "written": written}
    if changes is None:
        return report
    return {**report, "counts_now": _counts(changes[0]), "counts": _counts(changes[1])}


def _counts(counts: Counts) -> dict[str, object]:
    lines = [{"name": name, "in": went_in, "out": went_out} for name, (went_in, went_out) in counts.lines.items()]
    return {"people": counts.people, "lines": lines}
