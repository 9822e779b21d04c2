"""The style sheet's colours can be told apart by everybody, by day, by night and in high contrast."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import edge.consent.kiosk

CSS = (Path(edge.consent.kiosk.__file__).parent / "static" / "kiosk.css").read_text("utf-8")
PALETTES = CSS.split("*,\n*::before", 1)[0]
LIGHT, DARK, HIGH, HIGH_DARK = (
    dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", part))
    for part in re.split(r':root \{|html\[data-contrast="high"\] \{', PALETTES)[1:]
)
SCHEMES = {"light": (LIGHT, 4.5), "dark": (DARK, 4.5), "high": (HIGH, 7.0), "high-dark": (HIGH_DARK, 7.0)}
TEXT = [
    ("ink", "paper"), ("ink", "card"), ("ink", "tint"), ("soft", "paper"), ("soft", "card"), ("soft", "tint"),
    ("main", "paper"), ("main", "card"), ("main", "tint"), ("on-main", "main"), ("back", "card"), ("back", "paper"),
    ("good", "good-tint"), ("good", "card"), ("warn", "warn-tint"), ("warn", "tint"),
]  # fmt: skip
SIGNS = [("control", "card"), ("control", "paper"), ("main", "card"), ("on-main", "main"), ("back", "card")]


def luminance(colour: str) -> float:
    """Relative luminance by WCAG 2.2."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """The ratio of WCAG 2.2."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(("front", "back"), TEXT)
def test_text_is_readable(scheme: str, front: str, back: str) -> None:
    """Text stands out by 4.5 to 1 (WCAG 2.2, 1.4.3 AA), in high contrast by 7 to 1 (1.4.6 AAA)."""
    colours, least = SCHEMES[scheme]
    assert contrast(colours[front], colours[back]) >= least


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(("front", "back"), SIGNS)
def test_signs_are_visible(scheme: str, front: str, back: str) -> None:
    """Borders of fields, switches and signs stand out by 3 to 1 (WCAG 2.2, 1.4.11 AA)."""
    colours, _ = SCHEMES[scheme]
    assert contrast(colours[front], colours[back]) >= 3


def test_motion_can_be_refused() -> None:
    """Nothing moves but under prefers-reduced-motion: no-preference."""
    start = CSS.index("@media (prefers-reduced-motion: no-preference)")
    still = CSS[:start] + CSS[CSS.index("@media print") :]
    assert not re.search(r"\b(animation|transition)\b", still)
