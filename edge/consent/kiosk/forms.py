"""The forms of the pages: every field bounded, nothing else let in."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from edge.consent.choices import Relation

__all__ = [
    "MOST_WORDS",
    "AgeForm",
    "AskForm",
    "ChooseForm",
    "CodeForm",
    "ConfirmForm",
    "GuardianForm",
    "MoodForm",
    "PlainForm",
    "ReceiptForm",
    "WithdrawForm",
]

MOST_WORDS = 1000
"""Of a question or complaint, in characters."""

_PurposeId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
_LookWish = Annotated[str, StringConstraints(pattern=r"^(lang|size|contrast)=[A-Za-z-]{1,8}$")]


class PlainForm(BaseModel):
    """A button and nothing else. `token`: what this page put into its forms (`FormTokens`)."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    token: str = Field(default="", max_length=64, repr=False)


class ReceiptForm(PlainForm):
    """Which act a receipt is wanted of; the last decision's where none is named."""

    act: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")] | None = None


class MoodForm(PlainForm):
    """A mood button, 1 (very bad) to 5 (very good)."""

    level: int = Field(ge=1, le=5)


class ChooseForm(PlainForm):
    """The switches that are on. `answer`: the button; `none` allows nothing whatever the switches say.

    `look`: another language or size was asked for instead; the switches stay as they are.
    """

    allow: list[_PurposeId] = Field(default=[], max_length=40)
    answer: Literal["chosen", "none"] = "chosen"
    look: _LookWish | None = None


class AgeForm(PlainForm):
    """The age band; no birthday is asked."""

    age: Literal["adult", "14-17", "under-14"]


class GuardianForm(PlainForm):
    """A guardian's own word. `answer` says as what they speak; `stop` leaves out what needs a guardian."""

    answer: Literal[Relation, "stop"]
    present: Literal["yes"] | None = None


class ConfirmForm(PlainForm):
    """Separate consent to one purpose (PIPL Art. 29)."""

    purpose: _PurposeId
    answer: Literal["yes", "no"]


class CodeForm(PlainForm):
    """A receipt code as typed, or the address in its QR code as a scanner types it."""

    code: str = Field(default="", max_length=300, repr=False)


class WithdrawForm(PlainForm):
    """One purpose, or all where none is named."""

    purpose: _PurposeId | None = None


class AskForm(PlainForm):
    """A question or complaint. `contact` is kept only with `contact_ok`, which is consent to `feedback_contact`."""

    kind: Literal["question", "complaint"] = "question"
    words: str = Field(default="", max_length=4 * MOST_WORDS, repr=False)
    contact: str = Field(default="", max_length=400, repr=False)
    contact_ok: Literal["yes"] | None = None
    look: _LookWish | None = None
