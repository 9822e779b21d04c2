"""A consent record: who agreed to what, told what, when and how, with the fields of ISO/IEC TS 27560:2023.

Field names are the standard's; each field's text ends with its clause. docs/consent-record.md explains them and what is ours.
A record is made of the ledger's entries, never stored: the ledger is what counts.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from edge.consent.choices import Channel, Relation
from edge.consent.purposes import AgeBand, Language

__all__ = [
    "RECORD_SCHEMA",
    "ConsentRecord",
    "Event",
    "Extension",
    "Header",
    "LawfulBasis",
    "Party",
    "PiiInformation",
    "PiiProcessing",
    "PrivacyNotice",
    "PrivacyRights",
    "PurposeRecord",
    "WithdrawalMethod",
    "record_schema",
]

RECORD_SCHEMA: Final = "threshold-consent-record-1"

Text = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
Term = Annotated[str, StringConstraints(pattern=r"^[a-z-]+:[A-Za-z0-9-]+$")]
Uuid = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
Pseudonym = Annotated[str, StringConstraints(pattern=r"^s_[a-z2-7]{26}$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Instant = Annotated[
    str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$")
]
Duration = Annotated[str, StringConstraints(pattern=r"^P([0-9]+D|T[0-9]+S)$")]
Some = Field(min_length=1)


class Part(BaseModel):
    """A part of a record or receipt; its fields' docstrings are the schema's descriptions."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Header(Part):
    """What record this is, and of whom."""

    schema_version: Literal["threshold-consent-record-1"]
    """The version of this structure (header, mandatory)."""
    record_id: Uuid
    """The record's own id: the ledger's id of the act (header, mandatory)."""
    pii_principal_id: Pseudonym
    """The pseudonym under which the shop knows the shopper; it says nothing about them (header, mandatory)."""


class PrivacyNotice(Part):
    """A notice that was shown."""

    purpose_id: Text
    """The purpose it was about (ours)."""
    version: Sha256
    """SHA-256 of the notice's content, in all languages: it names the very words (6.3.4.1, mandatory)."""


class LawfulBasis(Part):
    """The law's reason for the processing."""

    basis: Literal["consent"]
    """Always consent: nothing else is recorded here (6.3.4.6)."""
    pipl: tuple[Text, ...] = Some
    """Articles of China's Personal Information Protection Law (ours)."""
    gdpr: tuple[Text, ...] = Some
    """Articles of Regulation (EU) 2016/679 (ours)."""


class PiiInformation(Part):
    """A kind of personal data."""

    pii_type: Text
    """Our word for it, or the shop's own (6.3.5.1, mandatory)."""
    pii_category: Term
    """Its term in W3C's DPV (ours)."""
    pii_optional: bool
    """Whether the purpose can do without it (6.3.5.3)."""
    sensitive_pii_category: bool
    """Whether it is sensitive (6.3.5.4): PIPL Art. 28, where everything about a child under 14 is."""
    special_pii_category: bool
    """Whether we treat it as special (6.3.5.5): GDPR Art. 9."""


class WithdrawalMethod(Part):
    """How to take consent back."""

    text: Text
    """In the shopper's language (6.3.4.18, mandatory)."""
    url: Text | None = None
    """Where a phone reaches the page; without the secret part, which is on the receipt's QR code (6.3.4.18)."""


class PrivacyRights(Part):
    """What else the shopper may ask for, at the same place."""

    pipl: tuple[Text, ...] = Some
    """Articles (6.3.4.19)."""
    gdpr: tuple[Text, ...] = Some
    """Articles (6.3.4.19)."""


class PurposeRecord(Part):
    """One purpose, and all that was said of it."""

    purpose_id: Text
    """The purpose's id (ours)."""
    purpose: Text
    """What is done, and what for, in the words that were shown (6.3.4.3, mandatory)."""
    purpose_type: Term
    """The purpose's category in W3C's DPV (6.3.4.4)."""
    lawful_basis: LawfulBasis
    """Why it is lawful (6.3.4.6)."""
    pii_information: tuple[PiiInformation, ...] = Some
    """The personal data (6.3.4.7, mandatory)."""
    pii_controllers: tuple[Text, ...] = Some
    """Who answers for it, by party_id (6.3.4.8, mandatory)."""
    collection_method: Text
    """How data are collected and used, in the words that were shown (6.3.4.9)."""
    storage_locations: tuple[Text, ...] = Some
    """Where data are kept (6.3.4.11, mandatory)."""
    retention_period: Duration
    """How long data are kept; P0D where they never reach a disk (6.3.4.12, mandatory)."""
    jurisdiction: tuple[Text, ...] = Some
    """Whose law applies: ISO 3166-1 codes, or EU (6.3.4.16, mandatory)."""
    recipient_third_parties: tuple[Text, ...] = Some
    """Who gets data, by party_id; the shop itself where nobody else does (6.3.4.17, mandatory)."""
    withdrawal_method: WithdrawalMethod
    """How to take consent back (6.3.4.18, mandatory)."""
    privacy_rights: PrivacyRights
    """What else the shopper may ask for (6.3.4.19)."""


class PiiProcessing(Part):
    """What the shopper was told, and what is done."""

    privacy_notice: tuple[PrivacyNotice, ...] = Some
    """The notices that were shown (6.3.4.1, mandatory)."""
    language: Language
    """In which language (6.3.4.2, mandatory)."""
    purposes: tuple[PurposeRecord, ...] = Some
    """The purposes that were decided about (6.3.4.3, mandatory)."""


class Party(Part):
    """Somebody who has to do with the data."""

    party_id: Text
    """The party's id within the record (6.3.6, mandatory)."""
    party_name: Text
    """Name (6.3.6.6, mandatory)."""
    party_address: Text
    """Postal address (6.3.6, mandatory)."""
    party_contact: Text
    """How to reach them: an e-mail address, a phone number or a page (6.3.6.8, mandatory)."""
    party_role: Literal["pii_controller", "recipient", "authority"]
    """What they have to do with the data (6.3.6.7)."""
    party_type: Literal["organisation", "authority"]
    """What they are (6.3.6.9, mandatory)."""


class Event(Part):
    """One decision."""

    purpose_id: Text
    """About which purpose (ours)."""
    event_time: Instant
    """When, by the box's clock, in UTC (6.3.7.1, mandatory)."""
    validity_duration: Duration
    """How long the consent is good for; PT0S where there is none after this event (6.3.7.2, mandatory)."""
    entity_id: Text
    """Who decided: the pii_principal_id, `guardian`, or `controller` where time ran out (6.3.7.3, mandatory)."""
    event_type: Literal["expressed", "explicit"]
    """The type of consent: `explicit` was asked on its own and confirmed once more (6.3.7.4, mandatory)."""
    event_state: Literal["given", "refused", "withdrawn", "expired"]
    """What consent is after it (6.3.7.6, mandatory)."""
    ledger_seq: int = Field(ge=1)
    """The entry in the shop's ledger that proves it (ours)."""


class Extension(Part):
    """What neither TS 27560 nor DPV has a place for: Chinese law, and how it was asked."""

    channel: Channel
    """Where it was decided."""
    age_band: AgeBand | None = None
    """Who decided; absent where it was not asked, as in a withdrawal."""
    guardian_consent: Relation | None = None
    """Who confirmed for a child under 14 (PIPL Art. 31); absent where nobody had to."""
    separate_consent: tuple[Text, ...] = ()
    """The purposes that were asked separately (PIPL Art. 29)."""


class ConsentRecord(Part):
    """A consent record of one act."""

    header: Header
    """What record this is, and of whom (header, mandatory)."""
    pii_processing: PiiProcessing
    """What the shopper was told, and what is done (6.3.4, mandatory)."""
    party_identification: tuple[Party, ...] = Some
    """Who has to do with the data (6.3.6, mandatory)."""
    events: tuple[Event, ...] = Some
    """What was decided, purpose by purpose (6.3.7, mandatory)."""
    threshold: Extension
    """What is ours."""

    def as_json(self) -> dict[str, Any]:
        """The record as JSON; what is absent is left out."""
        return self.model_dump(mode="json", exclude_none=True)


def record_schema() -> dict[str, Any]:
    """The JSON Schema of a record (draft 2020-12), as it lies in edge/consent/schemas."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **ConsentRecord.model_json_schema()}
