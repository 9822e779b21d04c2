"""`threshold models evaluate`: a detector held against labelled pictures."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from itertools import islice
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Literal

import click

from edge.commands.options import example
from edge.models import default_models_dir, load_manifest, load_model

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edge.camera.coco import LabelledPicture
    from edge.camera.detector import Detections
    from edge.camera.evaluate import Match
    from edge.models import LoadedModel

__all__ = ["evaluate"]

Grouping = Literal["view", "scene", "size"]
_AT_ONCE = 16
_SIZES = {"small": (0.0, 0.15), "middle": (0.15, 0.4), "large": (0.4, float("inf"))}
"""Of a person's box, as a share of the picture's height: that is what a model sees, whatever the picture's pixels."""


@click.group(epilog=example("threshold models evaluate footfall --images pictures/ --annotations people.json --json"))
def evaluate() -> None:
    """Measure a model on labelled data of one's own."""


@evaluate.command(
    epilog=example(
        "threshold models evaluate footfall --images pictures/ --annotations people.json --json",
        "threshold models evaluate footfall --images pictures/ --annotations people.json --model nano --by size",
    )
)
@click.option(
    "--images", required=True, type=click.Path(path_type=Path, exists=True, file_okay=False), help="Their folder."
)
@click.option(
    "--annotations",
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A COCO file: people are its category `person`, or its only one; `iscrowd` marks regions not to be judged.",
)
@click.option("--model", "model_name", default="footfall", show_default=True, help="A model of the manifest.")
@click.option("--models", "models_dir", type=click.Path(path_type=Path), help="Another folder of models.")
@click.option(
    "--by",
    type=click.Choice(["view", "scene", "size"]),
    help="Also for each of the pictures' views or scenes, or by people's height in the picture.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def footfall(
    images: Path,
    annotations: Path,
    model_name: str,
    models_dir: Path | None,
    by: Grouping | None,
    as_json: bool,
) -> None:
    """Hold a people detector against COCO annotations: AP50, AP, and precision and recall at its threshold."""
    from edge.camera.coco import AnnotationsRefused, check_pictures, read_annotations

    model = _model(model_name, models_dir or default_models_dir())
    try:
        pictures = read_annotations(annotations)
        check_pictures(images, pictures)
        report = _report(model, images, pictures, by)
    except AnnotationsRefused as error:
        raise click.UsageError(str(error)) from error
    if as_json:
        click.echo(json.dumps(report))
    else:
        _print(report)


def _model(name: str, folder: Path) -> LoadedModel:
    known = load_manifest(folder)
    if name not in known:
        raise click.UsageError(f"--model {name}: not in {folder}; known there: {', '.join(sorted(known)) or 'none'}")
    return load_model(name, folder)


def _report(
    model: LoadedModel, images: Path, pictures: tuple[LabelledPicture, ...], by: Grouping | None
) -> dict[str, object]:
    from edge.camera.coco import read_picture
    from edge.camera.detector import Detector
    from edge.camera.evaluate import LEAST_SCORE, match_at_all

    usual, all_boxes = Detector(model), Detector(model, score_threshold=LEAST_SCORE)
    whole: list[tuple[Match, ...]] = []
    groups: dict[str, list[tuple[Match, ...]]] = {}
    spent_ms: list[float] = []
    with _one_thread(), _progress(pictures) as shown:
        while some := list(islice(shown, _AT_ONCE)):
            images_bgr = [read_picture(images, truth.file_name) for truth in some]
            # One after the other, as a camera's pictures are: reading files in between would be timed with them.
            usual.detect(images_bgr[0])
            spent_ms += [_ms(partial(usual.detect, image_bgr)) for image_bgr in images_bgr]
            for truth, image_bgr in zip(some, images_bgr, strict=True):
                found = all_boxes.detect(image_bgr)
                whole.append(match_at_all(found, truth))
                for name, matched in _grouped(found, truth, image_bgr, by, whole[-1]):
                    groups.setdefault(name, []).append(matched)
    threshold = model.spec.score_threshold
    report = {"model": model.spec.name, **_figures(whole, threshold), "ms": round(median(spent_ms), 2)}
    if by is not None:
        report["by"] = {name: _figures(matches, threshold) for name, matches in sorted(groups.items())}
    return {**report, "threshold": threshold}


def _grouped(
    found: Detections,
    truth: LabelledPicture,
    image_bgr: NDArray[np.uint8],
    by: Grouping | None,
    matched: tuple[Match, ...],
) -> Iterator[tuple[str, tuple[Match, ...]]]:
    """The groups that a picture belongs to, with its matches in each."""
    from edge.camera.evaluate import match_at_all

    if by == "size":
        for name, (least, below) in _SIZES.items():
            within = partial(_within, least_px=least * len(image_bgr), below_px=below * len(image_bgr))
            yield name, match_at_all(found, truth, within=within)
    elif by is not None:
        yield truth.groups.get(by, "unstated"), matched


def _within(boxes: NDArray[np.float64], *, least_px: float, below_px: float) -> NDArray[np.bool_]:
    height = boxes[:, 3] - boxes[:, 1]
    inside: NDArray[np.bool_] = (height >= least_px) & (height < below_px)
    return inside


def _figures(matches: list[tuple[Match, ...]], threshold: float) -> dict[str, object]:
    from edge.camera.evaluate import figures

    reached = asdict(figures(matches, threshold=threshold))
    return {key: round(value, 4) if isinstance(value, float) else value for key, value in reached.items()}


def _ms(work: Callable[[], object]) -> float:
    started = perf_counter()
    work()
    return 1e3 * (perf_counter() - started)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Keep OpenCV to one thread as well, so that the milliseconds are those of one core."""
    import cv2

    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


@contextmanager
def _progress(pictures: tuple[LabelledPicture, ...]) -> Iterator[Iterator[LabelledPicture]]:
    """The pictures one by one, with a bar on standard error."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True)) as bar:
        yield iter(bar.track(pictures, description="evaluating"))


def _print(report: dict[str, object]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("", "AP50", "AP", "recall", "precision", "pictures", "people")
    by = report.get("by", {})
    rows = {str(report["model"]): report, **(by if isinstance(by, dict) else {})}
    for name, figures in rows.items():
        values = [figures[key] for key in ("ap50", "ap", "recall", "precision")]
        shown = ["-" if value is None else f"{value:.3f}" for value in values]
        table.add_row(name, *shown, str(figures["n"]), str(figures["people"]))
    Console(highlight=False).print(table)
    click.echo(f"{report['ms']} ms a picture on one thread; recall and precision at {report['threshold']}")
