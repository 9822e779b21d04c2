"""Write the trained detector's entry in the models folder's `manifest.toml`: checksum, threshold, what was measured.

From the repository's root, after training, without PyTorch: `python -m models.train.register_footfall --score-threshold 0.35`.
The figures are those that `threshold models evaluate footfall` prints.
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
import tomllib
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from edge.camera.exports import Wishes, describe
from edge.errors import ThresholdError
from edge.model_store import with_entry
from edge.models import MANIFEST_NAME

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.models import ModelSpec

__all__ = ["FILE", "NAME", "described", "main", "measured", "register"]

NAME = "footfall"
FILE = "footfall.onnx"
_ENTRY = {"licence": "Apache-2.0", "card": "cards/footfall.md"}
_INPUT = {"resize": "stretch"}
"""As `footfall_augment.place` shows it pictures; a file cannot tell."""

_OUTPUT = {"decoded": False}
_VAL = Path("../shared/data/footfall/licensed/val")


def described(onnx_bytes: bytes, *, score_threshold: float = 0.4) -> ModelSpec:
    """The manifest entry of a model that `models.train.footfall` exported; it has been run once.

    Raises:
        ModelRefused: it is no such model.
    """
    entry = {**_ENTRY, "score_threshold": score_threshold}
    wishes = Wishes(name=NAME, decoder="yolox", entry=entry, input=_INPUT, output=_OUTPUT)
    return describe(onnx_bytes, wishes, file=FILE, sha256=sha256(onnx_bytes).hexdigest())


def register(spec: ModelSpec, models_dir: Path) -> None:
    """Put the entry in the folder's `manifest.toml` in place of the old one."""
    path = models_dir / MANIFEST_NAME
    text = with_entry(path.read_text("utf-8") if path.exists() else "", spec)
    tomllib.loads(text)  # a manifest that somebody wrote in an unusual way is left as it was
    path.write_text(text, "utf-8")


def measured(models_dir: Path, root: Path) -> dict[str, object]:
    """What the command says of the registered model on a COCO folder, and the command.

    Raises:
        CalledProcessError: the command failed; it has said why.
    """
    pictures = ["--images", str(root / "images"), "--annotations", str(root / "annotations.json")]
    command = ["models", "evaluate", NAME, *pictures]
    run = [sys.executable, "-m", "edge.cli", *command, "--models", str(models_dir), "--json"]
    told = json.loads(subprocess.run(run, check=True, stdout=subprocess.PIPE).stdout)
    figures = {key: told[key] for key in ("ap50", "ap", "recall", "precision", "n")}
    return {**figures, "ms_per_picture": told["ms"], "command": f"threshold {shlex.join(command)}"}


def main(arguments: Sequence[str] | None = None) -> None:
    """Describe the model, register it, measure it, write down what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=Path, default=Path("models"), help=f"the folder that {FILE} lies in")
    parser.add_argument("--score-threshold", type=float, required=True, help="chosen on scenes kept out of training")
    parser.add_argument("--images-root", type=Path, default=_VAL, help="COCO folder to measure on")
    given = parser.parse_args(arguments)
    try:
        spec = described((given.models / FILE).read_bytes(), score_threshold=given.score_threshold)
        register(spec, given.models)
        register(spec.model_copy(update={"measured": measured(given.models, given.images_root)}), given.models)
    except (OSError, ThresholdError, tomllib.TOMLDecodeError) as error:
        parser.error(str(error))
    except subprocess.CalledProcessError:
        parser.error(f"registered, but not measured on {given.images_root}")
    print((given.models / MANIFEST_NAME).read_text("utf-8"))


if __name__ == "__main__":
    main()
