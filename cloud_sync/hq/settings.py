"""What the HQ service needs to know."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["HqServiceSettings"]


class HqServiceSettings(BaseModel):
    """One HQ. Without `admin_token_hash` there is no administrator: only stores may read, each its own figures.

    `page_open` shows the page without the token: for a listener that only this machine reaches.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    database_url: str = Field(repr=False)
    admin_token_hash: str | None = Field(default=None, repr=False)
    page_open: bool = False
    max_body_bytes: int = Field(default=4_000_000, ge=1_000)
    body_timeout_s: float = Field(default=30.0, gt=0)
