"""Geometry and damage done to training pictures: zoom, crop, colour, blur, noise, dark, JPEG."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["colour_and_damage", "erase", "place"]

_SMALLEST_PX = 5.0  # a person shorter than this in the network's picture is not asked for
_KEPT_SHARE = 0.3  # of a person's box; what is cut off more than that becomes an ignore region


def place(
    rng: np.random.Generator,
    image_bgr: NDArray[np.uint8],
    people_xyxy: NDArray[np.float32],
    ignore_xyxy: NDArray[np.float32],
    *,
    canvas: NDArray[np.uint8],
    window: tuple[int, int, int, int],
    zoom: tuple[float, float],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Draw the picture, randomly zoomed and shifted, into a window of `canvas` (changed in place).

    `zoom` is relative to the scale at which the whole picture just fills the window. The picture is stretched toward the
    network's aspect, mostly as far as `resize = "stretch"` does in a shop, sometimes less.
    Returns people and ignore regions in canvas pixels.
    """
    left, top, right, bottom = window
    width, height = right - left, bottom - top
    source_height, source_width = image_bgr.shape[:2]
    fit = math.sqrt(width / source_width * height / source_height)
    scale = fit * float(np.exp(rng.uniform(np.log(zoom[0]), np.log(zoom[1]))))
    whole = canvas.shape[1] / canvas.shape[0] * source_height / source_width
    stretch = whole ** (0.5 * float(rng.triangular(0.2, 1.0, 1.2))) * float(np.exp(rng.normal(0.0, 0.09)))
    scale_x, scale_y = scale * stretch, scale / stretch
    angle = float(rng.normal(0.0, 0.05)) if rng.random() < 0.3 else 0.0
    cos, sin = np.cos(angle), np.sin(angle)
    linear = np.array([[cos * scale_x, -sin * scale_y], [sin * scale_x, cos * scale_y]])
    centre = linear @ np.array([source_width / 2, source_height / 2])
    free_x, free_y = width - source_width * scale_x, height - source_height * scale_y
    middle = np.array(
        [
            width / 2 + float(rng.uniform(-0.55, 0.55)) * abs(free_x),
            height / 2 + float(rng.uniform(-0.55, 0.55)) * abs(free_y),
        ]
    )
    shift = middle - centre
    matrix = np.concatenate((linear, shift[:, None]), 1)
    source, drawn = image_bgr, matrix
    if scale < 0.6:  # warpAffine does not average: halve first, or thin people dissolve
        source = np.asarray(cv2.resize(image_bgr, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))
        drawn = np.concatenate((linear * 2.0, shift[:, None]), 1)
    canvas[top:bottom, left:right] = cv2.warpAffine(
        source,
        drawn,
        (width, height),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(114, 114, 114),
    )
    offset = np.array([left, top, left, top], np.float32)
    people, kept = _clip(_warp(people_xyxy, matrix), width, height)
    size = people[:, 2:] - people[:, :2]
    good = (kept >= _KEPT_SHARE) & (size.max(1, initial=0.0) >= _SMALLEST_PX) & (size.min(1, initial=99.0) >= 3.0)
    skip, _ = _clip(_warp(ignore_xyxy, matrix), width, height)
    skip = np.concatenate((skip, people[~good & (kept > 0)]))
    skip = skip[(skip[:, 2] > skip[:, 0]) & (skip[:, 3] > skip[:, 1])]
    return people[good] + offset, skip + offset


def _warp(boxes_xyxy: NDArray[np.float32], matrix: NDArray[np.float64]) -> NDArray[np.float32]:
    if not len(boxes_xyxy):
        return boxes_xyxy
    x, y = boxes_xyxy[:, [0, 2, 2, 0]], boxes_xyxy[:, [1, 1, 3, 3]]
    # The hull of turned corners is larger than the person: take the corners of an inscribed
    # octagon's extent instead, i.e. points a quarter along each side.
    u = np.concatenate((x * 0.75 + np.roll(x, 1, 1) * 0.25, x * 0.75 + np.roll(x, -1, 1) * 0.25), 1)
    v = np.concatenate((y * 0.75 + np.roll(y, 1, 1) * 0.25, y * 0.75 + np.roll(y, -1, 1) * 0.25), 1)
    new_x = matrix[0, 0] * u + matrix[0, 1] * v + matrix[0, 2]
    new_y = matrix[1, 0] * u + matrix[1, 1] * v + matrix[1, 2]
    return np.stack((new_x.min(1), new_y.min(1), new_x.max(1), new_y.max(1)), 1).astype(np.float32)


def _clip(boxes_xyxy: NDArray[np.float32], width: int, height: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Boxes cut to the window, and the share of each box's area that is left."""
    clipped = boxes_xyxy.copy()
    clipped[:, 0::2] = clipped[:, 0::2].clip(0, width)
    clipped[:, 1::2] = clipped[:, 1::2].clip(0, height)
    before = (boxes_xyxy[:, 2:] - boxes_xyxy[:, :2]).prod(1)
    after = (clipped[:, 2:] - clipped[:, :2]).prod(1)
    return clipped, (after / np.maximum(before, 1e-6)).astype(np.float32)


def erase(rng: np.random.Generator, image_bgr: NDArray[np.uint8], people_xyxy: NDArray[np.float32]) -> None:
    """Cover a part of some people, mostly the legs, as shelves and counters do (in place)."""
    for box in people_xyxy:
        if rng.random() > 0.35:
            continue
        left, top, right, bottom = (float(side) for side in box)
        width, height = right - left, bottom - top
        if height < 16 or width < 8:
            continue
        if rng.random() < 0.7:  # from below
            y1, y2 = bottom - height * float(rng.uniform(0.15, 0.45)), bottom
            x1, x2 = left - width * float(rng.uniform(0, 0.6)), right + width * float(rng.uniform(0, 0.6))
        else:  # from a side
            side = float(rng.uniform(0.15, 0.4)) * width
            x1, x2 = (left, left + side) if rng.random() < 0.5 else (right - side, right)
            y1, y2 = top, bottom
        x1, y1 = max(x1, 0.0), max(y1, 0.0)
        colour = rng.integers(0, 256, 3)
        patch = image_bgr[int(y1) : int(y2), int(x1) : int(x2)]
        if rng.random() < 0.5:
            patch[:] = colour
        else:  # something from elsewhere in the picture
            rows, columns = patch.shape[:2]
            from_y = int(rng.integers(0, max(1, image_bgr.shape[0] - rows)))
            from_x = int(rng.integers(0, max(1, image_bgr.shape[1] - columns)))
            patch[:] = image_bgr[from_y : from_y + rows, from_x : from_x + columns].copy()


def colour_and_damage(rng: np.random.Generator, image_bgr: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Light, colour and what cheap cameras do: exposure, cast, blur, noise, darkness, JPEG."""
    image = image_bgr
    if rng.random() < 0.4:
        image = _shift_hue(rng, image)
    if rng.random() < 0.06:
        image = np.repeat(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)[..., None], 3, 2)
    image = np.asarray(cv2.LUT(image, _tone_curves(rng)), np.uint8)
    if rng.random() < 0.15:
        image = _blur(rng, image)
    if rng.random() < 0.2:
        noise: NDArray[np.int16] = np.empty(image.shape, np.int16)
        cv2.setRNGSeed(int(rng.integers(1 << 31)))
        cv2.randn(noise, np.zeros(3), np.full(3, rng.uniform(2, 14)))
        image = np.asarray(cv2.add(image, noise, dtype=cv2.CV_8U), np.uint8)
    if rng.random() < 0.2:
        quality = int(rng.integers(15, 70))
        _, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
        image = np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), np.uint8)
    return image


def _tone_curves(rng: np.random.Generator) -> NDArray[np.uint8]:
    """One look-up table a channel: gamma, contrast, brightness and colour cast."""
    level = np.linspace(0.0, 1.0, 256)
    gamma = float(np.exp(rng.normal(0.0, 0.25)))
    contrast = float(rng.uniform(0.65, 1.3))
    brightness = float(rng.uniform(-0.12, 0.12))
    dark = float(rng.uniform(0.2, 0.6)) if rng.random() < 0.12 else 1.0
    curve = ((level**gamma - 0.5) * contrast + 0.5 + brightness) * dark
    cast = np.exp(rng.normal(0.0, 0.06, 3))
    tables = (curve[:, None] * cast[None, :] * 255).clip(0, 255)
    return tables.astype(np.uint8).reshape(1, 256, 3)


def _shift_hue(rng: np.random.Generator, image_bgr: NDArray[np.uint8]) -> NDArray[np.uint8]:
    hsv = cv2.cvtColor(image_bgr, cv2.COLOR_BGR2HSV)
    level = np.arange(256)
    hue = (level + int(rng.integers(-10, 11))) % 180
    saturation = (level * float(rng.uniform(0.4, 1.5))).clip(0, 255)
    table = np.stack((hue, saturation, level), -1).astype(np.uint8).reshape(1, 256, 3)
    return np.asarray(cv2.cvtColor(cv2.LUT(hsv, table), cv2.COLOR_HSV2BGR), np.uint8)


def _blur(rng: np.random.Generator, image_bgr: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if rng.random() < 0.5:
        return np.asarray(cv2.GaussianBlur(image_bgr, (0, 0), float(rng.uniform(0.6, 1.8))), np.uint8)
    small = float(rng.uniform(0.35, 0.7))  # a camera of fewer pixels, enlarged
    height, width = image_bgr.shape[:2]
    reduced = cv2.resize(image_bgr, None, fx=small, fy=small, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(reduced, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
