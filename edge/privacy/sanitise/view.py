"""Text as the detectors read it: plain digits and letters, nothing invisible, escapes undone; each finds its way back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import unescape
from unicodedata import category, digit

__all__ = ["View", "escaped_view", "view_of"]


@dataclass(frozen=True, slots=True)
class View:
    """`plain` is what to search; `starts` and `ends` say where its letters stand in the text, if not in the same places."""

    plain: str
    starts: Sequence[int] | None = None
    ends: Sequence[int] | None = None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where in the text the stretch of `plain` stands; `end` is beyond `start`."""
        if self.starts is None or self.ends is None:
            return start, end
        return self.starts[start], self.ends[end - 1]


def view_of(text: str) -> View:
    """The view of `text` as it stands: any script's digits are 0 to 9, full-width letters plain, invisible ones left out."""
    if text.isascii():
        return View(text)
    plain = _OTHER_DIGIT.sub(lambda found: str(int(found[0])), text.translate(_PLAIN))
    if _INVISIBLE.search(plain) is None:
        return View(plain)
    kept = [at for at, letter in enumerate(plain) if _INVISIBLE.match(letter) is None]
    return View("".join(plain[at] for at in kept), kept, [at + 1 for at in kept])


def escaped_view(text: str) -> View | None:
    """The view with percent, XML, HTML and JSON escapes undone; None where there are none."""
    if _ESCAPE.search(text) is None:
        return None
    letters: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for letter, start, end in _letters(text):
        plain = _OTHER_DIGIT.sub(lambda found: str(int(found[0])), letter.translate(_PLAIN))
        if _INVISIBLE.match(plain) is None:
            letters.append(plain)
            starts.append(start)
            ends.append(end)
    return View("".join(letters), starts, ends)


_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u20e3\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff]"
)
"""Default ignorable code points (Unicode, DerivedCoreProperties), Hangul fillers, which count as letters, and the keycap."""

_OTHER_DIGIT = re.compile(r"(?![0-9])\d")
_ESCAPE = re.compile(
    r"(?:%[0-9A-Fa-f]{2})+|&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z]{2,8});|\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}|\\[nrt]"
)
_FULL_WIDTH = range(0xFF01, 0xFF5F)
_BLOCKS_WITH_DIGITS = (range(0xA0, 0x2800), range(0x1F100, 0x1F10D))


def _plain() -> dict[int, str]:
    """One letter for one letter, so that places stay the same; `_OTHER_DIGIT` sees to digits in other blocks."""
    table: dict[int, str] = {}
    for code in (code for block in _BLOCKS_WITH_DIGITS for code in block):
        value, kind = digit(chr(code), None), category(chr(code))
        if value is not None:
            table[code] = str(int(value))
        elif kind in ("Zs", "Zl", "Zp"):
            table[code] = " "
        elif kind == "Pd":
            table[code] = "-"
    return table | {code: chr(code - 0xFEE0) for code in _FULL_WIDTH} | {0x3000: " ", 0x2212: "-", 0xFE6B: "@"}


_PLAIN = _plain()


def _letters(text: str) -> Iterable[tuple[str, int, int]]:
    """Each letter that is meant, and from where to where it is written."""
    done = 0
    for found in _ESCAPE.finditer(text):
        for at in range(done, found.start()):
            yield text[at], at, at + 1
        yield from _meant(found[0], found.start())
        done = found.end()
    for at in range(done, len(text)):
        yield text[at], at, at + 1


def _meant(escape: str, start: int) -> Iterable[tuple[str, int, int]]:
    if escape[0] == "%":
        at = start
        for letter in bytes.fromhex(escape.replace("%", "")).decode("utf-8", "replace"):
            width = 3 * len(letter.encode()) if letter != "\ufffd" else 3
            yield letter, at, min(at + width, start + len(escape))
            at = min(at + width, start + len(escape) - 1)
        return
    if escape[0] == "&":
        meant = unescape(escape)
    elif escape[1] in "ux":
        meant = chr(int(escape[2:], 16))
    else:
        meant = " "
    for letter in meant:
        yield letter, start, start + len(escape)
