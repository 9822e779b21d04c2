"""What a shopper chose, what came of it, and how it stands now: the values that cross the registry's counter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from edge.consent.purposes import AgeBand, Language, PurposeBook
from edge.consent.subject import Subject
from edge.errors import ThresholdError

__all__ = [
    "Channel",
    "Choices",
    "ChoicesRefused",
    "Codes",
    "Given",
    "PurposeState",
    "PurposeView",
    "Reason",
    "Relation",
    "SessionCode",
    "Shown",
    "SubjectView",
    "check_choices",
]

Channel = Literal["kiosk", "phone", "till", "officer", "box"]
"""Where an act came from; `box` is the retention job."""

Relation = Literal["parent", "guardian"]
"""Who confirmed for a child under 14; no name is asked for."""

PurposeState = Literal["none", "granted", "refused", "withdrawn", "expired"]

Reason = Literal[
    "age_missing",
    "contradictory",
    "erased",
    "guardian_missing",
    "not_asked",
    "not_granted",
    "not_separate",
    "not_shown",
    "notice_changed",
]


class ChoicesRefused(ThresholdError):
    """What somebody chose cannot be written down as it is; `reason` says why, and `purpose` for which."""

    def __init__(self, reason: Reason, *, purpose: str = "", remedy: str) -> None:
        super().__init__("take choices", f"{reason.replace('_', ' ')}{f' ({purpose})' if purpose else ''}", remedy)
        self.reason = reason
        self.purpose = purpose


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What was on the screen: each purpose's notice version (`PurposeBook.version`), in which language, and where."""

    versions: Mapping[str, str]
    language: Language
    channel: Channel


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """A shopper's answers. What is neither granted nor refused was not answered, and stays as it was.

    `subject`: None for somebody new. `separately`: the granted purposes that were confirmed on a screen of their own; a purpose
    that is marked `separate` is granted only so (PIPL Art. 29). `age_band` may be None where nothing is granted. `guardian`:
    who confirmed, where the shopper may not decide alone.
    """

    granted: frozenset[str]
    refused: frozenset[str]
    shown: Shown
    age_band: AgeBand | None = None
    subject: Subject | None = None
    separately: frozenset[str] = frozenset()
    guardian: Relation | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Codes:
    """What opens a subject's page: `code` typed (`XXXX-XXXX`), `link` the last part of a URL. Neither is stored anywhere."""

    code: str
    link: str

    def __repr__(self) -> str:
        return "Codes(…)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """Choices that are committed. `codes` is None for a subject who had some: they stay valid (`issue_codes` replaces them).

    `act` is the id that all entries of these choices bear, `seq` the last of them.
    """

    subject: Subject
    act: str
    seq: int
    at: datetime
    codes: Codes | None

    @property
    def code(self) -> str | None:
        """The receipt code, in this answer alone."""
        return self.codes.code if self.codes else None

    @property
    def link(self) -> str | None:
        """The token of the shopper's page, in this answer alone."""
        return self.codes.link if self.codes else None


@dataclass(frozen=True, slots=True, repr=False)
class SessionCode:
    """Six digits that stand for a subject and purposes until `expires_at`, at a mirror or till."""

    code: str
    expires_at: datetime

    def __repr__(self) -> str:
        return f"SessionCode(…, expires_at={self.expires_at.isoformat()})"


@dataclass(frozen=True, slots=True, kw_only=True)
class PurposeView:
    """How one purpose stands for a subject.

    `notice`: the version that was answered. `ask_again`: the answer no longer counts as one, because the notice has changed
    since or the consent has expired; `notice_changed` says which.
    """

    purpose: str
    state: PurposeState
    notice: str | None = None
    since: datetime | None = None
    expires_at: datetime | None = None
    notice_changed: bool = False
    ask_again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectView:
    """How everything stands for a subject. Once `erased_at` is set, nothing else is known.

    `seq`: the subject's last entry; `erased_seq`: the entry of the erasure, by which its way to HQ is followed.
    `key_alive`: whether anything sealed for the subject can still be read here.
    """

    subject: Subject
    purposes: tuple[PurposeView, ...]
    age_band: AgeBand | None
    created_at: datetime
    seq: int
    key_alive: bool
    erased_at: datetime | None = None
    erased_seq: int | None = None

    def granted(self) -> frozenset[str]:
        """The purposes that count as granted now: not expired, under the notice that hangs today."""
        return frozenset(view.purpose for view in self.purposes if view.state == "granted" and not view.ask_again)


def check_choices(choices: Choices, *, purposes: PurposeBook) -> None:
    """See that the choices may be written down: what was answered was shown, as it hangs today, to who may decide.

    Raises:
        ChoicesRefused: they may not.
    """
    for purpose, version in choices.shown.versions.items():
        if purpose not in purposes or purposes.version(purpose) != version:
            raise ChoicesRefused("notice_changed", purpose=purpose, remedy="show today's notice and ask again")
    for purpose in sorted(choices.granted | choices.refused):
        if purpose not in choices.shown.versions:
            raise ChoicesRefused("not_shown", purpose=purpose, remedy="show its notice first")
        if not purposes.purpose(purpose).individual:
            raise ChoicesRefused("not_asked", purpose=purpose, remedy="take it out of the questions")
    for purpose in sorted(choices.granted):
        _check_yes(choices, purpose, purposes=purposes)


def _check_yes(choices: Choices, purpose: str, *, purposes: PurposeBook) -> None:
    asked = purposes.purpose(purpose)
    if purpose in choices.refused:
        raise ChoicesRefused("contradictory", purpose=purpose, remedy="take one answer for each purpose")
    if asked.separate and purpose not in choices.separately:
        raise ChoicesRefused("not_separate", purpose=purpose, remedy="have it confirmed on its own (PIPL Art. 29)")
    if choices.age_band is None:
        raise ChoicesRefused("age_missing", purpose=purpose, remedy="ask for the age band first")
    if choices.guardian is None and not asked.decides_alone(choices.age_band):
        raise ChoicesRefused("guardian_missing", purpose=purpose, remedy="have a guardian confirm (PIPL Art. 31)")
