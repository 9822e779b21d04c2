"""How the pages look to one visitor: language, size of type, contrast. A cookie that says nothing else remembers it.

It lasts as long as the browser's session, and at the kiosk no longer than the visit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal, Self, get_args

from edge.serving.language import DEFAULT_LANGUAGE, Language, accepted_language, known_language

__all__ = ["LOOK_COOKIE", "Look"]

Size = Literal["normal", "large"]
Contrast = Literal["normal", "high"]

LOOK_COOKIE: Final = "threshold_look"
_SIZES: Final[Mapping[str, Size]] = {size: size for size in get_args(Size)}
_CONTRASTS: Final[Mapping[str, Contrast]] = {contrast: contrast for contrast in get_args(Contrast)}


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
