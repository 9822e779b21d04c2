"""A shop with a consent registry."""

from __future__ import annotations

import pytest
from consenting import Shop


@pytest.fixture
def shop(tmp_path):
    """A registry with a keyring, in a folder of its own; closed at the end."""
    made = Shop(tmp_path)
    yield made
    made.close()
