"""Whether an address is this very machine: there, and only there, plain HTTP will do."""

from __future__ import annotations

from ipaddress import ip_address

__all__ = ["is_loopback"]


def is_loopback(host: str) -> bool:
    """True for `localhost` and the loopback addresses; no name is looked up, for an answer may be forged."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
