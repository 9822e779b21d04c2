from __future__ import annotations

import shlex
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
GUIDE = (ROOT / "docs" / "models.md").read_text("utf-8")
LINES = [line.strip() for line in GUIDE.splitlines() if line.startswith("    ") and "train" in line]


def test_the_guide_shows_how_to_train() -> None:
    """Training, and what follows it."""
    assert len(LINES) >= 4


@pytest.mark.parametrize("line", LINES)
def test_the_guides_training_lines_have_tools_and_options(line: str) -> None:
    """Each tool that docs/models.md runs is there, and knows the options that it is given there."""
    words = shlex.split(line)
    if words[0] == "make":
        words = ["-m", "models.train.footfall", *shlex.split(words[-1].removeprefix("ARGS="))]
    tool = words[words.index("-m") + 1]
    source = (ROOT / f"{tool.replace('.', '/')}.py").read_text("utf-8")
    options = [word for word in words if word.startswith("--")]
    assert options
    assert [one for one in options if f'add_argument("{one}"' not in source] == []
