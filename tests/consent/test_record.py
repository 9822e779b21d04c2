"""Consent records: the fields of ISO/IEC TS 27560, made of the ledger's entries, documented and exported."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from consent_acts import BOOK, NOTICES, RECORDER, SHOP, acts, recorders
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from edge.consent.act import Act, NoRecord, acts_of
from edge.consent.canonical import canonical
from edge.consent.choices import Choices, Shown
from edge.consent.controller import Controller
from edge.consent.dpv import CONTEXT, EXTENSION
from edge.consent.jsonld import record_as_jsonld
from edge.consent.ledger import Entry
from edge.consent.record import ConsentRecord, record_schema
from edge.consent.recorder import Recorder
from edge.consent.registry import ConsentRegistry
from edge.privacy.keyring import Keyring
from edge.settings import ConsentSettings, ControllerSettings, KioskSettings, Settings, StoreSettings

ROOT = Path(__file__).resolve().parents[2]
SCHEMAS = ROOT / "edge" / "consent" / "schemas"
SCHEMA = json.loads((SCHEMAS / "consent-record.schema.json").read_text("utf-8"))
VALID = Draft202012Validator(SCHEMA)
DOCS = (ROOT / "docs" / "consent-record.md").read_text("utf-8")
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)

MANDATORY = [
    "header.schema_version",
    "header.record_id",
    "header.pii_principal_id",
    "pii_processing.privacy_notice",
    "pii_processing.language",
    "pii_processing.purposes",
    "pii_processing.purposes.purpose",
    "pii_processing.purposes.pii_information",
    "pii_processing.purposes.pii_controllers",
    "pii_processing.purposes.storage_locations",
    "pii_processing.purposes.retention_period",
    "pii_processing.purposes.jurisdiction",
    "pii_processing.purposes.recipient_third_parties",
    "pii_processing.purposes.withdrawal_method",
    "pii_processing.purposes.pii_information.pii_type",
    "party_identification.party_id",
    "party_identification.party_address",
    "party_identification.party_name",
    "party_identification.party_contact",
    "party_identification.party_type",
    "events.event_time",
    "events.validity_duration",
    "events.entity_id",
    "events.event_type",
    "events.event_state",
]
"""What TS 27560 calls mandatory, by the table in DPV's guide to it (section "ISO 27560:2023, EU GDPR, and DPV"), written down
here by hand: the schema is made from our code and cannot vouch for itself."""


def paths(schema: dict[str, Any], node: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, bool]]:
    """Every field of a schema, and whether it is required."""
    for name, field in node["properties"].items():
        yield prefix + name, name in node.get("required", [])
        for option in (field, field.get("items", {}), *field.get("anyOf", [])):
            if "$ref" in option:
                yield from paths(schema, schema["$defs"][option["$ref"].rpartition("/")[2]], f"{prefix}{name}.")


REQUIRED = [path for path, required in paths(SCHEMA, SCHEMA) if required]


def without(document: Any, path: list[str]) -> Any:
    """A copy that lacks a field, in the first of whatever lists lie on the way."""
    copied = deepcopy(document)
    node = copied
    for step in path[:-1]:
        node = node[step][0] if isinstance(node[step], list) else node[step]
    del node[path[-1]]
    return copied


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[ConsentRegistry]:
    keyring = Keyring.open(tmp_path / "keyring.json")
    with ConsentRegistry(tmp_path / "consent.db", keyring=keyring, purposes=BOOK, clock=lambda: NOW) as opened:
        yield opened


def all_shown(channel: Any = "kiosk", language: Any = "zh-CN") -> Shown:
    return Shown(versions={one.id: one.version for one in BOOK.individual()}, language=language, channel=channel)


@given(acts(), recorders(), st.sampled_from(["en", "zh-CN"]))
def test_every_record_has_every_field_of_the_schema_that_is_required(
    entries: tuple[Entry, ...], shop: Recorder, spoken: Any
):
    """Whatever was decided, by whom and in which shop, the record validates, and reads back as the same."""
    record = shop.record(Act.of(entries), language=spoken)
    VALID.validate(record.as_json())
    assert ConsentRecord.model_validate_json(canonical(record.as_json())) == record


@pytest.mark.parametrize("path", REQUIRED)
@settings(max_examples=5)
@given(entries=acts())
def test_the_schema_refuses_a_record_without_a_required_field(path: str, entries: tuple[Entry, ...]):
    """Each, taken out alone, is missed by the schema and by the type."""
    document = without(RECORDER.record(Act.of(entries)).as_json(), path.split("."))
    assert not VALID.is_valid(document)
    with pytest.raises(ValidationError):
        ConsentRecord.model_validate(document)


@pytest.mark.parametrize("path", MANDATORY)
def test_what_the_standard_calls_mandatory_is_required(path: str):
    """The hand-written list of TS 27560's mandatory fields is a part of what our schema requires."""
    assert path in REQUIRED


def test_lists_of_the_standard_hold_at_least_one():
    """An empty list of notices, purposes, data, parties or events is no record."""
    document = RECORDER.record(Act.of(ENTRIES)).as_json()
    for path in ("pii_processing.privacy_notice", "pii_processing.purposes", "party_identification", "events"):
        emptied = deepcopy(document)
        *way, last = path.split(".")
        node = emptied[way[0]] if way else emptied
        node[last] = []
        assert not VALID.is_valid(emptied), path


def test_the_schema_in_the_repository_is_the_codes():
    """Regenerate edge/consent/schemas with `record_schema()` when a field changes."""
    assert record_schema() == SCHEMA
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", [path for path, _ in paths(SCHEMA, SCHEMA)])
def test_every_field_is_documented(path: str):
    """docs/consent-record.md has a row for each, and says whether the standard wants it."""
    (row,) = [line for line in DOCS.splitlines() if line.startswith(f"| `{path}` |")]
    assert (row.split("|")[3].strip() == "yes") >= (path in MANDATORY)


def test_no_documented_field_is_gone():
    """Each row of the first table names a field that there is."""
    rows = re.findall(r"^\| `([a-z_.]+)` \|", DOCS.partition("## A receipt")[0], re.MULTILINE)
    assert set(rows) == {path for path, _ in paths(SCHEMA, SCHEMA)}


def make(kind: str, purpose_id: str | None, seq: int = 1, **details: Any) -> Entry:
    """An entry of one fixed act."""
    return Entry(
        seq=seq,
        at=NOW,
        kind=kind,  # type: ignore[arg-type]
        act="8f14e45f-ceea-467f-a0e6-3f2b1c9d7a55",
        subject="s_aaaaaaaaaaaaaaaaaaaaaaaaaa",  # type: ignore[arg-type]
        purpose=purpose_id,
        notice=BOOK.version(purpose_id) if purpose_id else None,
        details={"channel": "kiosk", **details},
    )


UNTIL = "2026-04-01T09:00:00.000Z"
ENTRIES = (
    make("shown", None, 1, notices={"size_recommendation": BOOK.version("size_recommendation")}, language="en"),
    make("granted", "size_recommendation", 2, until=UNTIL, language="en", age_band="adult", separate=True),
    make("refused", "member_link", 3, language="en"),
)


def test_a_record_says_what_was_decided():
    """State, time, validity, who, how, and the entry that proves it, purpose by purpose."""
    given_, refused = RECORDER.record(Act.of(ENTRIES)).events
    assert given_.model_dump() == {
        "purpose_id": "size_recommendation",
        "event_time": "2026-03-02T09:00:00.000Z",
        "validity_duration": "P30D",
        "entity_id": "s_aaaaaaaaaaaaaaaaaaaaaaaaaa",
        "event_type": "explicit",
        "event_state": "given",
        "ledger_seq": 2,
    }
    assert (refused.event_state, refused.validity_duration, refused.event_type) == ("refused", "PT0S", "expressed")


def test_a_record_quotes_what_was_shown_not_what_hangs_today():
    """The words come from the notice of the version that was answered, in the language that was on the screen."""
    older = BOOK.purpose("size_recommendation").content.replace(b"The mirror measures", b"Our mirror measures")
    entries = tuple(replace(entry, notice=sha(older)) for entry in ENTRIES[1:2])
    shop = Recorder(controller=SHOP, notice={sha(older): older}.get)
    (purpose,) = shop.record(Act.of(entries)).pii_processing.purposes
    assert purpose.purpose.startswith("Our mirror measures")


def sha(content: bytes) -> str:
    from hashlib import sha256

    return sha256(content).hexdigest()


@pytest.mark.parametrize(
    "kept", [None, b"{}", BOOK.purpose("member_link").content, BOOK.purpose("size_recommendation").content + b" "]
)
def test_a_record_is_not_made_of_a_notice_that_is_lost_or_altered(kept: bytes | None):
    """It would claim that something was said that perhaps was not."""
    with pytest.raises(NoRecord, match="notice of entry 2"):
        Recorder(controller=SHOP, notice=lambda _: kept).record(Act.of(ENTRIES))


def test_everything_about_a_child_is_sensitive():
    """PIPL Art. 28; and the guardian is who decided, by relation and without a name."""
    entries = (
        make("guardian", None, 1, relation="parent"),
        make("granted", "feedback_contact", 2, until=UNTIL, language="zh-CN", age_band="guardian"),
    )
    record = RECORDER.record(Act.of(entries))
    (purpose,) = record.pii_processing.purposes
    assert all(kind.sensitive_pii_category for kind in purpose.pii_information)
    assert not any(kind.special_pii_category for kind in purpose.pii_information)
    assert record.events[0].entity_id == "guardian"
    assert record.threshold.guardian_consent == "parent"
    exported = json.dumps(record_as_jsonld(record))
    assert '"dpv:Child"' in exported
    assert '"dpv:ParentOfDataSubject"' in exported
    assert '"threshold:GuardianConsent"' in exported


def test_time_that_ran_out_is_nobodys_decision():
    """An expiry is the controller's event."""
    record = RECORDER.record(Act.of([replace(make("expired", "member_link"), details={"channel": "box"})]))
    assert record.events[0].entity_id == "controller"
    assert record.threshold.age_band is None


@pytest.mark.parametrize(
    "entries",
    [
        (),
        ENTRIES[:1],
        (ENTRIES[1], replace(ENTRIES[2], act="another")),
        (replace(ENTRIES[1], subject=None),),
        (replace(ENTRIES[1], notice=None),),
    ],
)
def test_what_is_not_one_act_is_no_record(entries: tuple[Entry, ...]):
    """Nothing decided, two acts at once, nobody, or no notice: one line says so."""
    with pytest.raises(NoRecord):
        Act.of(entries)


@given(st.lists(acts(), max_size=4, unique_by=lambda entries: entries[0].act))
def test_a_history_falls_into_its_acts(several: list[tuple[Entry, ...]]):
    """Every act with a decision comes out once and in order; deeds without one are passed over."""
    deed = (replace(ENTRIES[0], act="a deed", kind="exported"),)
    flat = [entry for entries in several for entry in (*entries, *deed)]
    assert list(acts_of(flat)) == [Act.of(entries) for entries in several]


def test_a_record_of_what_the_registry_wrote(registry: ConsentRegistry):
    """From a shopper's choices through the real ledger: the record has what was chosen, shown and said."""
    done = registry.give(
        Choices(
            granted=frozenset({"size_recommendation", "in_store_offers"}),
            refused=frozenset({"member_link"}),
            shown=all_shown(),
            age_band="adult",
            separately=frozenset({"size_recommendation"}),
        )
    )
    registry.withdraw(done.subject, ["in_store_offers"], channel="phone")
    shop = Recorder(controller=SHOP, notice=registry.notice)
    first, second = (shop.record(act, language="zh-CN") for act in acts_of(registry.history(done.subject)))
    for record in (first, second):
        VALID.validate(record.as_json())
        assert record.header.pii_principal_id == done.subject
    assert {event.purpose_id: event.event_state for event in first.events} == {
        "size_recommendation": "given",
        "in_store_offers": "given",
        "member_link": "refused",
    }
    assert {event.purpose_id: event.validity_duration for event in first.events}["in_store_offers"] == "P180D"
    assert first.header.record_id == done.act
    assert first.threshold.separate_consent == ("size_recommendation",)
    assert {one.purpose_id for one in first.pii_processing.privacy_notice} == {one.id for one in BOOK.individual()}
    assert [(event.event_state, event.validity_duration) for event in second.events] == [("withdrawn", "PT0S")]
    assert second.threshold.channel == "phone"


def terms(document: Any) -> Iterator[str]:
    """Every prefixed name in a JSON-LD document, keys and values alike."""
    if isinstance(document, dict):
        for name, part in document.items():
            if name == "@value":
                continue
            yield from terms(name)
            yield from terms(part)
    elif isinstance(document, list | tuple):
        for part in document:
            yield from terms(part)
    elif isinstance(document, str) and re.fullmatch(r"[a-z-]+:[A-Za-z][A-Za-z0-9-]*", document):
        yield document


@given(acts(), recorders())
def test_an_export_carries_its_context_and_uses_no_unknown_prefix(entries: tuple[Entry, ...], shop: Recorder):
    """Every prefixed term has its prefix in the document's own context; nothing need be fetched."""
    document = record_as_jsonld(shop.record(Act.of(entries)))
    assert document["@context"] == dict(CONTEXT)
    assert json.loads(json.dumps(document)) == document
    body = {name: part for name, part in document.items() if name != "@context"}
    data = {word for purpose in BOOK for word in (*purpose.data, *purpose.recipients)}
    for term in set(terms(body)) - data:
        prefix = term.partition(":")[0]
        assert prefix in CONTEXT or prefix in {"urn", "https"}, term


def test_every_term_of_ours_that_an_export_uses_is_defined():
    """threshold-terms.jsonld has each, with a label and a sentence, in the namespace that the page names."""
    vocabulary = json.loads((SCHEMAS / "threshold-terms.jsonld").read_text("utf-8"))
    assert vocabulary["@context"]["threshold"] == EXTENSION
    assert EXTENSION in DOCS
    defined = {term["@id"] for term in vocabulary["@graph"]}
    assert all(term["rdfs:label"] and term["rdfs:comment"] for term in vocabulary["@graph"])
    shown = {one.id: one.version for one in BOOK.individual() if not one.id.startswith("x_")}
    entries = [
        make("guardian", None, 1, relation="guardian"),
        *(make("granted", one, 2, until=UNTIL, language="en", age_band="guardian", separate=True) for one in shown),
    ]
    used = {term for term in terms(record_as_jsonld(RECORDER.record(Act.of(entries)))) if term.startswith("threshold:")}
    assert used <= defined
    assert {"threshold:SeparateConsent", "threshold:GuardianConsent", "threshold:PIPL-A29", "threshold:boundBy"} <= used


def test_the_export_names_dpvs_terms_for_what_was_decided():
    """Given explicitly under Art. 6(1)(a) and 9(2)(a), refused expressly, data sensitive and special."""
    document = record_as_jsonld(RECORDER.record(Act.of(ENTRIES)))
    size, member = document["dpv:hasProcess"]
    assert size["dpv:hasLegalBasis"] == ["dpv:ExplicitlyExpressedConsent", "eu-gdpr:A6-1-a", "eu-gdpr:A9-2-a"]
    assert member["dpv:hasLegalBasis"] == ["dpv:ExpressedConsent", "eu-gdpr:A6-1-a"]
    assert "dpv:SpecialCategoryPersonalData" in size["dpv:hasPersonalData"][0]["@type"]
    assert [status["@type"][0] for status in document["dpv:hasConsentStatus"]] == [
        "dpv:ConsentGiven",
        "dpv:ConsentRefused",
    ]
    assert document["dpv:hasConsentStatus"][0]["dpv:hasDuration"] == "P30D"


def test_a_shops_own_recipient_is_a_third_party():
    """What a shop adds is told apart from the shop and its headquarters."""
    entry = make("granted", "x_repair_service", 1, until=UNTIL, language="en", age_band="adult")
    document = record_as_jsonld(RECORDER.record(Act.of([entry])))
    kinds = {party["dpv:hasIdentifier"]: party["@type"] for party in document["dpv:hasEntity"]}
    assert "dpv:ThirdParty" in kinds["x_tailor_next_door"]
    assert "dpv:ThirdParty" not in kinds["this_store"]
    assert kinds["authority"] == ["dpv:Authority"]


def test_the_controller_is_whom_the_settings_name():
    """`[consent.controller]`, or the shop itself where it has named nobody."""
    store = StoreSettings(id="berlin-1", name="Berlin")
    named = ControllerSettings(
        name="Example Retail", address="1 Road", contact="p@example.com", authority="the authority"
    )
    consent = ConsentSettings(controller=named, jurisdictions=("EU",))
    kiosk = KioskSettings(public_url="https://shop.example")
    who = Controller.of(Settings(store=store, consent=consent, kiosk=kiosk))
    assert (who.name, who.address, who.contact, who.authority) == (
        "Example Retail",
        "1 Road",
        "p@example.com",
        "the authority",
    )
    assert (who.store, who.jurisdictions, who.withdraw_url) == ("Berlin", ("EU",), "https://shop.example")
    alone = Controller.of(Settings(store=store))
    assert (alone.name, alone.authority) == ("Berlin", None)
    assert alone.address


def test_durations_are_days_or_seconds():
    """A consent that ends within a day is told in seconds."""
    until = (NOW + timedelta(hours=2)).isoformat()
    entry = make("granted", "member_link", 1, until=until, language="en", age_band="adult")
    assert RECORDER.record(Act.of([entry])).events[0].validity_duration == "PT7200S"
    assert NOTICES
