from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.camera.input_tensor import placer_for
from edge.camera.letterbox import Letterbox
from edge.models import ModelInput

COLOURS = st.tuples(*[st.integers(0, 255)] * 3)
NUMBERS = st.tuples(*[st.floats(0.5, 200)] * 3)


def test_the_plain_picture_costs_nothing_more() -> None:
    """Today's models want 0 to 255 in planes: nothing lies between them and the letterbox."""
    assert isinstance(placer_for(ModelInput(width=96, height=64)), Letterbox)
    assert isinstance(placer_for(ModelInput(width=96, height=64, colour="rgb", pad=0)), Letterbox)


@settings(deadline=None)
@given(colour=COLOURS, scale=st.sampled_from([1.0, 1 / 255]), mean=NUMBERS, std=NUMBERS)
def test_values_are_scaled_then_centred_then_divided(
    colour: tuple[int, ...], scale: float, mean: tuple[float, ...], std: tuple[float, ...]
) -> None:
    """(value * scale - mean) / std, in the order of the colours, for the picture and for the padding beside it."""
    target = ModelInput(width=96, height=64, colour="rgb", scale=scale, mean=mean, std=std)
    placer = placer_for(target)
    for _ in range(2):  # the padding is not normalised twice
        tensor, ratio = placer.place(np.full((64, 48, 3), colour, np.uint8))
    assert ratio == 1.0
    wanted = [(value * scale - mean[i]) / std[i] for i, value in enumerate(reversed(colour))]
    assert tensor[0, :, 10, 10] == pytest.approx(wanted, rel=1e-3, abs=1e-3)
    beside = [(114 * scale - mean[i]) / std[i] for i in range(3)]
    assert tensor[0, :, 10, 90] == pytest.approx(beside, rel=1e-3, abs=1e-3)


def test_a_stretched_picture_fills_the_input_and_knows_its_ratios() -> None:
    """Each side has its own ratio, and no padding is left."""
    tensor, ratios = placer_for(ModelInput(width=96, height=64, resize="stretch")).place(
        np.full((128, 48, 3), 7, np.uint8)
    )
    assert ratios == pytest.approx([2.0, 0.5, 2.0, 0.5])
    assert (tensor == 7).all()


@settings(deadline=None)
@given(width=st.integers(32, 1000), height=st.integers(32, 1000), x=st.floats(0.1, 0.9), y=st.floats(0.1, 0.9))
def test_a_stretch_puts_everything_where_its_ratios_say(width: int, height: int, x: float, y: float) -> None:
    """An edge in the picture lies at its place times the ratio in the input, however far the picture is scaled."""
    column, row = int(x * width), int(y * height)
    picture = np.zeros((height, width, 3), np.uint8)
    picture[row:, :, 0] = 200
    picture[:, column:, 1] = 200
    tensor, ratios = placer_for(ModelInput(width=96, height=64, resize="stretch")).place(picture)
    half = 100
    across, down = (tensor[0, 1].mean(axis=0) < half).sum(), (tensor[0, 0].mean(axis=1) < half).sum()
    assert across == pytest.approx(column * ratios[0], abs=1)
    assert down == pytest.approx(row * ratios[1], abs=1)


@pytest.mark.parametrize("size", [(192, 128), (960, 640), (1000, 700), (96, 640), (960, 64)])
def test_a_stretch_skips_no_pixel(size: tuple[int, int]) -> None:
    """A chequerboard as fine as the picture's pixels comes out as its mean: every pixel had its say."""
    width, height = size
    board = (np.indices((height, width)).sum(axis=0) % 2 * 200).astype(np.uint8)
    tensor, _ = placer_for(ModelInput(width=96, height=64, resize="stretch")).place(np.dstack([board] * 3))
    assert abs(tensor - 100).max() <= 20


def test_a_stretch_forgets_the_picture_before() -> None:
    """After a larger picture, one of the input's own size is taken as it is."""
    placer = placer_for(ModelInput(width=96, height=64, resize="stretch"))
    placer.place(np.full((700, 1000, 3), 255, np.uint8))
    rng = np.random.default_rng(1)
    picture = rng.integers(0, 255, (64, 96, 3), np.uint8)
    tensor, ratios = placer.place(picture)
    assert ratios.tolist() == [1, 1, 1, 1]
    assert np.array_equal(tensor[0].transpose(1, 2, 0), picture)


@pytest.mark.parametrize(("element", "shape"), [("uint8", (1, 64, 96, 3)), ("float16", (1, 64, 96, 3))])
def test_channels_last_and_other_types(element: str, shape: tuple[int, ...]) -> None:
    """The tensor has the model's own layout and type."""
    target = ModelInput.model_validate({"width": 96, "height": 64, "layout": "nhwc", "element": element})
    tensor, _ = placer_for(target).place(np.full((64, 96, 3), (1, 2, 3), np.uint8))
    assert tensor.shape == shape
    assert tensor.dtype == np.dtype(element)
    assert tensor[0, 5, 5].tolist() == [1, 2, 3]
