"""The glance at a picture."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.camera.view import quantile


@given(st.lists(st.integers(0, 255), min_size=2, max_size=300), st.floats(0, 0.99))
def test_a_quantile_is_numpys(values: list[int], share: float) -> None:
    """The quicker way gives the same number, for grey levels as they are and as fractions."""
    for kind in (np.uint8, np.float32):
        array = np.array(values, kind)
        assert quantile(array, share) == pytest.approx(float(np.quantile(array, share)), abs=1e-4)
