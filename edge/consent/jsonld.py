"""A record or receipt as JSON-LD, with the terms of W3C's DPV as its guide to ISO/IEC TS 27560 uses them.

https://w3id.org/dpv/guides/consent-27560 (Final Community Group Report, 2024). What DPV lacks is in our own namespace,
explained in docs/consent-record.md and in edge/consent/schemas/threshold-terms.jsonld.
"""

from __future__ import annotations

from typing import Any

from edge.consent.dpv import CONTEXT, RECIPIENTS, STATES, STORAGE, law_article
from edge.consent.receipt import Receipt
from edge.consent.record import ConsentRecord, Event, Party, PiiInformation, PurposeRecord

__all__ = ["receipt_as_jsonld", "record_as_jsonld"]

_CONFORMS = "https://w3id.org/dpv/schema/dpv-27560#record"
_RECEIPT_CONFORMS = "https://w3id.org/dpv/schema/dpv-27560#receipt"
_ROLES = {"pii_controller": "dpv:DataController", "recipient": "dpv:Recipient", "authority": "dpv:Authority"}
_CONSENT = {"expressed": "dpv:ExpressedConsent", "explicit": "dpv:ExplicitlyExpressedConsent"}


def record_as_jsonld(record: ConsentRecord) -> dict[str, Any]:
    """The record as one JSON-LD document that carries its own context."""
    return {"@context": dict(CONTEXT), **_record(record)}


def receipt_as_jsonld(receipt: Receipt) -> dict[str, Any]:
    """The receipt as one JSON-LD document. Its signature is over the receipt itself, not over this form of it."""
    return {
        "@context": dict(CONTEXT),
        "@id": f"urn:uuid:{receipt.receipt_id}",
        "@type": "dpv:ConsentReceipt",
        "dct:identifier": receipt.receipt_id,
        "dct:conformsTo": _RECEIPT_CONFORMS,
        "dct:issued": {"@type": "xsd:dateTime", "@value": receipt.issued_at},
        "dct:hasPart": _record(receipt.record),
    }


def _record(record: ConsentRecord) -> dict[str, Any]:
    ours = record.threshold
    processing = record.pii_processing
    return {
        "@id": f"urn:uuid:{record.header.record_id}",
        "@type": "dpv:ConsentRecord",
        "dct:identifier": record.header.record_id,
        "dct:conformsTo": _CONFORMS,
        "dpv:hasDataSubject": {"@id": _local(record.header.pii_principal_id), "@type": _subject_type(record)},
        "dpv:hasNotice": [
            {
                "@id": _local(f"notice-{notice.version}"),
                "@type": "dpv:ConsentNotice",
                "dct:identifier": notice.version,
                "dct:language": processing.language,
                "threshold:purposeId": notice.purpose_id,
            }
            for notice in processing.privacy_notice
        ],
        "dpv:hasProcess": [_process(purpose, record=record) for purpose in processing.purposes],
        "dpv:hasEntity": [_party(party) for party in record.party_identification],
        "dpv:hasConsentStatus": [_status(event, record=record) for event in record.events],
        "threshold:channel": ours.channel,
        **({"threshold:ageBand": ours.age_band} if ours.age_band else {}),
    }


def _subject_type(record: ConsentRecord) -> str:
    return "dpv:Child" if record.threshold.age_band == "guardian" else "dpv:Customer"


def _process(purpose: PurposeRecord, *, record: ConsentRecord) -> dict[str, Any]:
    basis, language = purpose.lawful_basis, record.pii_processing.language
    events = [event for event in record.events if event.purpose_id == purpose.purpose_id]
    return {
        "@type": "dpv:Process",
        "dpv:hasPurpose": {
            "@type": "dpv:Purpose",
            "skos:broader": purpose.purpose_type,
            "dct:identifier": purpose.purpose_id,
            "dct:description": {"@language": language, "@value": purpose.purpose},
        },
        "threshold:method": {"@language": language, "@value": purpose.collection_method},
        "dpv:hasPersonalData": [_data(kind) for kind in purpose.pii_information],
        "dpv:hasDataController": [_local(party) for party in purpose.pii_controllers],
        "dpv:hasRecipient": [_local(party) for party in purpose.recipient_third_parties],
        "dpv:hasLegalBasis": [
            *sorted({_CONSENT[event.event_type] for event in events}),
            *(law_article("gdpr", article) for article in basis.gdpr if article in {"6(1)(a)", "9(2)(a)"}),
        ],
        "threshold:boundBy": [
            *({"@id": law_article("pipl", article)} for article in basis.pipl),
            *({"@id": law_article("gdpr", article)} for article in basis.gdpr),
        ],
        "dpv:hasStorageCondition": [
            {
                "@type": "dpv:StorageLocation",
                "dpv:hasLocation": [STORAGE.get(place, "dpv:Location") for place in purpose.storage_locations],
            },
            {"@type": "dpv:StorageDuration", "dpv:hasDuration": purpose.retention_period},
        ],
        "dpv:hasJurisdiction": [f"loc:{code}" for code in purpose.jurisdiction],
        "dpv:hasConsentControl": {
            "@type": "dpv:WithdrawConsent",
            "dct:description": {"@language": language, "@value": purpose.withdrawal_method.text},
            **({"dpv:isExercisedAt": {"@id": purpose.withdrawal_method.url}} if purpose.withdrawal_method.url else {}),
        },
        "dpv:hasRight": [
            *({"@type": ["dpv:DataSubjectRight", law_article("gdpr", one)]} for one in purpose.privacy_rights.gdpr),
            *({"@type": ["dpv:DataSubjectRight", law_article("pipl", one)]} for one in purpose.privacy_rights.pipl),
        ],
    }


def _data(kind: PiiInformation) -> dict[str, Any]:
    types = ["dpv:PersonalData"]
    if kind.sensitive_pii_category:
        types.append("dpv:SensitivePersonalData")
    if kind.special_pii_category:
        types.append("dpv:SpecialCategoryPersonalData")
    return {
        "@type": types,
        "skos:broader": kind.pii_category,
        "dct:identifier": kind.pii_type,
        "dpv:hasNecessity": {"@id": "dpv:Optional" if kind.pii_optional else "dpv:Required"},
    }


def _party(party: Party) -> dict[str, Any]:
    types = [_ROLES[party.party_role], "dpv:Authority" if party.party_type == "authority" else "dpv:Organisation"]
    if party.party_role == "recipient" and party.party_id not in RECIPIENTS:
        types.append("dpv:ThirdParty")
    return {
        "@id": _local(party.party_id),
        "@type": list(dict.fromkeys(types)),
        "dpv:hasIdentifier": party.party_id,
        "dpv:hasName": party.party_name,
        "dpv:hasAddress": party.party_address,
        "dpv:hasContact": party.party_contact,
    }


def _status(event: Event, *, record: ConsentRecord) -> dict[str, Any]:
    ours = record.threshold
    types = [STATES[event.event_state]]
    if event.purpose_id in ours.separate_consent:
        types.append("threshold:SeparateConsent")
    if ours.guardian_consent is not None:
        types.append("threshold:GuardianConsent")
    return {
        "@type": types,
        "dpv:isIndicatedAtTime": event.event_time,
        "dpv:isIndicatedBy": _who(event, record=record),
        "dpv:hasDuration": event.validity_duration,
        "threshold:purposeId": event.purpose_id,
        "threshold:ledgerSequence": event.ledger_seq,
    }


def _who(event: Event, *, record: ConsentRecord) -> Any:
    if event.entity_id != "guardian":
        return _local(event.entity_id)
    parent = record.threshold.guardian_consent == "parent"
    return {"@type": "dpv:ParentOfDataSubject" if parent else "dpv:GuardianOfDataSubject"}


def _local(name: str) -> str:
    """An identifier that means something within this document alone."""
    return f"_:{name}"
