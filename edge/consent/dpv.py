"""Our own words for data, recipients and places, the terms of W3C's Data Privacy Vocabulary (DPV) 2 for them, and what we
add where DPV has none: Chinese law. docs/consent-record.md explains each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

__all__ = [
    "CONTEXT",
    "DATA",
    "EXTENSION",
    "GDPR_RIGHTS",
    "PIPL_RIGHTS",
    "PURPOSE_TYPES",
    "RECIPIENTS",
    "STATES",
    "STORAGE",
    "DataTerm",
    "Law",
    "law_article",
]

Law = Literal["pipl", "gdpr"]


@dataclass(frozen=True, slots=True)
class DataTerm:
    """A kind of data: its DPV term, and whether we take it for sensitive (PIPL Art. 28) whatever a shop says."""

    term: str
    sensitive: bool = False


DATA: Mapping[str, DataTerm] = MappingProxyType(
    {
        "anonymous_counts": DataTerm("dpv:AnonymisedData"),
        "camera_frame": DataTerm("pd:Picture"),
        "body_silhouette": DataTerm("pd:PhysicalCharacteristic", sensitive=True),
        "body_dimensions": DataTerm("pd:PhysicalCharacteristic", sensitive=True),
        "stature": DataTerm("pd:Height", sensitive=True),
        "garment": DataTerm("pd:Interest"),
        "phone_number": DataTerm("pd:TelephoneNumber"),
        "email_address": DataTerm("pd:EmailAddress"),
        "member_number": DataTerm("pd:UID"),
        "platform_account": DataTerm("pd:UID"),
        "store_visit": DataTerm("pd:ServiceConsumptionBehavior"),
        "zone_interest": DataTerm("pd:Interest"),
        "purchases": DataTerm("pd:Purchase"),
        "feedback_words": DataTerm("pd:Communication"),
    }
)
"""Kinds of data, by our word."""

RECIPIENTS: Mapping[str, str] = MappingProxyType(
    {"this_store": "dpv:DataController", "headquarters": "dpv:DataController"}
)
"""Who may get data, by our word; what a shop adds is a `dpv:ThirdParty`."""

STORAGE: Mapping[str, str] = MappingProxyType(
    {"memory": "dpv:WithinDevice", "store_box": "dpv:LocalLocation", "headquarters": "dpv:RemoteLocation"}
)
"""Where data are kept, by our word."""

PURPOSE_TYPES: Mapping[str, str] = MappingProxyType(
    {
        "footfall": "dpv:OptimisationForController",
        "size_recommendation": "dpv:ProvideProductRecommendations",
        "member_link": "dpv:CustomerRelationshipManagement",
        "in_store_offers": "dpv:PersonalisedBenefits",
        "purchase_history": "dpv:CustomerOrderManagement",
        "feedback_contact": "dpv:CommunicationForCustomerCare",
    }
)
"""The purposes that come with Threshold; a shop's own is a plain `dpv:Purpose`."""

STATES: Mapping[str, str] = MappingProxyType(
    {
        "given": "dpv:ConsentGiven",
        "refused": "dpv:ConsentRefused",
        "withdrawn": "dpv:ConsentWithdrawn",
        "expired": "dpv:ConsentExpired",
    }
)
"""The states of consent, by TS 27560's lifecycle."""

GDPR_RIGHTS = ("7(3)", "15", "16", "17", "18", "20", "77")
"""Withdrawal, access, rectification, erasure, restriction, portability, complaint to an authority."""

PIPL_RIGHTS = ("15", "44", "45", "46", "47", "48", "50")
"""Withdrawal, decision and restriction, access and copy, correction, deletion, explanation, the way to exercise them."""

EXTENSION = "urn:uuid:3d481dbe-5baa-40e0-be6d-94a896f607d2#"
"""The namespace of our own terms. A UUID, for it claims nobody's domain and means the same in every shop."""

CONTEXT: Mapping[str, Any] = MappingProxyType(
    {
        "dpv": "https://w3id.org/dpv#",
        "pd": "https://w3id.org/dpv/pd#",
        "loc": "https://w3id.org/dpv/loc#",
        "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
        "dct": "http://purl.org/dc/terms/",
        "schema": "https://schema.org/",
        "skos": "http://www.w3.org/2004/02/skos/core#",
        "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
        "xsd": "http://www.w3.org/2001/XMLSchema#",
        "threshold": EXTENSION,
        "dct:conformsTo": {"@type": "@id"},
        "skos:broader": {"@type": "@id"},
        **{
            f"dpv:{term}": {"@type": "@id"}
            for term in (
                "hasApplicableLaw",
                "hasDataController",
                "hasDataSubject",
                "hasJurisdiction",
                "hasLegalBasis",
                "hasLocation",
                "hasRecipient",
                "isIndicatedBy",
            )
        },
        "dpv:isIndicatedAtTime": {"@type": "xsd:dateTime"},
        "dpv:hasDuration": {"@type": "xsd:duration"},
    }
)
"""The JSON-LD context of an export; no processor need fetch anything."""


_DPV_GDPR = frozenset(
    {"6(1)(a)", "6(1)(f)", "7(3)", "9(2)(a)", "13", "14", "15", "16", "17", "18", "19", "20", "21", "22", "77"}
)
"""The articles of the GDPR that DPV's extension has terms for, and we cite."""


def law_article(law: Law, article: str) -> str:
    """The term of an article: DPV's where it has one (`eu-gdpr:A6-1-a`), else ours (`threshold:PIPL-A13-1-1`)."""
    dashed = article.replace(")", "").replace("(", "-")
    if law == "gdpr" and article in _DPV_GDPR:
        return f"eu-gdpr:A{dashed}"
    return f"threshold:{law.upper()}-A{dashed}"
