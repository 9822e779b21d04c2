from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.camera.mask import PrivacyMask

SQUARE = ((0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75))
fractions = st.floats(0, 1)
sizes = st.integers(16, 200)


def white(width: int = 200, height: int = 100) -> np.ndarray:
    return np.full((height, width, 3), 255, np.uint8)


def test_what_is_inside_is_black_and_what_is_outside_is_untouched() -> None:
    """A polygon in relative coordinates hides its part of pictures of any size, in place."""
    mask = PrivacyMask([SQUARE])
    for width, height in ((200, 100), (640, 480), (200, 100)):
        picture = white(width, height)
        mask.apply(picture)
        assert not picture[height // 4 : height * 3 // 4, width // 4 : width * 3 // 4].any()
        assert (picture[: height // 4 - 3] == 255).all()
        assert (picture[:, : width // 4 - 3] == 255).all()


def test_overlapping_polygons_leave_no_hole() -> None:
    """Where two polygons overlap, or one crosses itself, nothing shows through."""
    star = [(0.5, 0.1), (0.75, 0.9), (0.1, 0.4), (0.9, 0.4), (0.25, 0.9)]
    picture = white()
    PrivacyMask([SQUARE, SQUARE[::-1]]).apply(picture)
    assert not picture[50, 100].any()
    picture = white()
    PrivacyMask([star]).apply(picture)
    assert not picture[50, 100].any()


def test_no_polygon_changes_nothing() -> None:
    """Without a mask the picture is as it was."""
    picture = white()
    PrivacyMask([]).apply(picture)
    assert (picture == 255).all()


@given(st.lists(st.tuples(fractions, fractions), min_size=3, max_size=6), sizes, sizes)
def test_every_corner_of_a_polygon_is_black(polygon: list[tuple[float, float]], width: int, height: int) -> None:
    """However degenerate the polygon, the pixels at its corners are hidden."""
    picture = white(width, height)
    PrivacyMask([polygon]).apply(picture)
    for x, y in polygon:
        assert not picture[round(y * (height - 1)), round(x * (width - 1))].any()


@pytest.mark.parametrize(("point", "hidden"), [((100, 50), True), ((10, 10), False), ((50, 25), True)])
def test_points_under_the_mask_are_known(point: tuple[float, float], hidden: bool) -> None:
    """A box that a camera found itself is dropped where its foot stands under the mask."""
    points = np.array([point], np.float32)
    assert PrivacyMask([SQUARE]).hides(points, width=200, height=100).tolist() == [hidden]
