"""How the pages look to one visitor: language, size of type, contrast. A cookie that says nothing else remembers it.

It lasts as long as the browser's session, and at the kiosk no longer than the visit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal, Self, get_args

from edge.consent.purposes import LANGUAGES, Language

__all__ = ["DEFAULT_LANGUAGE", "LOOK_COOKIE", "Look", "accepted_language", "known_language"]

Size = Literal["normal", "large"]
Contrast = Literal["normal", "high"]

LOOK_COOKIE: Final = "threshold_look"
DEFAULT_LANGUAGE: Final[Language] = "en"
_SIZES: Final[Mapping[str, Size]] = {size: size for size in get_args(Size)}
_CONTRASTS: Final[Mapping[str, Contrast]] = {contrast: contrast for contrast in get_args(Contrast)}
_CHOICES_READ = 20


@dataclass(frozen=True, slots=True)
class Look:
    """What a visitor wants to read with."""

    language: Language = DEFAULT_LANGUAGE
    size: Size = "normal"
    contrast: Contrast = "normal"

    @classmethod
    def of(cls, *, cookie: str | None, accept_language: str | None) -> Self:
        """What the cookie remembers; without one, the browser's own language."""
        language, _, rest = (cookie or "").partition(".")
        size, _, contrast = rest.partition(".")
        look = cls(language=accepted_language(accept_language))
        return look.with_wishes({"lang": language, "size": size, "contrast": contrast})

    def with_wishes(self, wishes: Mapping[str, str]) -> Self:
        """The same with whatever `wishes` names under `lang`, `size` and `contrast`; nonsense changes nothing."""
        return replace(
            self,
            language=known_language(wishes.get("lang")) or self.language,
            size=_SIZES.get(wishes.get("size", ""), self.size),
            contrast=_CONTRASTS.get(wishes.get("contrast", ""), self.contrast),
        )

    @property
    def cookie(self) -> str:
        """What `of` reads."""
        return f"{self.language}.{self.size}.{self.contrast}"


def known_language(tag: str | None) -> Language | None:
    """The language of ours that a tag such as `zh`, `zh-Hans-CN` or `en_GB` asks for, if any."""
    primary = (tag or "").strip().lower().replace("_", "-").partition("-")[0]
    return next((language for language in LANGUAGES if language.lower().partition("-")[0] == primary), None)


def accepted_language(header: str | None) -> Language:
    """The best of ours in an Accept-Language header (RFC 9110, 12.5.4); English where it names none, or is nonsense."""
    ranked = []
    for choice in (header or "").split(",")[:_CHOICES_READ]:
        tag, _, parameter = choice.partition(";")
        language = known_language(tag)
        if language is not None:
            ranked.append((_quality(parameter), language))
    best = max(ranked, key=lambda pair: pair[0], default=(0.0, DEFAULT_LANGUAGE))
    return best[1] if best[0] > 0 else DEFAULT_LANGUAGE


def _quality(parameter: str) -> float:
    """`q=0.8` to 0.8; 1 where it is absent, 0 (not acceptable) where it is no number from 0 to 1."""
    name, _, value = parameter.strip().partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        quality = float(value)
    except ValueError:
        return 0.0
    return quality if 0 <= quality <= 1 else 0.0
