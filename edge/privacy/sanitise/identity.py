"""Who somebody is, in text: telephone, e-mail, resident id, IBAN, WeChat's and Alipay's ids; each in its normal form."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from unicodedata import normalize

import phonenumbers
from phonenumbers import PhoneNumberFormat

from edge.privacy.sanitise.finds import Find, Identity, IdentityKind, Rank
from edge.privacy.sanitise.iban import iban, ibans
from edge.privacy.sanitise.national_ids import resident_id, resident_ids
from edge.privacy.sanitise.phones import phones_in
from edge.privacy.sanitise.spared import mask_short, mask_spared
from edge.privacy.sanitise.view import View, view_of
from edge.sealed.identifier import IdentifierKind, NotAnIdentifier, identifier

__all__ = ["find", "identities_in", "named_identity"]


def find(text: str, *, region: str) -> list[Find]:
    """Every identifier in `text`; `region` (ISO 3166-1) is that of phone numbers without a country."""
    view = view_of(text)
    return list(identities_in(view, mask_spared(view.plain), region=region, certain=()))


def identities_in(view: View, masked: str, *, region: str, certain: Iterable[tuple[int, int]]) -> Iterator[Find]:
    """The same for a text's view; `masked` is what it reads without what is spared, `certain` where cards surely are."""
    checked = list(_checked(view.plain))
    for start, end, identity in checked:
        yield Find(*view.span(start, end), Rank.CHECKED, identity)
    taken = _Taken([*certain, *(view.span(start, end) for start, end, _ in checked)])
    short = mask_short(masked)
    for start, end, number in phones_in(short, region=region, taken=lambda start, end: taken(*view.span(start, end))):
        yield Find(*view.span(start, end), Rank.PHONE, Identity(IdentityKind.PHONE, _e164(number)))


def named_identity(kind: IdentityKind, written: str, *, region: str) -> Identity:
    """What a field holds that is named for `kind`; with an empty value where it has no normal form."""
    if kind in _IDENTIFIERS:
        return Identity(kind, _normal(_IDENTIFIERS[kind], written, region=region))
    plain = " ".join(normalize("NFKC", view_of(written).plain).split())
    if kind is IdentityKind.IBAN:
        plain = iban(plain) or ""
    if kind is IdentityKind.NATIONAL_ID and (known := resident_id(plain)) is not None:
        return Identity(IdentityKind.RESIDENT_ID, known)
    return Identity(kind, plain)


_IDENTIFIERS = {
    IdentityKind(kind.value): kind for kind in IdentifierKind if kind.value in {one.value for one in IdentityKind}
}

_LOCAL = r"[^\x00-\x20\x7f()<>\[\]{}:;@\\,\"'=|/&\s，。；：、？！（）《》【】“”]"
_EMAIL = re.compile(
    rf"(?<!{_LOCAL})(?:[\u3000-\u9fff]++(?=[A-Za-z0-9]))?+(?P<address>{_LOCAL}++@"
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]*+)(?:\.[A-Za-z0-9-]++)++(?!\.[^\W_])|[^\W_](?:[\w-]*+)(?:\.[^\W_][\w-]*+)++))"
)
"""A local part begins where nothing of its kind stands before: found in one pass. Chinese has no space before an address."""

_OPENID = re.compile(
    r"(?<![\w-])o(?=[\w-]{0,26}[0-9])(?=[\w-]{0,26}[A-Z])(?=[\w-]{0,26}[a-z])[A-Za-z0-9_-]{27}(?![\w-])"
)
"""OpenID and UnionID: 28 characters that begin with o; told from a word by digits and letters of both kinds."""

_WXID = re.compile(r"(?<![A-Za-z0-9_-])wxid_[a-z0-9]{6,20}(?![A-Za-z0-9_-])")
_SHORTEST_CHECKED = 11
"""`wxid_` and six more; the others have fifteen at least."""
_ALIPAY = re.compile(r"(?<![0-9])2088[0-9]{12}(?![0-9])")


def _checked(plain: str) -> Iterator[tuple[int, int, Identity]]:
    if "@" in plain:
        for found in _EMAIL.finditer(plain):
            address = found["address"].strip(".")
            yield *found.span("address"), Identity(IdentityKind.EMAIL, _normal(IdentifierKind.EMAIL, address))
    if len(plain) < _SHORTEST_CHECKED:
        return
    for start, end, normal in resident_ids(plain):
        yield start, end, Identity(IdentityKind.RESIDENT_ID, normal)
    for start, end, normal in ibans(plain):
        yield start, end, Identity(IdentityKind.IBAN, normal)
    for pattern, kind in (
        (_OPENID, IdentityKind.WECHAT_OPENID),
        (_WXID, IdentityKind.WECHAT_ID),
        (_ALIPAY, IdentityKind.ALIPAY),
    ):
        for found in pattern.finditer(plain):
            yield *found.span(), Identity(kind, found[0])


def _normal(kind: IdentifierKind, written: str, *, region: str | None = None) -> str:
    try:
        return identifier(kind, written, region=region).value
    except NotAnIdentifier:
        return ""


def _e164(number: phonenumbers.PhoneNumber | None) -> str:
    return "" if number is None else phonenumbers.format_number(number, PhoneNumberFormat.E164)


class _Taken:
    """Whether a stretch lies within one of several that are known."""

    def __init__(self, stretches: list[tuple[int, int]]) -> None:
        self._stretches = sorted(stretches)

    def __call__(self, start: int, end: int) -> bool:
        at = bisect_right(self._stretches, (start, 1 << 62)) - 1
        return at >= 0 and self._stretches[at][0] <= start and end <= self._stretches[at][1]
