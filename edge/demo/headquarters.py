"""What the demo's HQ says it holds, asked over the same HTTPS that sync uses."""

from __future__ import annotations

import ssl
from typing import Any

import httpx

from edge.errors import ThresholdError
from edge.settings import Settings

__all__ = ["hq_summary"]


def hq_summary(settings: Settings) -> dict[str, Any]:
    """HQ's summary of this store.

    Raises:
        ThresholdError: HQ cannot be reached, or refuses.
    """
    hq = settings.hq
    assert hq.url and hq.credential_file and hq.ca_file  # noqa: S101, PT018  the demo wrote them
    trust = ssl.create_default_context(cafile=str(hq.ca_file))
    credential = hq.credential_file.read_text("utf-8").strip()
    try:
        answer = httpx.get(
            f"{hq.url}/v1/stores/{settings.store.id}/summary",
            headers={"Authorization": f"Bearer {credential}"},
            verify=trust,
            timeout=20,
        )
        answer.raise_for_status()
    except httpx.HTTPError as error:
        raise ThresholdError("ask headquarters", str(error), "see logs/hq.log in the demo's state folder") from error
    summary: dict[str, Any] = answer.json()
    return summary
