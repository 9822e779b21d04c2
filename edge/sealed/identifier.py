"""What tells who a customer is, in one form however it was written: two of them are compared for equality and nothing else.

Nothing is repaired: what is not surely an identifier is refused, since a wrong one joins two people. Provider's own
habits (dots in an address, a tag after `+`) are left alone: who gives two addresses may mean to be two.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

import idna
import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from edge.errors import ThresholdError

__all__ = ["Identifier", "IdentifierKind", "NotAnIdentifier", "identifier"]


class IdentifierKind(StrEnum):
    """What can tell a customer."""

    MEMBER = "member"
    WECHAT_UNIONID = "wechat_unionid"
    """One for each person and WeChat Open Platform account, over all of the brand's apps."""
    WECHAT_OPENID = "wechat_openid"
    """One for each person and app."""
    ALIPAY = "alipay"
    """Alipay's `user_id` (2088 and twelve digits), or the `open_id` that newer apps get in its place."""
    EMAIL = "email"
    PHONE = "phone"


class NotAnIdentifier(ThresholdError):
    """What was given identifies nobody. Does not repeat it."""

    def __init__(self, kind: IdentifierKind, remedy: str) -> None:
        super().__init__("read identifier", f"that is no {kind.value.replace('_', ' ')}", remedy)
        self.kind = kind


@dataclass(frozen=True, slots=True, order=True)
class Identifier:
    """One identifier in its normal form; make it with `identifier`. Its `repr` shows the kind alone."""

    kind: IdentifierKind
    value: str = field(repr=False)

    @property
    def text(self) -> str:
        """Kind and value in one word: what is sealed, and what tokens are made of."""
        return f"{self.kind.value}:{self.value}"

    @classmethod
    def from_text(cls, text: str) -> Self:
        """What `text` gave. It is not normalised again: for what a store has sealed, and nothing that people wrote.

        Raises:
            ValueError: it is no such text; says nothing of it.
        """
        kind, _, value = text.partition(":")
        if kind not in _KINDS or not value:
            raise ValueError("no identifier's text")
        return cls(IdentifierKind(kind), value)


def identifier(kind: IdentifierKind, written: str, *, region: str | None = None) -> Identifier:
    """The identifier that somebody wrote as `written`. `region` (ISO 3166-1) is that of phone numbers without a country.

    Raises:
        NotAnIdentifier: it is none of that kind.
    """
    plain = _visible(written[: _LONGEST + 1])
    if max(len(written), len(plain)) > _LONGEST or not plain.isprintable():
        raise NotAnIdentifier(kind, "it is too long, or holds control characters")
    match kind:
        case IdentifierKind.PHONE:
            value = _phone(plain, region)
        case IdentifierKind.EMAIL:
            value = _email(plain)
        case IdentifierKind.MEMBER:
            value = _member(plain)
        case IdentifierKind.WECHAT_UNIONID | IdentifierKind.WECHAT_OPENID:
            value = _assigned(
                kind, plain, pattern=_WECHAT, remedy="WeChat gives letters, digits, - and _, 28 as a rule"
            )
        case IdentifierKind.ALIPAY:
            value = _assigned(kind, plain, pattern=_ALIPAY, remedy="Alipay gives 2088 and twelve digits, or an open_id")
    return Identifier(kind, value)


_KINDS = frozenset(kind.value for kind in IdentifierKind)
_LONGEST = 254
_LOCAL_OCTETS = 64
"""RFC 5321, 4.5.3.1: of the part before the @; 254 is what remains of a path's 256."""

_LOCAL = re.compile(r"[^\x00-\x20\x7f()<>\[\]:;@\\,.\"\s]+(\.[^\x00-\x20\x7f()<>\[\]:;@\\,.\"\s]+)*")
"""Dot-atom (RFC 5322, 3.2.3), and what lies beyond ASCII (RFC 6531). Quoted ones, which nobody has, are refused."""

_MEMBER = re.compile(r"(?!(.)\1*$)[A-Z0-9]{4,32}")
_BETWEEN = re.compile(r"[\s\-._/]")
_WECHAT = re.compile(r"(?![0-9]*$)[A-Za-z0-9_-]{20,128}")
_ALIPAY = re.compile(r"2088[0-9]{12}|(?![0-9]*$)[A-Za-z0-9_-]{24,128}")

_NOBODYS = frozenset(
    {
        PhoneNumberType.TOLL_FREE,
        PhoneNumberType.PREMIUM_RATE,
        PhoneNumberType.SHARED_COST,
        PhoneNumberType.UAN,
        PhoneNumberType.VOICEMAIL,
        PhoneNumberType.PAGER,
    }
)


def _visible(written: str) -> str:
    """Full-width letters made plain, and without the invisible marks that come along when a number is copied."""
    plain = unicodedata.normalize("NFKC", written)
    return "".join(letter for letter in plain if unicodedata.category(letter) != "Cf").strip()


def _phone(plain: str, region: str | None) -> str:
    """E.164 (ITU-T), and a number that its country has given out. Hotlines and extensions are many people's: refused."""
    kind = IdentifierKind.PHONE
    try:
        number = phonenumbers.parse(plain, region)
    except phonenumbers.NumberParseException:
        raise NotAnIdentifier(kind, "write it with + and the country, or as one calls it there") from None
    if number.extension:
        raise NotAnIdentifier(kind, "a number with an extension is a switchboard's")
    if not phonenumbers.is_valid_number(number) or phonenumbers.number_type(number) in _NOBODYS:
        raise NotAnIdentifier(kind, "no such number is given out to people there")
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def _email(plain: str) -> str:
    """Lower case, its domain in A-labels (IDNA 2008, RFC 5890). Not `casefold`, to which ß is ss: another's mailbox."""
    kind = IdentifierKind.EMAIL
    local, _, domain = plain.lower().rpartition("@")
    if _LOCAL.fullmatch(local) is None or len(local.encode()) > _LOCAL_OCTETS:
        raise NotAnIdentifier(kind, "write name@domain")
    try:
        ascii_domain = idna.encode(domain, uts46=True).decode()
    except UnicodeError:  # IDNAError is one; its text would quote the address
        raise NotAnIdentifier(kind, "its domain is none") from None
    if "." not in ascii_domain or ascii_domain.rpartition(".")[2].isdigit():
        raise NotAnIdentifier(kind, "its domain is none")
    return f"{unicodedata.normalize('NFC', local)}@{ascii_domain}"


def _member(plain: str) -> str:
    """Capitals and digits, nothing between them. One and the same character all along is what a till was filled up with."""
    value = _BETWEEN.sub("", plain).upper()
    if _MEMBER.fullmatch(value) is None:
        raise NotAnIdentifier(IdentifierKind.MEMBER, "it has 4 to 32 letters and digits, and not the same all along")
    return value


def _assigned(kind: IdentifierKind, plain: str, *, pattern: re.Pattern[str], remedy: str) -> str:
    """What a platform has given out: case counts, nothing is normalised."""
    if pattern.fullmatch(plain) is None:
        raise NotAnIdentifier(kind, remedy)
    return plain
