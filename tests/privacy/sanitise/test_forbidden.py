"""What must never be kept of a card goes whole, is counted, and is given to nobody to seal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.privacy.sanitise.finds import Forbidden

TRACK_1 = "%B4111111111111111^LOVELACE/ADA^2512101123400001230000000000000?"
TRACK_2 = ";4111111111111111=25121011234000012300?"


@pytest.mark.parametrize(
    "track",
    [
        TRACK_1,
        TRACK_2,
        TRACK_1[1:-1],
        TRACK_2[1:-1],
        TRACK_1 + TRACK_2,
        "4111111111111111D25121011234000012300F",
        "57134111111111111111D25121011234000012300F",
        "%B4111 1111 1111 1111^LOVELACE/ADA^2512101?",
        "%25B4111111111111111%5ELOVELACE/ADA%5E25121011234?",
    ],
)
def test_tracks_are_dropped_by_their_format(sanitiser, track: str):
    """Both tracks, with sentinels or without, and the chip's equivalent: name and number too."""
    cleaned = sanitiser.clean(f"read <{track}> ok")
    assert set(cleaned.dropped) == {Forbidden.TRACK}
    assert "LOVELACE" not in cleaned.value
    assert not any(part in cleaned.value for part in ("41111", "2512", "12300"))
    assert (cleaned.cards, cleaned.identities) == ((), ())


@given(
    before=st.text(max_size=20),
    after=st.text(max_size=20),
    track=st.sampled_from([TRACK_1, TRACK_2]),
)
def test_a_track_is_dropped_wherever_it_stands(sanitiser, before: str, after: str, track: str):
    """Anywhere in a text."""
    assert "411111111" not in sanitiser.clean(before + track + after).value


@pytest.mark.parametrize(
    ("text", "kind", "secret"),
    [
        ("cvv: 739", Forbidden.CARD_CODE, "739"),
        ("CVV2=739", Forbidden.CARD_CODE, "739"),
        ("his cvc is 739, thanks", Forbidden.CARD_CODE, "739"),
        ('{"cvv":"739"}', Forbidden.CARD_CODE, "739"),
        ("{'cvn2': 7391}", Forbidden.CARD_CODE, "7391"),
        ("<SecurityCode>739</SecurityCode>", Forbidden.CARD_CODE, "739"),
        ("安全码：739", Forbidden.CARD_CODE, "739"),
        ("CVV：７３９", Forbidden.CARD_CODE, "７３９"),
        ("card verification value 739", Forbidden.CARD_CODE, "739"),
        ("PIN 73914", Forbidden.PIN, "73914"),
        ("pin block: 0412AC89ABCDEF67", Forbidden.PIN, "0412AC89ABCDEF67"),
        ("密码：739145", Forbidden.PIN, "739145"),
    ],
)
def test_codes_are_dropped_by_the_words_before_them(sanitiser, text: str, kind: Forbidden, secret: str):
    """In free text, and in JSON or XML that nobody has parsed."""
    cleaned = sanitiser.clean(text)
    assert dict(cleaned.dropped) == {kind: 1}
    assert secret not in cleaned.value


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *[
            (name, Forbidden.CARD_CODE)
            for name in ("cvv", "CVV2", "cardCvc", "cvn2", "card_verification_code", "安全码")
        ],
        *[
            (name, Forbidden.CARD_CODE)
            for name in ("SecurityCode", "{urn:pos}CardVerificationValue", "cvvNumber", "csc")
        ],
        *[(name, Forbidden.PIN) for name in ("pin", "pin_block", "PINBlock", "encryptedPinBlock", "card-pin", "PIN")],
        *[
            (name, Forbidden.TRACK)
            for name in ("track1", "track_2", "Track2Data", "magstripe", "magnetic_stripe", "磁道信息")
        ],
    ],
)
@pytest.mark.parametrize("value", ["739", 739, "any words", b"739", ["739"], {"data": "739"}])
def test_fields_are_dropped_by_their_name(sanitiser, name: str, kind: Forbidden, value: object):
    """Whatever they hold, it goes as one."""
    cleaned = sanitiser.clean({"tender": {name: value}})
    assert dict(cleaned.dropped) == {kind: 1}
    assert cleaned.value["tender"][name].startswith("[dropped ")
    assert (cleaned.cards, cleaned.identities) == ((), ())


@pytest.mark.parametrize(
    "fields",
    [
        {"cvv_result": "M"},
        {"cvv_present": True},
        {"cvvResponseCode": "N"},
        {"pin": None},
        {"pin": ""},
        {"pin_verified": "yes"},
        {"pinPadSerial": "PP-12"},
        {"shipping": "track"},
        {"cvv": "[dropped secret]"},
        {"spinning": 12},
        {"note": "pinned at 12"},
    ],
)
def test_answers_about_a_code_are_kept(sanitiser, fields: dict[str, object]):
    """That a code was checked, and with what result, is no code."""
    cleaned = sanitiser.clean(fields)
    assert cleaned.value is fields
    assert not cleaned.anything


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "cvv", "value": "739"},
        {"key": "Track2", "content": ";1=2"},
        {"type": "PIN", "text": "7391"},
        {"tag": "{urn:x}CardVerificationCode", "attributes": {}, "text": "739", "children": []},
        {"tag": "CVV", "attributes": {"Value": "739"}, "text": "", "children": []},
        {
            "tag": "TrackData",
            "attributes": {},
            "text": "",
            "children": [{"tag": "T", "attributes": {}, "text": "739", "children": []}],
        },
    ],
)
def test_pairs_and_elements_are_fields_too(sanitiser, fields: dict[str, object]):
    """A name beside a value, an XML element's tag and its text."""
    cleaned = sanitiser.clean([fields])
    assert sum(cleaned.dropped.values()) == 1
    assert "739" not in repr(cleaned.value)
    assert set(cleaned.value[0]) == set(fields)
