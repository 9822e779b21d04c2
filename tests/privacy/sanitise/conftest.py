"""A sanitiser with a readable token, and one without a region of numbers like China's."""

from __future__ import annotations

import hashlib

import pytest

from edge.privacy.sanitise.sanitiser import Sanitiser


def _token(number: str) -> str:
    """Keyless, for tests alone: letters that follow from the number."""
    return "t_" + "".join(chr(ord("a") + int(digit, 16)) for digit in hashlib.sha256(number.encode()).hexdigest()[:12])


@pytest.fixture(scope="session")
def token():
    """A token function as a sanitiser takes it."""
    return _token


@pytest.fixture(scope="session")
def sanitiser() -> Sanitiser:
    """For a shop in China."""
    return Sanitiser(_token, region="CN")


@pytest.fixture(scope="session")
def sanitiser_in():
    """A function that makes one for a shop in a region."""
    return lambda region: Sanitiser(_token, region=region)
