"""`threshold models`: which detectors there are, anyone's added or taken away, and how good each one is."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge.commands.models_evaluate import evaluate
from edge.commands.options import example
from edge.errors import ModelRefused
from edge.model_store import MODEL_NAME, add_model, file_for, remove_model
from edge.models import (
    LOCAL_NAME,
    MANIFEST_NAME,
    MAX_MODEL_BYTES,
    default_models_dir,
    load_manifest,
    read_manifest,
)

if TYPE_CHECKING:
    from edge.camera.exports import Wishes
    from edge.models import ModelSpec

__all__ = ["models"]

_ENTRY = ("score_threshold", "iou_threshold", "licence")
_INPUT = ("colour", "resize", "scale", "mean", "std", "pad")
_OUTPUT = ("strides", "person_class", "decoded", "bins", "cell_offset", "activation", "boxes")
_LONGEST_LICENCE = 200


@click.group(
    epilog=example(
        "threshold models add yolox_nano.onnx --name nano --decoder yolox --licence Apache-2.0",
        "threshold models list",
        "threshold models evaluate footfall --images pictures/ --annotations people.json --model nano",
    )
)
def models() -> None:
    """Add anyone's detector, list and remove them, measure them."""


models.add_command(evaluate)

_models_option = click.option(
    "--models",
    "models_dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder of models [default: THRESHOLD_MODELS, else the one that ships].",
)


def _name(_context: click.Context, _option: click.Parameter, value: str) -> str:
    if MODEL_NAME.fullmatch(value) is None:
        raise click.BadParameter("use 1 to 40 of a-z, 0-9 and -, not a - first")
    return value


def _size(_context: click.Context, _option: click.Parameter, value: str | None) -> tuple[int, int] | None:
    if value is None:
        return None
    width, _, height = value.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise click.BadParameter("write it as WIDTHxHEIGHT, such as 416x416")
    return int(width), int(height)


def _three(_context: click.Context, _option: click.Parameter, value: str | None) -> tuple[float, ...] | None:
    try:
        numbers = None if value is None else tuple(float(part) for part in value.split(","))
    except ValueError:
        numbers = ()
    if numbers is not None and len(numbers) != 3:
        raise click.BadParameter("write three numbers, such as 123.7,116.3,103.5")
    return numbers


def _whole(_context: click.Context, _option: click.Parameter, value: str | None) -> tuple[int, ...] | None:
    parts = None if value is None else [part.strip() for part in value.split(",")]
    if parts is not None and not all(part.isdecimal() for part in parts):
        raise click.BadParameter("write whole numbers, such as 8,16,32")
    return None if parts is None else tuple(int(part) for part in parts)


def _line(_context: click.Context, _option: click.Parameter, value: str | None) -> str | None:
    if value is None:
        return None
    if not value.strip() or len(value) > _LONGEST_LICENCE or not value.isprintable():
        raise click.BadParameter(f"one line of 1 to {_LONGEST_LICENCE} characters")
    return value.strip()


@models.command(
    epilog=example(
        "threshold models add yolox_nano.onnx --name nano --decoder yolox --licence Apache-2.0",
        "threshold models add dfine_n.onnx --name dfine --decoder query --input 640x640",
        "threshold models add nanodet-plus-m.onnx --name small --decoder nanodet --score-threshold 0.35",
    )
)
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--name", required=True, callback=_name, help="What cameras call it in store.toml (`model`).")
@click.option(
    "--decoder",
    required=True,
    type=click.Choice(["fastestdet", "nanodet", "query", "yolox"]),
    help="How its output is read; query is RT-DETR, D-FINE, RF-DETR and their kin.",
)
@click.option("--input", "input_size", callback=_size, metavar="WxH", help="Its input, where the file leaves it open.")
@click.option("--colour", type=click.Choice(["bgr", "rgb"]), help="Order of its channels.")
@click.option("--resize", type=click.Choice(["letterbox", "stretch"]), help="Keep the picture's aspect, or not.")
@click.option("--scale", type=float, help="First each value of 0 to 255 is multiplied by this,")
@click.option("--mean", callback=_three, metavar="A,B,C", help="then this is taken away, in the order of --colour,")
@click.option("--std", callback=_three, metavar="A,B,C", help="then it is divided by this.")
@click.option("--pad", type=click.IntRange(0, 255), help="Grey beside a letterboxed picture.")
@click.option("--strides", callback=_whole, metavar="A,B,…", help="Strides of its grids (yolox, nanodet).")
@click.option("--person-class", type=click.IntRange(min=0), help="Number of the class that is a person, from 0.")
@click.option("--decoded/--raw", default=None, help="Whether its boxes are in pixels already (yolox).")
@click.option("--bins", type=click.IntRange(2, 64), help="Values of one side's distribution (nanodet).")
@click.option("--cell-offset", type=click.FloatRange(0, 1), help="0 for NanoDet-Plus, 0.5 for the older (nanodet).")
@click.option("--activation", type=click.Choice(["none", "sigmoid", "softmax"]), help="From classes to scores (query).")
@click.option("--boxes", type=click.Choice(["relative-cxcywh", "pixel-xyxy"]), help="How boxes are written (query).")
@click.option("--score-threshold", type=click.FloatRange(0, 1), help="The score of somebody [default: 0.4].")
@click.option("--iou-threshold", type=click.FloatRange(0, 1), help="Overlap of two boxes of one person.")
@click.option("--licence", callback=_line, metavar="TEXT", help="Under which terms you have it [default: unstated].")
@click.option("--replace", is_flag=True, help="Take the place of an added model of that name.")
@_models_option
def add(
    file: Path,
    name: str,
    decoder: str,
    input_size: tuple[int, int] | None,
    replace: bool,
    models_dir: Path | None,
    **said: object,
) -> None:
    """Add the detector in FILE, an ONNX export. What is not said is found out from the file, by running it once."""
    from edge.camera.exports import describe

    folder = models_dir or default_models_dir()
    _check_free(name, folder, replace=replace)
    onnx_bytes = _read(file, name)
    wishes = _wishes(name, decoder, input_size, said)
    spec = describe(onnx_bytes, wishes, file=file_for(name, onnx_bytes), sha256=sha256(onnx_bytes).hexdigest())
    add_model(spec, onnx_bytes, folder, replace=replace)
    click.echo(f"added {_summary(spec)}")


def _wishes(name: str, decoder: str, input_size: tuple[int, int] | None, said: dict[str, object]) -> Wishes:
    from edge.camera.exports import Wishes

    def told(fields: tuple[str, ...]) -> dict[str, object]:
        return {field: said[field] for field in fields if said[field] is not None}

    size = {} if input_size is None else dict(zip(("width", "height"), input_size, strict=True))
    return Wishes(name=name, decoder=decoder, entry=told(_ENTRY), input={**told(_INPUT), **size}, output=told(_OUTPUT))


def _check_free(name: str, folder: Path, *, replace: bool) -> None:
    """Say early, and as bad use, what the store would refuse at the end."""
    if name in (read_manifest(folder / MANIFEST_NAME) or {}):
        raise click.UsageError(f"--name {name}: a model of that name ships with Threshold; choose another")
    if name in (read_manifest(folder / LOCAL_NAME) or {}) and not replace:
        raise click.UsageError(f"--name {name}: there is one of that name; say --replace or choose another")


def _read(file: Path, name: str) -> bytes:
    try:
        with file.open("rb") as opened:
            onnx_bytes = opened.read(MAX_MODEL_BYTES + 1)
    except OSError as error:
        raise ModelRefused("add model", name, f"{file} cannot be read: {error.strerror}") from error
    if len(onnx_bytes) > MAX_MODEL_BYTES:
        raise ModelRefused("add model", name, f"{file} is larger than {MAX_MODEL_BYTES} bytes")
    return onnx_bytes


@models.command("list", epilog=example("threshold models list", "threshold models list --json --models ./my-models"))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, the entries by name.")
@_models_option
def list_models(as_json: bool, models_dir: Path | None) -> None:
    """List the models of the folder."""
    known = load_manifest(models_dir or default_models_dir())
    if as_json:
        click.echo(json.dumps({name: spec.model_dump(mode="json") for name, spec in known.items()}))
        return
    for spec in known.values():
        click.echo(_summary(spec))


def _summary(spec: ModelSpec) -> str:
    size = f"{spec.input.width}x{spec.input.height} {spec.input.colour}"
    person = f"person is class {spec.output.person_class} at {spec.score_threshold:g}"
    return f"{spec.name}: {spec.decoder}, {size}, {person}, licence {spec.licence}"


@models.command(epilog=example("threshold models remove nano"))
@click.argument("name", callback=_name)
@_models_option
def remove(name: str, models_dir: Path | None) -> None:
    """Remove the added model NAME and its file."""
    folder = models_dir or default_models_dir()
    if name not in (read_manifest(folder / LOCAL_NAME) or {}):
        shipped = name in (read_manifest(folder / MANIFEST_NAME) or {})
        why = "it ships with Threshold" if shipped else f"nobody added one of that name to {folder}"
        raise click.UsageError(f"{name}: {why}")
    remove_model(name, folder)
    click.echo(f"removed {name}")
