"""One log line for a request: who asked for what, how it went. Never a body, a query or a header's value."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["AccessLog"]

log = structlog.get_logger(__name__)

_UNPLAIN = re.compile(r"[^A-Za-z0-9/._-]")


class AccessLog:
    """ASGI middleware. `seconds` is a clock that only goes forward."""

    def __init__(self, app: ASGIApp, *, seconds: Callable[[], float] = time.monotonic) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and log its outcome."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = self._seconds(), 0

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, note)
        finally:
            path = _UNPLAIN.sub("?", scope["path"])[:100]
            ms = round((self._seconds() - began) * 1000, 1)
            log.info("request", method=_UNPLAIN.sub("?", scope["method"])[:10], path=path, status=status, ms=ms)
