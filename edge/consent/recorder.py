"""From an act in the ledger to its consent record."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from types import MappingProxyType

from edge.consent.act import Act, Decision, NoRecord
from edge.consent.controller import Controller
from edge.consent.dpv import DATA, GDPR_RIGHTS, PIPL_RIGHTS, PURPOSE_TYPES
from edge.consent.ledger import rfc3339
from edge.consent.purposes import Language, Purpose
from edge.consent.record import (
    RECORD_SCHEMA,
    ConsentRecord,
    Event,
    Extension,
    Header,
    LawfulBasis,
    Party,
    PiiInformation,
    PiiProcessing,
    PrivacyNotice,
    PrivacyRights,
    PurposeRecord,
    WithdrawalMethod,
)

__all__ = ["Recorder"]

_WITHDRAWAL: Mapping[Language, str] = MappingProxyType(
    {
        "en": "At the kiosk in the shop or on your own page, with the code on your receipt; with no more taps than saying yes.",
        "zh-CN": "在店内自助屏或您自己的页面上，用凭条上的短码即可撤回；步骤不比同意时多。",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorder:
    """Makes records for one shop.

    `notice`: the content of a notice by its version, or None (`ConsentRegistry.notice`): a record quotes the words that
    were shown, not those that hang today.
    """

    controller: Controller
    notice: Callable[[str], bytes | None]

    def record(self, act: Act, *, language: Language = "en") -> ConsentRecord:
        """The record of an act; `language` is for acts of which the ledger does not say it, as withdrawals.

        Raises:
            NoRecord: a notice of the act is not kept, or is not what its version says.
        """
        spoken = act.language or language
        purposes = [self._purpose(decision) for decision in act.decisions]
        return ConsentRecord(
            header=Header(schema_version=RECORD_SCHEMA, record_id=act.id, pii_principal_id=act.subject),
            pii_processing=PiiProcessing(
                privacy_notice=tuple(
                    PrivacyNotice(purpose_id=purpose, version=version) for purpose, version in act.shown.items()
                ),
                language=spoken,
                purposes=tuple(self._processing(one, act=act, language=spoken) for one in purposes),
            ),
            party_identification=tuple(self._parties(purposes)),
            events=tuple(
                _event(decision, purpose, act=act) for decision, purpose in zip(act.decisions, purposes, strict=True)
            ),
            threshold=Extension(
                channel=act.channel,
                age_band=act.age_band,
                guardian_consent=act.guardian,
                separate_consent=tuple(one.purpose for one in act.decisions if one.separate),
            ),
        )

    def _purpose(self, decision: Decision) -> Purpose:
        """The purpose as it was shown."""
        content = self.notice(decision.notice)
        if content is None:
            raise _unfit(decision, "is not kept")
        try:
            purpose = Purpose.of_content(content)
        except ValueError as error:
            raise _unfit(decision, "is not one") from error
        if purpose.id != decision.purpose or sha256(content).hexdigest() != decision.notice:
            raise _unfit(decision, "is not what its version says")
        return purpose

    def _processing(self, purpose: Purpose, *, act: Act, language: Language) -> PurposeRecord:
        text = purpose.text[language]
        return PurposeRecord(
            purpose_id=purpose.id,
            purpose=text.summary,
            purpose_type=PURPOSE_TYPES.get(purpose.id, "dpv:Purpose"),
            lawful_basis=LawfulBasis(basis="consent", pipl=purpose.legal.pipl, gdpr=purpose.legal.gdpr),
            pii_information=tuple(_pii(word, purpose, child=act.age_band == "guardian") for word in purpose.data),
            pii_controllers=("controller",),
            collection_method=text.method,
            storage_locations=purpose.storage,
            retention_period=f"P{purpose.retention_days}D",
            jurisdiction=self.controller.jurisdictions,
            recipient_third_parties=purpose.recipients,
            withdrawal_method=WithdrawalMethod(text=_WITHDRAWAL[language], url=self.controller.withdraw_url),
            privacy_rights=PrivacyRights(pipl=PIPL_RIGHTS, gdpr=GDPR_RIGHTS),
        )

    def _parties(self, purposes: list[Purpose]) -> Iterator[Party]:
        """The controller, whoever gets data, and the authority if the shop has named one; each once."""
        who = self.controller
        names = {"controller": who.name, "this_store": who.store, "headquarters": who.name}
        recipients = {word: None for purpose in purposes for word in purpose.recipients}
        for party_id in ("controller", *recipients):
            yield Party(
                party_id=party_id,
                party_name=names.get(party_id, party_id),
                party_address=who.address,
                party_contact=who.contact,
                party_role="pii_controller" if party_id == "controller" else "recipient",
                party_type="organisation",
            )
        if who.authority is not None:
            yield Party(
                party_id="authority",
                party_name=who.authority,
                party_address=who.authority,
                party_contact=who.authority,
                party_role="authority",
                party_type="authority",
            )


def _unfit(decision: Decision, why: str) -> NoRecord:
    return NoRecord("make consent record", f"the notice of entry {decision.seq} {why}", "restore the table of notices")


def _pii(word: str, purpose: Purpose, *, child: bool) -> PiiInformation:
    sensitive = word in purpose.sensitive
    return PiiInformation(
        pii_type=word,
        pii_category=DATA[word].term if word in DATA else "dpv:PersonalData",
        pii_optional=False,
        sensitive_pii_category=sensitive or child,
        special_pii_category=sensitive and any(article.startswith("9(") for article in purpose.legal.gdpr),
    )


def _event(decision: Decision, purpose: Purpose, *, act: Act) -> Event:
    return Event(
        purpose_id=purpose.id,
        event_time=rfc3339(act.at),
        validity_duration=_duration(decision.valid_for),
        entity_id=_who(decision, act),
        event_type="explicit" if decision.separate or purpose.separate else "expressed",
        event_state=decision.state,
        ledger_seq=decision.seq,
    )


def _who(decision: Decision, act: Act) -> str:
    if decision.state == "expired":
        return "controller"
    return "guardian" if act.guardian is not None else act.subject


def _duration(span: timedelta) -> str:
    """ISO 8601: whole days as days, anything else in seconds."""
    seconds = max(0, int(span.total_seconds()))
    return f"P{seconds // 86400}D" if seconds and seconds % 86400 == 0 else f"PT{seconds}S"
