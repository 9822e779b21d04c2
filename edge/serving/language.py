"""Which of the box's languages somebody wants to read."""

from __future__ import annotations

from typing import Final, Literal, get_args

__all__ = ["DEFAULT_LANGUAGE", "LANGUAGES", "Language", "accepted_language", "known_language"]

Language = Literal["en", "zh-CN"]
LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)
DEFAULT_LANGUAGE: Final[Language] = "en"
_CHOICES_READ = 20


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
