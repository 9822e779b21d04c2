"""All detectors over one text: what goes, and where it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator

from edge.privacy.sanitise.card_numbers import cards_in
from edge.privacy.sanitise.finds import Find, Rank, Settled, settle
from edge.privacy.sanitise.forbidden import forbidden_in
from edge.privacy.sanitise.identity import identities_in
from edge.privacy.sanitise.spared import is_spared, mask_spared
from edge.privacy.sanitise.view import View, escaped_view, view_of

__all__ = ["plainly_harmless", "scan", "scan_cards"]


def scan(text: str, *, region: str, article: bool = False) -> list[Settled]:
    """Every stretch of `text` that has to go, in order; `article`: an article's number is what is expected there."""
    if plainly_harmless(text):
        return []
    view = view_of(text)
    finds = list(_finds(view, region=region, article=article)) if _WORTH.search(view.plain) is not None else []
    escaped = escaped_view(text)
    if escaped is not None:
        finds += _finds(escaped, region=region, article=article)
    return list(settle(finds)) if finds else []


def scan_cards(text: str) -> list[Find]:
    """What is no identity in `text`: of each stretch that has to go the finds to be told."""
    if plainly_harmless(text):
        return []
    views = [view for view in (view_of(text), escaped_view(text)) if view is not None]
    finds = [find for view in views for find in _of_cards(view, mask_spared(view.plain), article=False)]
    return [find for stretch in settle(finds) for find in stretch.told]


def plainly_harmless(text: str) -> bool:
    """Whether one look tells that there is nothing to hide in `text`."""
    return text.isascii() and (_HINT.search(text) is None or is_spared(text))


_HINT = re.compile(r"[0-9@]")
"""What has neither is no number, no code and no address; WeChat's ids without a digit are known by their field."""

_WORTH = re.compile(
    r"@|[0-9](?:[\W_]*+[0-9]){6}|[\w-]{28}|wxid_|[Cc][VvAaSs][VvCcNn2]|[Pp][Ii][Nn]|[Cc][Oo][Dd][Ee]|[Vv][Aa][Ll][Uu][Ee]|码"
)
"""Every find has one of these in it: a cheap no for most texts."""


def _finds(view: View, *, region: str, article: bool) -> Iterator[Find]:
    masked = mask_spared(view.plain)
    cards = list(_of_cards(view, masked, article=article))
    yield from cards
    certain = [(find.start, find.end) for find in cards if find.rank <= Rank.CARD]
    yield from identities_in(view, masked, region=region, certain=certain)


def _of_cards(view: View, masked: str, *, article: bool) -> Iterator[Find]:
    yield from forbidden_in(view)
    yield from cards_in(view, masked, article=article)
