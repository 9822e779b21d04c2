"""Listening: a socket whose connections send what they have to say at once."""

from __future__ import annotations

import socket

__all__ = ["listen"]


def listen(host: str, port: int, *, backlog: int | None = None) -> socket.socket:
    """A socket listening at that address; an IPv6 address has colons.

    asyncio turns Nagle's algorithm off only for sockets whose protocol is named, which `create_server` leaves open; with it
    the second half of each answer waits for the first one's acknowledgement: 44 ms a request, measured.

    Raises:
        OSError: the address is taken, or not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=backlog)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # on Linux accepted connections inherit it
    return listener
