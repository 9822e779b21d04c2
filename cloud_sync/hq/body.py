"""Reading a request's body, which may be too long, too slow, or not what it says."""

from __future__ import annotations

import asyncio

from pydantic_core import from_json
from starlette.exceptions import HTTPException
from starlette.requests import Request

from edge.outbox.events import BATCH_CONTENT_TYPE, MAX_BATCH

__all__ = ["read_batch", "read_body"]


async def read_batch(request: Request, *, limit: int, timeout_s: float) -> list[object]:
    """The events of a CloudEvents JSON batch, as yet unchecked.

    Raises:
        HTTPException: it is not one (400), too long (413), too slow (408) or of another type (415).
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != BATCH_CONTENT_TYPE:
        raise HTTPException(415, f"send {BATCH_CONTENT_TYPE}")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise HTTPException(415, "send the batch uncompressed")
    body = await read_body(request, limit=limit, timeout_s=timeout_s)
    try:
        batch = from_json(body, allow_inf_nan=False)
    except ValueError:  # it quotes the body, so it goes no further
        raise HTTPException(400, "the body is not JSON") from None
    if not isinstance(batch, list):
        raise HTTPException(400, "the body is not a list of events")
    if len(batch) > MAX_BATCH:
        raise HTTPException(413, f"more than {MAX_BATCH} events in a batch")
    return batch


async def read_body(request: Request, *, limit: int, timeout_s: float) -> bytes:
    """The whole body, which may have at most `limit` bytes and take `timeout_s`."""
    if int(_digits(request.headers.get("content-length", "0"))) > limit:
        raise _too_long(limit)
    body = bytearray()
    try:
        async with asyncio.timeout(timeout_s):
            async for chunk in request.stream():
                body += chunk
                if len(body) > limit:
                    raise _too_long(limit)
    except TimeoutError:
        raise HTTPException(408, f"the body took longer than {timeout_s:g} s") from None
    return bytes(body)


def _digits(length: str) -> str:
    return length if length.isascii() and length.isdigit() and len(length) < 20 else "0"


def _too_long(limit: int) -> HTTPException:
    return HTTPException(413, f"the body is longer than {limit} bytes")
