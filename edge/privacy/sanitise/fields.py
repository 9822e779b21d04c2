"""What a field's name says of its value: the words of tills, payment APIs, POSLog and Chinese forms."""

from __future__ import annotations

import re
from enum import StrEnum

from edge.privacy.sanitise.finds import Forbidden, IdentityKind

__all__ = ["Meaning", "Role", "meaning_of"]


class Role(StrEnum):
    """What a field is for that is neither forbidden nor an identity."""

    PERSON = "person"
    """The record of a customer: whatever stands in it is personal unless its name says otherwise."""
    CARD_NUMBER = "card_number"
    """Goes, whether it passes Luhn or not: a mistyped number is nearly the right one."""
    ARTICLE = "article"
    FIGURE = "figure"
    """An amount, a count or a moment: a number there is no telephone's."""


Meaning = Forbidden | IdentityKind | Role


def meaning_of(name: str, *, person: bool = False) -> Meaning | None:
    """What `name` means, None where nothing in particular. `person`: it stands in a person's record."""
    local = name[-_LONGEST:].rpartition("}")[2].rpartition(":")[2]
    words = [word.lower() for word in _WORD.findall(local)]
    joined, several = "".join(words), frozenset(words)
    for meaning, pattern, but in _NAMES:
        if pattern.search(joined) is not None and several.isdisjoint(but):
            return meaning
    for meaning, any_of, but in _WORDS:
        if not several.isdisjoint(any_of) and several.isdisjoint(but):
            return meaning
    return _of_a_person(joined, several) if person else None


def _words(told: str) -> frozenset[str]:
    return frozenset(told.split())


_LONGEST = 100
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\x00-\x7f]+")

_ABOUT = _words(
    "result response present presence status check checked entered length required match matched verified indicator "
    "capability method supported enabled tries attempts bypass bypassed type kind version"
)
"""A field about a code, which may be kept: the answer to a check is not the code."""

_NOT_SAID = _ABOUT | _words(
    "pay payment app os model valid consent hash token format country opt flag language minor amount total count"
)
_DEVICE = _ABOUT | _words("pad pads serial badge badges count")

_NAMES: tuple[tuple[Meaning, re.Pattern[str], frozenset[str]], ...] = tuple(
    (meaning, re.compile(pattern), but)
    for meaning, pattern, but in (
        (Forbidden.TRACK, "track[123]|track(?:one|two|data)|magstripe|magnetic|magstrip|stripedata|磁道|磁条", _ABOUT),
        (
            Forbidden.CARD_CODE,
            "cvv|cvc|cvn|cav2|cardcode|securitycode|verificationcode|verificationvalue|cardverification|安全码|验证码|校验码",
            _ABOUT,
        ),
        (Forbidden.PIN, "pinblock|encryptedpin|pincode|pinnumber|cardpin|pindata|密码", _DEVICE),
        (IdentityKind.EMAIL, "email|mailaddress|邮箱|邮件", _NOT_SAID),
        (IdentityKind.WECHAT_UNIONID, "unionid", _NOT_SAID),
        (IdentityKind.WECHAT_OPENID, "openid", _NOT_SAID),
        (IdentityKind.WECHAT_ID, "(?:wechat|weixin|wx)(?:id|user|account|no|number|name)|微信号", _NOT_SAID),
        (
            IdentityKind.ALIPAY,
            "alipay(?:id|uid|user|account|buyer|login|logon)|buyer(?:id|userid|logonid|openid)|支付宝账号",
            frozenset(),
        ),
        (
            IdentityKind.MEMBER,
            "member(?:ship)?(?:no|number|id|code|card)|loyalty(?:no|number|id|code|card|account)|customer(?:no|number|id)|会员",
            _NOT_SAID,
        ),
        (
            IdentityKind.NATIONAL_ID,
            "idcard|nationalid|identitycard|identity(?:no|number)|residentid|personalid|idnumber|passport|socialsecurity"
            "|driverslicen|drivinglicen|身份证|证件号|护照",
            _NOT_SAID,
        ),
        (IdentityKind.IBAN, "iban$|bankaccount|银行账号", _NOT_SAID),
        (IdentityKind.PHONE, "phone|mobile|msisdn|telefon|cellnumber|手机|电话", _NOT_SAID),
        (
            IdentityKind.NAME,
            "(?:full|first|last|family|given|middle|maiden|nick)name|surname|(?:customer|holder|buyer|shopper|recipient|contact"
            "|consignee|payer|member|cashier|operator|clerk|guest|user)name|姓名|昵称|持卡人|收货人",
            _NOT_SAID,
        ),
        (
            IdentityKind.PERSONAL,
            "(?:street|home|billing|shipping|delivery|postal|customer)address|dateofbirth|birthda|dob$|生日|地址",
            _NOT_SAID,
        ),
        (
            Role.CARD_NUMBER,
            "^pan$|card(?:no|num|number)$|primaryaccount|accountnumber|银行卡|卡号",
            frozenset({"member", "loyalty", "last", "masked"}),
        ),
        (Role.ARTICLE, "^sku|^ean|gtin|barcode|^upc|^plu|itemid|articleid|productid|条码|商品", frozenset()),
        (
            Role.PERSON,
            "^(?:customer|buyer|shopper|cardholder|recipient|consignee|payer|contact|guest|member|顾客|客户)s?(?:info|data|details)?$",
            frozenset(),
        ),
    )
)

_WORDS: tuple[tuple[Meaning, frozenset[str], frozenset[str]], ...] = (
    (Forbidden.PIN, frozenset({"pin"}), _DEVICE),
    (Forbidden.CARD_CODE, frozenset({"csc"}), _ABOUT),
    (IdentityKind.EMAIL, frozenset({"mail"}), _NOT_SAID),
    (IdentityKind.PHONE, frozenset({"tel", "fax", "cell"}), _NOT_SAID),
    (IdentityKind.NATIONAL_ID, frozenset({"ssn"}), _NOT_SAID),
    (IdentityKind.NAME, frozenset({"cardholder"}), _NOT_SAID),
    (IdentityKind.IBAN, frozenset({"iban"}), _NOT_SAID),
    (Role.ARTICLE, frozenset({"sku", "ean", "upc", "plu", "article", "item"}), frozenset({"name"})),
    (
        Role.FIGURE,
        _words("minor amount total price quantity count units net tax time timestamp ms us ns epoch seq size bytes"),
        frozenset(),
    ),
)

_HARMLESS = _words(
    "language lang locale tier level grade group segment currency country type kind status consent session vip points since "
    "created updated version gender sex title"
)


def _of_a_person(joined: str, words: frozenset[str]) -> Meaning | None:
    if joined in ("id", "no", "number", "code", "account"):
        return IdentityKind.MEMBER
    if "name" in words or joined == "holder":
        return IdentityKind.NAME
    return None if not words.isdisjoint(_HARMLESS) else IdentityKind.PERSONAL
