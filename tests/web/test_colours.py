"""The style sheet's colours can be told apart by everybody, by day and by night."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest

import edge.web

CSS = (Path(edge.web.__file__).parent / "static" / "dashboard.css").read_text("utf-8")
PALETTES = CSS.split("*::before", 1)[0].split("@media", 1)
LIGHT, DARK = (dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6})", palette)) for palette in PALETTES)
TEXT = [
    ("ink", "paper"), ("ink", "card"), ("ink", "info-paper"), ("ink", "warn-paper"),
    ("soft", "paper"), ("soft", "card"), ("in", "card"), ("ok", "paper"), ("warn", "card"), ("deep-soft", "deep"),
    ("ink", "rail"),
]  # fmt: skip
SIGNS = [
    ("in", "card"),
    ("out", "card"),
    ("in", "rail"),
    ("ok", "card"),
    ("warn", "warn-paper"),
    ("soft", "info-paper"),
]


def luminance(colour: str) -> float:
    """Relative luminance by WCAG 2.2."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("front", "back"), TEXT)
def test_text_is_readable(scheme: dict[str, str], front: str, back: str) -> None:
    """Every text stands out from its ground by 4.5 to 1 (WCAG 2.2, 1.4.3 AA)."""
    assert contrast(scheme[front], scheme[back]) >= 4.5


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("front", "back"), SIGNS)
def test_signs_are_visible(scheme: dict[str, str], front: str, back: str) -> None:
    """Bars and signs stand out by 3 to 1 (WCAG 2.2, 1.4.11 AA)."""
    assert contrast(scheme[front], scheme[back]) >= 3


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
def test_heat_goes_one_way(scheme: dict[str, str]) -> None:
    """Each level of heat stands out more from the empty map than the one before, by a step that is seen without colour."""
    steps = [contrast(scheme[f"heat-{level}"], scheme["rail"]) for level in (1, 2, 3, 4)]
    assert all(later >= 1.35 * earlier for earlier, later in pairwise(steps)), steps
    assert steps[0] >= 1.15


def test_motion_can_be_refused() -> None:
    """Nothing moves but under prefers-reduced-motion: no-preference."""
    still = CSS.replace(CSS[CSS.index("@media (prefers-reduced-motion: no-preference)") : CSS.index("@keyframes")], "")
    assert not re.search(r"\b(animation|transition)\b", still)
