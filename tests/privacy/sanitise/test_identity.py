"""Identifiers are found as people write them, and told in the form that two of them are compared in."""

from __future__ import annotations

from datetime import date

import phonenumbers
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from edge.privacy.sanitise.finds import Identity, IdentityKind
from edge.privacy.sanitise.iban import iban
from edge.privacy.sanitise.national_ids import resident_id

K = IdentityKind


@pytest.mark.parametrize(
    ("text", "left", "found"),
    [
        ("call 138 1234 5678 now", "call [phone] now", [(K.PHONE, "+8613812345678")]),
        ("手机13812345678，谢谢", "手机[phone]，谢谢", [(K.PHONE, "+8613812345678")]),
        ("+86-138-1234-5678", "[phone]", [(K.PHONE, "+8613812345678")]),
        ("8613812345678", "[phone]", [(K.PHONE, "+8613812345678")]),
        ("１３８１２３４５６７８", "[phone]", [(K.PHONE, "+8613812345678")]),
        ("138\u200b1234\u200b5678", "[phone]", [(K.PHONE, "+8613812345678")]),
        ("(010) 6278-5001", "[phone]", [(K.PHONE, "+861062785001")]),
        ("13812345678 / 13900000001", "[phone] / [phone]", [(K.PHONE, "+8613812345678"), (K.PHONE, "+8613900000001")]),
        ("from +49 30 901820.", "from [phone].", [(K.PHONE, "+4930901820")]),
        ("Ada@Example.COM, or", "[email], or", [(K.EMAIL, "ada@example.com")]),
        ("邮箱ada@example.com联系", "邮箱[email]联系", [(K.EMAIL, "ada@example.com")]),
        ("ａｄａ＠ｅｘａｍｐｌｅ．ｃｏｍ", "[email]", [(K.EMAIL, "ada@example.com")]),
        ("用户@例子.广告", "[email]", [(K.EMAIL, "用户@xn--fsqu00a.xn--4rr70v")]),
        ("mailto:ada%40example.com", "mailto:[email]", [(K.EMAIL, "ada@example.com")]),
        ("身份证11010519491231002x。", "身份证[resident_id]。", [(K.RESIDENT_ID, "11010519491231002X")]),
        ("440524 18800101 0014", "[resident_id]", [(K.RESIDENT_ID, "440524188001010014")]),
        ("IBAN DE89 3704 0044 0532 0130 00 please", "IBAN [iban] please", [(K.IBAN, "DE89370400440532013000")]),
        ("gb29nwbk60161331926819", "[iban]", [(K.IBAN, "GB29NWBK60161331926819")]),
        ("id o6_bmjrPTlm6_2sgVt7hMZOPfL2M", "id [wechat_openid]", [(K.WECHAT_OPENID, "o6_bmjrPTlm6_2sgVt7hMZOPfL2M")]),
        ("wxid_a1b2c3d4e5f622", "[wechat_id]", [(K.WECHAT_ID, "wxid_a1b2c3d4e5f622")]),
        ("buyer 2088102146225135", "buyer [alipay]", [(K.ALIPAY, "2088102146225135")]),
    ],
)
def test_identifiers_in_text(sanitiser, text: str, left: str, found: list[tuple[IdentityKind, str]]):
    """Replaced where they stand, and given back normalised."""
    cleaned = sanitiser.clean(text)
    assert cleaned.value == left
    assert [(one.kind, one.value) for one in cleaned.identities] == found


@pytest.mark.parametrize(
    "text",
    [
        "order 20261003 of 3",
        "session 483920",
        "2026-10-03, 10:20",
        "192.168.178.201 port 8443",
        "11010519491231002Y",
        "110105194912310027",
        "DE88 3704 0044 0532 0130 00",
        "operationsManagersChecklists",
        "ada@localhost",
        "12.50 13.00 45.20",
        "3 x 129.00 = 387.00",
        "R-2026-004711",
    ],
)
def test_what_only_looks_like_it_stays(sanitiser, text: str):
    """Slips, moments, addresses of machines, wrong check digits."""
    assert sanitiser.clean(text).value is text


@given(
    region=st.sampled_from(["CN", "DE", "FR", "GB", "US", "JP", "BR", "IT", "HK"]),
    nudge=st.integers(0, 99),
    style=st.integers(0, 2),
    around=st.tuples(st.text("abc 汉,;", max_size=9), st.text("abc 汉,;", max_size=9)),
)
def test_a_number_is_found_however_it_is_dialled(
    sanitiser_in, region: str, nudge: int, style: int, around: tuple[str, str]
):
    """Mobile numbers of a region as called at home or from abroad."""
    number = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
    number.national_number += nudge
    assume(phonenumbers.is_valid_number(number))
    formats = phonenumbers.PhoneNumberFormat
    e164, at_home, abroad = (
        phonenumbers.format_number(number, one) for one in (formats.E164, formats.NATIONAL, formats.INTERNATIONAL)
    )
    text = around[0] + (e164, at_home, abroad)[style] + around[1]
    assert Identity(K.PHONE, e164) in sanitiser_in(region).clean(text).identities


@given(
    local=st.from_regex(r"[a-z0-9]([a-z0-9._+-]{0,20}[a-z0-9])?", fullmatch=True),
    around=st.tuples(st.text(), st.text()),
)
def test_an_address_never_survives(sanitiser, local: str, around: tuple[str, str]):
    """Whatever stands around it."""
    address = f"{local}@mail.example.com"
    assert address not in sanitiser.clean(around[0] + address + around[1]).value


@given(
    born=st.dates(date(1800, 1, 1), date(2099, 12, 31)), region=st.integers(100000, 999999), order=st.integers(0, 999)
)
def test_a_resident_id_never_survives(sanitiser, born, region: int, order: int):
    """Any with a right check character, in GB 11643's form."""
    body = f"{region}{born:%Y%m%d}{order:03d}"
    full = next(body + check for check in "0123456789X" if resident_id(body + check))
    cleaned = sanitiser.clean(f"no. {full}!")
    assert cleaned.identities == (Identity(K.RESIDENT_ID, full),)
    assert cleaned.value == "no. [resident_id]!"


@pytest.mark.parametrize(
    "written",
    [
        "NO93 8601 1117 947",
        "BE68539007547034",
        "MT84MALT011000012345MTLCAST001S",
        "FR1420041010050500013M02606",
        "CH93 0076 2011 6238 5295 7",
    ],
)
def test_ibans_of_the_registry(written: str):
    """Its own examples pass, and fail with two characters exchanged."""
    plain = written.replace(" ", "")
    assert iban(written) == plain
    assert iban(plain[:-2] + plain[-1] + plain[-2]) is None or plain[-1] == plain[-2]


@pytest.mark.parametrize(
    ("name", "value", "kind", "normal"),
    [
        ("phone", "5550-1", K.PHONE, None),
        ("Telephone", "13812345678", K.PHONE, "+8613812345678"),
        ("mobile_no", 13812345678, K.PHONE, "+8613812345678"),
        ("手机号", "13812345678", K.PHONE, "+8613812345678"),
        ("EMailAddress", "ADA@example.com", K.EMAIL, "ada@example.com"),
        ("member_number", "0012-3456", K.MEMBER, "00123456"),
        ("member_number", "1234567890123452", K.MEMBER, "1234567890123452"),
        ("LoyaltyAccountID", "ab 12.34", K.MEMBER, "AB1234"),
        ("wechat_id", "ada_lovelace", K.WECHAT_ID, "ada_lovelace"),
        ("openid", "o6_bmjrPTlm6_2sgVt7hMZOPfL2M", K.WECHAT_OPENID, "o6_bmjrPTlm6_2sgVt7hMZOPfL2M"),
        ("unionId", "oGm3P5qk_7Zb-XyAbCdEfGhIjKlM", K.WECHAT_UNIONID, "oGm3P5qk_7Zb-XyAbCdEfGhIjKlM"),
        ("alipay_id", "2088102146225135", K.ALIPAY, "2088102146225135"),
        ("id_card", "11010519491231002x", K.RESIDENT_ID, "11010519491231002X"),
        ("passport_number", "E12345678", K.NATIONAL_ID, "E12345678"),
        ("CardHolderName", "Ada  Lovelace", K.NAME, "Ada Lovelace"),
        ("姓名", "王小明", K.NAME, "王小明"),
        ("customer", "Ada Lovelace", K.NAME, "Ada Lovelace"),
        ("iban", "DE89 3704 0044 0532 0130 00", K.IBAN, "DE89370400440532013000"),
        ("birthday", "1815-12-10", K.PERSONAL, "1815-12-10"),
    ],
)
def test_a_field_named_for_a_person_goes_whole(sanitiser, name: str, value: object, kind: K, normal: str | None):
    """Even where what it holds has no form that could be told."""
    cleaned = sanitiser.clean({"x": {name: value}})
    assert cleaned.value["x"][name] in {f"[{kind.value}]", f"[{K.NATIONAL_ID.value}]"}
    assert cleaned.identities == (() if normal is None else (Identity(kind, normal),))


def test_a_card_number_in_a_persons_field_is_not_sealed_as_one(sanitiser):
    """It stays a card's, and the field goes whole."""
    cleaned = sanitiser.clean({"member_number": "4111 1111 1111 1111", "customer_name": "ADA 4111111111111111"})
    assert cleaned.identities == ()
    assert len(cleaned.cards) == 1
    assert "ADA" not in repr(cleaned.value)


def test_all_of_a_customers_record_is_personal(sanitiser):
    """What has no name of its own goes as well; what is about the membership stays."""
    record = {
        "name": "Ada",
        "id": "K-4711",
        "company": "Analytical Engines",
        "vip": True,
        "language": "en",
        "address": {"street": "Dorset St", "city": "London"},
    }
    cleaned = sanitiser.clean({"customer": record})
    assert cleaned.value["customer"] == {
        "name": "[name]",
        "id": "[member]",
        "company": "[personal]",
        "vip": True,
        "language": "en",
        "address": {"street": "[personal]", "city": "[personal]"},
    }


def test_a_poslog_customer_is_personal(sanitiser):
    """The same in the elements of an XML document."""

    def element(tag: str, text: str = "", *children: dict, **attributes: str) -> dict:
        return {
            "tag": "{http://www.nrf-arts.org/IXRetail/namespace/}" + tag,
            "attributes": attributes,
            "text": text,
            "children": list(children),
        }

    name = element("Name", "", element("Name", "Ada", Location="First"))
    customer = element(
        "Customer",
        "",
        element("CustomerID", "K4711"),
        name,
        element("Telephone", "", element("LocalNumber", "13812345678")),
    )
    sale = element("RetailTransaction", "", customer, element("SequenceNumber", "4711"), Version="2.1")
    cleaned = sanitiser.clean(sale)
    assert {one.value for one in cleaned.identities} == {"K4711", "Ada", "+8613812345678"}
    assert not any(word in repr(cleaned.value) for word in ("K4711", "Ada", "138"))
    assert cleaned.value["children"][1] is sale["children"][1]
    assert cleaned.value["children"][0]["children"][1]["children"][0]["attributes"] == {"Location": "First"}


def test_a_text_of_too_many_numbers_loses_them_unseen(sanitiser):
    """Looking up is bounded: what has a number's length goes then, whether it was given out or not."""
    text = " ".join(f"0{area}-{number}" for area, number in zip(range(300, 400), range(1234567, 1234667), strict=True))
    cleaned = sanitiser.clean("; ".join(["138 1234 5678"] * 100) + "; " + text)
    assert not any(letter.isdigit() for letter in cleaned.value[-200:])


def test_a_text_of_nothing_but_digits_and_gaps_loses_them(sanitiser):
    """So many stretches are not all looked at."""
    assert sum(map(str.isdigit, sanitiser.clean("2 3 " * 5000).value)) < 5000
