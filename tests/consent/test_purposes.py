"""Purposes and notices: what the file must say, and when a notice is another one."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from edge.consent.dpv import DATA
from edge.consent.purposes import (
    LANGUAGES,
    SHIPPED_IDS,
    Purpose,
    PurposeBook,
    PurposeText,
    UnknownPurpose,
)
from edge.errors import SettingsError
from edge.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
SHIPPED_FILE = ROOT / "edge" / "consent" / "purposes.toml"
SHIPPED = SHIPPED_FILE.read_text("utf-8")
BOOK = PurposeBook.load()
GUIDE = (ROOT / "docs" / "purposes.md").read_text("utf-8")
OWN = re.findall(r"```toml\n(.*?)```", GUIDE, re.DOTALL)[1]
FIELDS = list(PurposeText.model_fields)


def mistakes(toml: str) -> str:
    """What a file with mistakes is refused with."""
    with pytest.raises(SettingsError) as caught:
        PurposeBook.parse(toml, source="shop.toml")
    assert "\n" not in str(caught.value)
    return "; ".join(caught.value.mistakes)


def test_the_shipped_purposes_are_the_six_of_the_design():
    """They load, in the file's order, with footfall alone not asking each shopper."""
    assert {purpose.id for purpose in BOOK} == SHIPPED_IDS
    assert len(BOOK) == 6
    assert {purpose.id for purpose in BOOK.individual()} == SHIPPED_IDS - {"footfall"}


@pytest.mark.parametrize("purpose", BOOK, ids=lambda purpose: purpose.id)
def test_every_shipped_notice_is_short_enough_to_be_read(purpose: Purpose):
    """A title of few words, one sentence of summary, and each field in each language."""
    for language in LANGUAGES:
        text = purpose.text[language]
        assert len(text.title) <= 30
        assert len(text.summary) <= 150
        assert len(re.findall(r"[.。](?:\s|$)|。", text.summary)) == 1
        assert (text.necessity is None) == (not purpose.sensitive)


@pytest.mark.parametrize("purpose", BOOK, ids=lambda purpose: purpose.id)
def test_chinese_notices_are_chinese_and_english_ones_are_not(purpose: Purpose):
    """No field was left in the other language."""
    for field in FIELDS:
        chinese, english = getattr(purpose.text["zh-CN"], field), getattr(purpose.text["en"], field)
        if chinese is not None:
            assert re.search(r"[\u4e00-\u9fff]", chinese)
            assert not re.search(r"[\u4e00-\u9fff]", english)


@pytest.mark.parametrize(
    ("purpose_id", "english", "chinese"),
    [
        ("size_recommendation", "30 days", "30 天"),
        ("member_link", "One year", "一年"),
        ("in_store_offers", "72 hours", "72 小时"),
        ("in_store_offers", "180 days", "180 天"),
        ("purchase_history", "One year", "一年"),
        ("feedback_contact", "90 days", "90 天"),
    ],
)
def test_what_a_shipped_notice_says_of_time_is_what_the_box_is_told(purpose_id: str, english: str, chinese: str):
    """The days in the words are the days in the numbers."""
    days = {"30 days": 30, "One year": 365, "72 hours": 3, "180 days": 180, "90 days": 90}[english]
    purpose = BOOK.purpose(purpose_id)
    assert days in {purpose.retention_days, purpose.consent_days}
    assert english in purpose.text["en"].retention
    assert chinese in purpose.text["zh-CN"].retention


def test_body_data_are_asked_separately_and_reach_no_disk():
    """Sensitive, separate, memory only, for nobody else (PIPL Art. 28, 29)."""
    size = BOOK.purpose("size_recommendation")
    assert size.separate
    assert set(size.sensitive) == {"body_silhouette", "body_dimensions", "stature"}
    assert (size.storage, size.retention_days, size.recipients) == (("memory",), 0, ("this_store",))
    assert {"28", "29", "30", "31"} <= set(size.legal.pipl)
    assert "9(2)(a)" in size.legal.gdpr


@pytest.mark.parametrize("purpose", BOOK.individual(), ids=lambda purpose: purpose.id)
def test_every_shipped_consent_cites_its_articles(purpose: Purpose):
    """Consent, withdrawal, refusal without loss, notice, children and deletion, in both laws."""
    assert {"13(1)(1)", "14", "15", "16", "17", "31", "47"} <= set(purpose.legal.pipl)
    assert {"6(1)(a)", "7", "8", "13", "17"} <= set(purpose.legal.gdpr)


def test_the_kinds_of_data_the_guide_names_are_those_there_are():
    """docs/purposes.md lists every word for data, and each is used by a shipped purpose."""
    used = {word for purpose in BOOK for word in purpose.data}
    assert used == set(DATA)
    for word in (*DATA, *SHIPPED_IDS, *Purpose.model_fields.keys() - {"id", "legal", "text"}, *FIELDS):
        assert f"`{word}`" in GUIDE, word


def test_the_guides_own_purpose_loads():
    """A shop may add a purpose, with its own data and recipients."""
    book = PurposeBook.parse(SHIPPED + OWN, source="shop.toml")
    assert book.purpose("x_repair_service").recipients == ("this_store", "x_tailor_next_door")
    assert [purpose.version for purpose in BOOK] == [purpose.version for purpose in book][:6]


def test_the_guides_settings_are_settings():
    """What docs/purposes.md writes into `store.toml` is taken there."""
    toml = re.findall(r"```toml\n(.*?)```", GUIDE, re.DOTALL)[0]
    consent = Settings.model_validate({"store": {"id": "s"}, **tomllib.loads(toml)}).consent
    assert consent.jurisdictions == ("CN",)
    assert consent.controller is not None
    assert consent.controller.contact == "privacy@example.com"


def test_comments_and_layout_do_not_make_another_notice():
    """Comments, blank lines, wrapped strings, the order of keys, Unicode's two ways to write é: the same version."""
    before = PurposeBook.parse(OWN, source="shop.toml").version("x_repair_service")
    wrapped = OWN.replace('"We send you a message when', '"""We send\n   you a message   when').replace(
        'is ready."', 'is ready."""'
    )
    swapped = OWN.replace(
        "individual = true\nseparate = false\n", "# a comment\n\nseparate = false\nindividual    = true\n"
    )
    assert wrapped != OWN != swapped
    for other in (wrapped, swapped):
        assert PurposeBook.parse(other, source="shop.toml").version("x_repair_service") == before
    composed, split = (OWN.replace("garment is", f"garment, {e} la mode, is") for e in ("\u00e9", "e\u0301"))
    assert (
        len({PurposeBook.parse(one, source="shop.toml").version("x_repair_service") for one in (composed, split)}) == 1
    )


@given(
    st.sampled_from(list(BOOK)), st.sampled_from(LANGUAGES), st.sampled_from(FIELDS), st.text(min_size=1, max_size=5)
)
def test_any_other_word_in_any_language_is_another_notice(purpose: Purpose, language: Any, field: str, more: str):
    """Whatever is added to whichever field, the version changes if the words do."""
    fields = {"format": "threshold-notice-1", **purpose.model_dump(mode="json", exclude={"text"})}
    text = {name: one.model_dump(mode="json", exclude_none=True) for name, one in purpose.text.items()}
    fields.pop("format")
    text[language][field] = text[language].get(field, "") + more
    try:
        changed = Purpose.model_validate({**fields, "text": text})
    except ValidationError:
        return
    same = getattr(changed.text[language], field) == getattr(purpose.text[language], field)
    assert (changed.version == purpose.version) == same


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("retention_days = 3\n", "retention_days = 4\n"),
        ("consent_days = 180", "consent_days = 181"),
        ("minimum_age = 14", "minimum_age = 16"),
        ('"24", "31"', '"31"'),
        ('recipients = ["this_store", "headquarters"]', 'recipients = ["headquarters"]'),
    ],
)
def test_any_other_number_or_article_is_another_notice(old: str, new: str):
    """What the notice promises is part of its version, not its words alone."""
    assert old in SHIPPED
    changed = PurposeBook.parse(SHIPPED.replace(old, new), source="shop.toml")
    assert changed.version("in_store_offers") != BOOK.version("in_store_offers")


@pytest.mark.parametrize("purpose", BOOK, ids=lambda purpose: purpose.id)
def test_a_notice_is_read_again_from_its_content(purpose: Purpose):
    """The bytes that were hashed are enough to quote it years later."""
    again = Purpose.of_content(purpose.content)
    assert again == purpose
    assert again.version == purpose.version


@given(
    st.one_of(st.binary(max_size=50), st.sampled_from([b"{}", b"[]", b'{"format":"threshold-notice-1"}', b'{"id":1}']))
)
def test_what_is_no_notice_is_not_read_as_one(content: bytes):
    """Only `ValueError` comes of it."""
    with pytest.raises(ValueError):  # noqa: PT011  the message is json's or pydantic's
        Purpose.of_content(content)


def test_an_older_notice_stays_readable_when_rules_change():
    """A notice that today's rules would refuse in a file was shown all the same."""
    content = BOOK.purpose("member_link").content.replace(b'"13(1)(1)",', b"")
    assert "13(1)(1)" not in Purpose.of_content(content).legal.pipl


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('title = "修好时通知我"\n', "", "x_repair_service.text.zh-CN.title: Field required"),
        ("[purposes.x_repair_service.text.zh-CN]", "[purposes.x_repair_service.text.de]", "x_repair_service.text.de"),
        ("individual = true", "individual = true\nrententon = 3", "x_repair_service.rententon: Extra inputs"),
        ("individual = true", "individual = true\nid = 'other'", "x_repair_service.id: the table's name is the id"),
        ("x_repair_service", "repair_service", "repair_service.id: no such purpose; one of your own begins with x_"),
        (
            "individual = true",
            "individual = true\ndefault = true",
            "x_repair_service.default: no choice is ticked beforehand",
        ),
        (
            "individual = true",
            "individual = true\npre_ticked = true",
            "x_repair_service.pre_ticked: no choice is ticked",
        ),
        ('"phone_number"', '"phone_nubmer"', "x_repair_service.data: 'phone_nubmer' is not known"),
        ('"phone_number"', '"body_dimensions"', "x_repair_service.sensitive: 'body_dimensions' is sensitive; name it"),
        ('["store_box"]', '["store_box", "store_box"]', "x_repair_service.storage: name each once"),
        ("consent_days = 30", "consent_days = 0", "x_repair_service.consent_days: say for how many days"),
        ('"6(1)(a)", ', "", "x_repair_service.legal.gdpr: a purpose that asks rests on 6(1)(a)"),
        ('"13(1)(1)", ', "", "x_repair_service.legal.pipl: a purpose that asks rests on 13(1)(1)"),
        ('"13(1)(1)"', '"Article 13"', "x_repair_service.legal.pipl.0"),
        ("minimum_age = 14", "minimum_age = 12", "x_repair_service.minimum_age"),
        ("individual = true", "individual = false", "x_repair_service.consent_days: nobody is asked"),
        ('"Our tailor, next door."', '"  "', "x_repair_service.text.en.recipients"),
    ],
)
def test_a_mistake_names_purpose_and_field(old: str, new: str, said: str):
    """Each is one line, found before a shopper sees anything."""
    assert old in OWN
    assert said in mistakes(OWN.replace(old, new))


def test_sensitive_data_are_asked_separately_and_explained():
    """PIPL Art. 29 and 30 are rules of the file, for a shop's own data, too."""
    sensitive = OWN.replace("storage =", 'sensitive = ["x_garment_fault"]\nstorage =')
    said = mistakes(sensitive)
    assert "x_repair_service.separate: sensitive data need separate consent (PIPL Art. 29)" in said
    for language in LANGUAGES:
        assert f"x_repair_service.text.{language}.necessity: say why" in said
    assert "sensitive: 'x_other' is not among" in mistakes(sensitive.replace('["x_garment_fault"]', '["x_other"]'))


def test_nobody_is_measured_without_being_asked():
    """Body data in a purpose that asks nobody are refused."""
    toml = SHIPPED.replace('data = ["camera_frame", "anonymous_counts"]', 'data = ["camera_frame", "stature"]')
    assert "footfall.individual: sensitive data need each shopper's consent" in mistakes(toml)
    assert "footfall.separate: nobody is asked" in mistakes(SHIPPED.replace("separate = false", "separate = true", 1))


def test_all_mistakes_are_named_at_once():
    """Two purposes with mistakes are both named."""
    toml = SHIPPED.replace("retention_days = 0\n", "", 1).replace(
        "minimum_age = 14\nretention_days = 90", "retention_days = 90"
    )
    said = mistakes(toml)
    assert "footfall.retention_days: Field required" in said
    assert "feedback_contact.minimum_age: Field required" in said


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ("", "purposes: missing"),
        ("purposes = 3", "purposes: missing"),
        ("[purposes]\nfootfall = 2", "footfall: a purpose is a table"),
        ("[purposes", "is not TOML"),
        (OWN + "\n[prices]\na = 1", "prices: no such table"),
    ],
)
def test_a_file_that_is_something_else_is_one_line(toml: str, said: str):
    """Nothing in it, no TOML, or a table too many."""
    assert said in mistakes(toml)


@given(st.text(max_size=60))
def test_no_text_makes_anything_but_a_named_mistake(toml: str):
    """Whatever stands in the file, `SettingsError` is all that comes of it."""
    with pytest.raises(SettingsError):
        PurposeBook.parse(toml, source="shop.toml")


def test_a_shops_file_replaces_the_shipped_one(tmp_path: Path):
    """`load` reads it; an absent one names the setting to correct, one that is not UTF-8 is refused."""
    (tmp_path / "own.toml").write_text(OWN, "utf-8")
    assert [purpose.id for purpose in PurposeBook.load(tmp_path / "own.toml")] == ["x_repair_service"]
    with pytest.raises(SettingsError, match=r"consent\.purposes_file"):
        PurposeBook.load(tmp_path / "none.toml")
    (tmp_path / "own.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="cannot be read"):
        PurposeBook.load(tmp_path / "own.toml")


def test_a_purpose_that_the_shop_lacks_is_named():
    """The error lists those it has, and does not repeat a long id whole."""
    with pytest.raises(UnknownPurpose, match="known: footfall, size_recommendation"):
        BOOK.purpose("x" * 1000)
    assert "footfall" in BOOK
    assert "x_none" not in BOOK


@pytest.mark.parametrize(
    ("age", "band", "alone"),
    [
        (14, "adult", True),
        (14, "14-17", True),
        (14, "guardian", False),
        (13, "14-17", True),
        (13, "guardian", False),
        (16, "14-17", False),
        (16, "adult", True),
        (18, "14-17", False),
    ],
)
def test_who_decides_alone(age: int, band: Any, alone: bool):
    """At 14 as PIPL has it; where an age above is set, everybody below 18 needs a guardian: the band says no more."""
    toml = OWN.replace("minimum_age = 14", f"minimum_age = {age}")
    assert PurposeBook.parse(toml, source="shop.toml").purpose("x_repair_service").decides_alone(band) == alone


def test_a_notice_cannot_be_altered_once_loaded():
    """Neither a field nor a language."""
    purpose = BOOK.purpose("footfall")
    with pytest.raises(ValidationError):
        purpose.retention_days = 9  # type: ignore[misc]
    with pytest.raises(TypeError):
        purpose.text["en"] = purpose.text["zh-CN"]  # type: ignore[index]


def test_the_shipped_file_says_what_toml_says():
    """Every table of it is one of the six, so no purpose was dropped in silence."""
    assert set(tomllib.loads(SHIPPED)["purposes"]) == SHIPPED_IDS
