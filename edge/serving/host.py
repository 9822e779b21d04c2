"""Who the browser thinks it is talking to: a defence against DNS rebinding.

A hostile page can point its own name at this box and so read it through the visitor's browser; the request then bears that
name in its Host header. Names that nobody but the shop can own are let in: loopback, the configured host, plain addresses.
"""

from __future__ import annotations

from ipaddress import ip_address

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["HostCheck", "host_name"]

_LOOPBACK = "localhost"
_MISDIRECTED = 421


def host_name(header: str) -> str | None:
    """The host of a Host header, in lower case and without its port; None where it is malformed.

    An IPv6 address loses its brackets.
    """
    if header.startswith("["):
        name, closed, port = header[1:].partition("]")
        well_formed = bool(closed) and (not port or port.startswith(":"))
        port = port.removeprefix(":")
    else:
        name, _, port = header.partition(":")
        well_formed = True
    if not well_formed or not name or (port and not (port.isascii() and port.isdigit())):
        return None
    return name.lower().removesuffix(".")


class HostCheck:
    """Middleware that answers 421 to a request for a name that is not this box's."""

    def __init__(self, app: ASGIApp, *, configured_host: str) -> None:
        self._app = app
        self._names = {_LOOPBACK, configured_host.lower()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] != "http" or self._is_ours(Headers(scope=scope).getlist("host")):
            await self._app(scope, receive, send)
            return
        refusal = PlainTextResponse("This box does not answer to that name. Use its address.\n", _MISDIRECTED)
        await refusal(scope, receive, send)

    def _is_ours(self, headers: list[str]) -> bool:
        name = host_name(headers[0]) if len(headers) == 1 else None
        return name is not None and (name in self._names or _is_address(name))


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
