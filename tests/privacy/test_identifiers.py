"""However an identifier is written it has one form; what is none is refused; no two stores share a token."""

from __future__ import annotations

from pathlib import Path

import phonenumbers
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from edge.privacy.identifiers import Identifier, IdentifierKind, NotAnIdentifier, identifier, store_token
from edge.privacy.keyring import Keyring

UNTIMED = settings(deadline=None)
MEMBER, PHONE, EMAIL = IdentifierKind.MEMBER, IdentifierKind.PHONE, IdentifierKind.EMAIL
UNIONID, OPENID, ALIPAY = IdentifierKind.WECHAT_UNIONID, IdentifierKind.WECHAT_OPENID, IdentifierKind.ALIPAY


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keyrings")


@pytest.mark.parametrize(
    ("written", "region", "value"),
    [
        ("138 1234 5678", "CN", "+8613812345678"),
        ("+86-138-1234-5678", None, "+8613812345678"),
        ("0086 13812345678", "CN", "+8613812345678"),
        ("１３８１２３４５６７８", "CN", "+8613812345678"),
        ("＋８６ １３８ １２３４ ５６７８", None, "+8613812345678"),
        ("(030) 901820", "DE", "+4930901820"),
        ("tel:+49-30-901820", None, "+4930901820"),
        ("06 698 12345", "IT", "+390669812345"),
        ("\u202d138 1234 5678\u202c", "CN", "+8613812345678"),
        ("+1 (212) 555-2368", "DE", "+12125552368"),
    ],
)
def test_a_phone_number_is_e164(written: str, region: str | None, value: str):
    """Spaces, brackets, full-width digits, the country or none: one number."""
    assert identifier(PHONE, written, region=region).value == value


@pytest.mark.parametrize(
    ("written", "region"),
    [
        ("13812345678", None),  # of which country?
        ("12345", "CN"),
        ("23812345678", "CN"),
        ("+49 30 901820 ext. 12", None),
        ("+1 800 253 0000", None),
        ("400-810-8888", "CN"),
        ("call me", "CN"),
        ("", "CN"),
        ("1" * 400, "CN"),
        ("13812345678", "XX"),
    ],
)
def test_what_is_nobodys_number_is_refused(written: str, region: str | None):
    """Hotlines, switchboards, numbers that are not given out: each would join strangers."""
    with pytest.raises(NotAnIdentifier):
        identifier(PHONE, written, region=region)


@UNTIMED
@given(
    region=st.sampled_from(["CN", "DE", "FR", "GB", "US", "JP", "BR"]),
    nudge=st.integers(0, 99),
    style=st.integers(0, 2),
)
def test_every_way_of_writing_a_number_is_the_same(region: str, nudge: int, style: int):
    """As it is called at home, from abroad, or in E.164; and normalising again changes nothing."""
    number = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
    assert number is not None
    number.national_number += nudge
    assume(phonenumbers.is_valid_number(number))
    formats = phonenumbers.PhoneNumberFormat
    written = phonenumbers.format_number(number, (formats.NATIONAL, formats.INTERNATIONAL, formats.RFC3966)[style])
    found = identifier(PHONE, written, region=region)
    assert found.value == phonenumbers.format_number(number, formats.E164)
    assert identifier(PHONE, found.value) == found


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("Ada@Example.COM", "ada@example.com"),
        (" ａｄａ＠ｅｘａｍｐｌｅ．ｃｏｍ ", "ada@example.com"),
        ("o'hara+shop@mail.example.com", "o'hara+shop@mail.example.com"),
        ("kasse@straße.de", "kasse@xn--strae-oqa.de"),
        ("kasse@strasse.de", "kasse@strasse.de"),
        ("Weiß@example.com", "weiß@example.com"),
        ("用户@例子.广告", "用户@xn--fsqu00a.xn--4rr70v"),
        ("e\u0301va@example.com", "\u00e9va@example.com"),
    ],
)
def test_an_address_has_one_form(written: str, value: str):
    """Small letters, the domain in A-labels; two mailboxes stay two."""
    assert identifier(EMAIL, written).value == value


@pytest.mark.parametrize(
    "written",
    [
        *("", "ada", "ada@", "@example.com", "a b@example.com", "ada@example", "a@b@example.com", "ada.@example.com"),
        *(".ada@example.com", "a..b@example.com", '"a b"@example.com', "ada@1.2.3.4", "ada@exa_mple.com", "ada@-a.com"),
        *(
            "a" * 65 + "@example.com",
            "a@" + "b" * 250 + ".com",
            "ada@example..com",
            "\ud800@example.com",
            "a\x00@b.com",
        ),
    ],
)
def test_what_is_no_address_is_refused(written: str):
    """And nothing of it is repeated."""
    with pytest.raises(NotAnIdentifier) as caught:
        identifier(EMAIL, written)
    assert str(caught.value) in {
        f"read identifier: that is no email; {remedy}"
        for remedy in ("write name@domain", "its domain is none", "it is too long, or holds control characters")
    }
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("kind", "written", "value"),
    [
        (MEMBER, " 0012-3456 ", "00123456"),
        (MEMBER, "ab 12.34", "AB1234"),
        (MEMBER, "ＡＢ１２３４", "AB1234"),
        (UNIONID, "oGm3P5qk_7Zb-XyAbCdEfGhIjKlM", "oGm3P5qk_7Zb-XyAbCdEfGhIjKlM"),
        (OPENID, "o6_bmjrPTlm6_2sgVt7hMZOPfL2M", "o6_bmjrPTlm6_2sgVt7hMZOPfL2M"),
        (ALIPAY, "2088102146225135", "2088102146225135"),
        (ALIPAY, "074a1CcTG1LelxKe4xQC0zgNdId0nxi95b5lsNpazWYoCo5", "074a1CcTG1LelxKe4xQC0zgNdId0nxi95b5lsNpazWYoCo5"),
    ],
)
def test_what_a_platform_gave_out_is_kept(kind: IdentifierKind, written: str, value: str):
    """A member number loses what people write in between; a platform's id is what it is, capitals and all."""
    assert identifier(kind, written).value == value


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        (MEMBER, "0000 0000"),
        (MEMBER, "123"),
        (MEMBER, "12;34"),
        (MEMBER, ""),
        (OPENID, "13812345678901234567890"),
        (UNIONID, "short"),
        (ALIPAY, "2089102146225135"),
        (ALIPAY, "ada@example.com"),
    ],
)
def test_fillers_and_others_numbers_are_refused(kind: IdentifierKind, written: str):
    """A till that must have a member number gets zeros."""
    with pytest.raises(NotAnIdentifier):
        identifier(kind, written)


@UNTIMED
@given(kind=st.sampled_from(IdentifierKind), written=st.text(max_size=300), region=st.sampled_from(["CN", "DE", None]))
def test_any_text_is_taken_or_refused(kind: IdentifierKind, written: str, region: str | None):
    """Nothing but `NotAnIdentifier` comes of it; what was taken is taken again unchanged, and goes through its text."""
    try:
        found = identifier(kind, written, region=region)
    except NotAnIdentifier:
        return
    assert identifier(kind, found.value) == found
    assert Identifier.from_text(found.text) == found


@UNTIMED
@given(text=st.text(max_size=40))
def test_no_other_text_is_an_identifiers(text: str):
    """`from_text` takes a known kind and a value, else says nothing of what it got."""
    kind, _, value = text.partition(":")
    assume(not value or kind not in {one.value for one in IdentifierKind})
    with pytest.raises(ValueError, match=r"^no identifier's text$"):
        Identifier.from_text(text)


def test_a_repr_shows_the_kind_alone():
    """It may end in a log."""
    assert repr(identifier(PHONE, "+8613812345678")) == "Identifier(kind=<IdentifierKind.PHONE: 'phone'>)"


def test_two_stores_share_no_token(folder: Path):
    """Not with keyrings of their own, and not where a disk image gave both the same one."""
    one, other = Keyring.open(folder / "one.json"), Keyring.open(folder / "other.json")
    phone = identifier(PHONE, "+8613812345678")
    tokens = {
        store_token(phone, keyring=one, store="berlin-1"),
        store_token(phone, keyring=other, store="berlin-1"),
        store_token(phone, keyring=one, store="berlin-2"),
    }
    assert len(tokens) == 3


@UNTIMED
@given(text=st.tuples(st.sampled_from(IdentifierKind), st.text("0123456789ab:", min_size=1, max_size=9)))
def test_a_token_is_the_stores_own_name_for_one_identifier(folder: Path, text: tuple[IdentifierKind, str]):
    """The same again for the same one, over a rotation too; another for any other kind; nothing of it can be read."""
    keyring = Keyring.open(folder / "same.json")
    named = {kind: store_token(Identifier(kind, text[1]), keyring=keyring, store="s") for kind in IdentifierKind}
    assert len(set(named.values())) == len(IdentifierKind)
    again = Keyring.open(folder / "same.json")
    assert store_token(Identifier(*text), keyring=again, store="s") == named[text[0]]
    assert len(named[text[0]]) == 28
    assert named[text[0]].startswith("i_")


def test_a_token_outlives_a_rotation(tmp_path: Path):
    """Rotating changes what wraps and signs, not what a store calls its customers."""
    from edge.clock import utc_now

    keyring, phone = Keyring.open(tmp_path / "keyring.json"), identifier(PHONE, "+8613812345678")
    before = store_token(phone, keyring=keyring, store="s")
    keyring.rotate(utc_now())
    assert store_token(phone, keyring=Keyring.open(tmp_path / "keyring.json"), store="s") == before
