"""A listener's connections send at once, on every address that a server may be told to listen on."""

from __future__ import annotations

import socket

import pytest

from edge.serving.listening import listen


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_answers_are_not_held_back(host: str) -> None:
    """What is accepted has Nagle's algorithm turned off; else each answer waits for a delayed acknowledgement."""
    with listen(host, 0) as listener, socket.create_connection((host, listener.getsockname()[1])):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1


def test_a_port_that_is_taken_is_an_error() -> None:
    """Two servers do not share a port."""
    with listen("127.0.0.1", 0) as first, pytest.raises(OSError, match="in use"):
        listen("127.0.0.1", first.getsockname()[1])
