"""Walking people as hulls of balls: drawn by perspective, with boxes known to the pixel."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge.simulate.perspective import View

__all__ = ["Figure", "Look", "Stance", "foot_point", "pose", "random_look"]

Colour = tuple[int, int, int]

_CORNERS = 12
_ANGLES = np.arange(_CORNERS) * (2 * math.pi / _CORNERS)
_CIRCLE = np.stack((np.cos(_ANGLES), np.sin(_ANGLES)), -1)
_SHIFT = 4  # cv2 draws with this many bits of sub-pixel precision
_SKINS: tuple[Colour, ...] = ((189, 205, 240), (150, 180, 225), (110, 145, 200), (70, 100, 150), (45, 65, 100))
_HAIRS: tuple[Colour, ...] = ((25, 25, 28), (30, 40, 55), (45, 70, 100), (90, 140, 175), (150, 150, 150), (40, 45, 90))


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a person wears and is like; lengths in metres, colours BGR."""

    stature_m: float
    build: float  # 1 is average; scales widths
    skin: Colour
    hair: Colour
    top: Colour
    bottom: Colour
    shoes: Colour
    stripe: Colour | None
    bag: Colour | None
    backpack: Colour | None
    hat: Colour | None
    long_hair: bool
    bald: bool
    short_sleeves: bool
    coat: bool
    skirt: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Stance:
    """Where a person stands on the floor, which way they face, and how far through their stride."""

    x_m: float
    y_m: float
    heading_rad: float  # 0 faces +x, counter-clockwise as seen from above
    walked_m: float  # drives the legs
    stride_m: float  # of one step; 0 stands still


@dataclass(frozen=True, slots=True)
class _Part:
    """Balls (k, 4): forward, left, up, radius as shares of stature; drawn as their hull."""

    balls: tuple[tuple[float, float, float, float], ...]
    colour: Colour
    lit: bool = True
    rank: float = 0.0  # metres towards the viewer, to settle which of two touching parts is on top


def random_look(rng: np.random.Generator) -> Look:
    """A random person: mostly grown-ups, some children; everyday clothes."""
    child = rng.random() < 0.06
    stature = float(rng.uniform(1.15, 1.45)) if child else float(np.clip(rng.normal(1.69, 0.09), 1.48, 1.95))
    return Look(
        stature_m=stature,
        build=float(np.clip(rng.normal(1.05, 0.12), 0.85, 1.4)),
        skin=_vary(rng, _SKINS[int(rng.integers(len(_SKINS)))], 10),
        hair=_vary(rng, _HAIRS[int(rng.integers(len(_HAIRS)))], 10),
        top=_cloth(rng),
        bottom=_vary(rng, (90, 60, 45), 25) if rng.random() < 0.4 else _cloth(rng, darker=0.6),
        shoes=_cloth(rng, darker=0.5),
        stripe=_cloth(rng) if rng.random() < 0.2 else None,
        bag=_cloth(rng) if rng.random() < 0.3 else None,
        backpack=_cloth(rng, darker=0.7) if rng.random() < 0.15 else None,
        hat=_cloth(rng) if rng.random() < 0.1 else None,
        long_hair=bool(rng.random() < 0.4),
        bald=bool(rng.random() < 0.05),
        short_sleeves=bool(rng.random() < 0.4),
        coat=bool(rng.random() < 0.2),
        skirt=bool(rng.random() < 0.15),
    )


def _vary(rng: np.random.Generator, colour: Colour, spread: float) -> Colour:
    varied = np.clip(np.array(colour) + rng.normal(0, spread, 3), 8, 247)
    return (int(varied[0]), int(varied[1]), int(varied[2]))


def _cloth(rng: np.random.Generator, *, darker: float = 1.0) -> Colour:
    """Mostly greys, blacks, whites and blues, as in the street; now and then something bright."""
    if rng.random() < 0.55:
        grey = float(rng.choice((30, 45, 70, 120, 180, 225)))
        return _vary(rng, (int(grey * darker),) * 3, 10)
    hue, saturation, value = rng.integers(180), rng.uniform(60, 230), rng.uniform(60, 240) * darker
    pixel = cv2.cvtColor(np.array([[[hue, saturation, value]]], np.uint8), cv2.COLOR_HSV2BGR)[0, 0]
    return (int(pixel[0]), int(pixel[1]), int(pixel[2]))


def _feet(stance: Stance, stature_m: float) -> tuple[tuple[float, float], tuple[float, float]]:
    """(forward, lift) of both ankles: the standing foot stays where it is, the other swings by."""
    if stance.stride_m <= 0:
        return (0.02, 0.0), (-0.01, 0.0)
    # A little under half a step, so that the lowest point of a walker only ever moves on.
    reach = 0.46 * stance.stride_m / stature_m
    feet: list[tuple[float, float]] = []
    for half in (0.0, 0.5):
        turn = (stance.walked_m / (2 * stance.stride_m) + half) % 1.0
        if turn < 0.5:  # on the floor: slides back under the body
            feet.append((reach * (1 - 4 * turn), 0.0))
        else:
            feet.append((reach * (4 * turn - 3), 0.035 * math.sin((turn - 0.5) * 2 * math.pi)))
    return feet[0], feet[1]


def _leg(look: Look, side: float, foot: tuple[float, float]) -> list[_Part]:
    forward, lift = foot
    hip, wide = 0.055 * side * look.build, look.build
    knee = (forward * 0.5 + 0.02 + lift * 0.8, hip, 0.27 + lift * 0.5)
    thigh = _Part(((0.0, hip, 0.5, 0.056 * wide), (*knee, 0.042 * wide)), look.bottom)
    lower = look.skin if look.skirt else look.bottom
    shank = _Part(((*knee, 0.04 * wide), (forward, hip, 0.06 + lift, 0.027 * wide)), lower)
    shoe = _Part(
        ((forward - 0.02, hip, 0.02 + lift, 0.022), (forward + 0.075, hip * 1.15, 0.016 + lift, 0.018)), look.shoes
    )
    return [shoe, shank, thigh]


def _arm(look: Look, side: float, swing: float) -> list[_Part]:
    out = 0.125 * side * look.build
    shoulder = (0.0, out * 0.92, 0.79, 0.034 * look.build)
    elbow = (swing * 0.35 - 0.01, out * 1.15, 0.63, 0.027 * look.build)
    hand = (swing * 0.8 + 0.05, out * 1.1, 0.49 + abs(swing) * 0.2, 0.021)
    sleeve = look.skin if look.short_sleeves else look.top
    parts = [
        _Part((elbow, hand), sleeve),
        _Part((hand, (hand[0] + 0.01, hand[1], hand[2] - 0.03, 0.019)), look.skin, lit=False, rank=0.02),
        _Part((shoulder, elbow), look.top, rank=0.03),
    ]
    if look.bag is not None and side > 0:
        x, y, z, _ = hand
        corners = ((x - 0.07, y, z - 0.06, 0.02), (x + 0.07, y, z - 0.06, 0.02))
        low = ((x - 0.07, y, z - 0.2, 0.02), (x + 0.07, y, z - 0.2, 0.02))
        parts.append(_Part(corners + low, look.bag, rank=0.05))
    return parts


def _trunk(look: Look) -> list[_Part]:
    wide = look.build
    low = 0.36 if look.coat else 0.53
    body: list[tuple[float, float, float, float]] = []
    for side in (-1.0, 1.0):
        body += [
            (-0.005, 0.092 * side * wide, 0.785, 0.045),
            (0.01, 0.06 * side * wide, 0.7, 0.066 * wide),
            (0.01, 0.045 * side * wide, 0.6, 0.064 * wide),
            (0.0, 0.05 * side * wide, low, 0.064 * wide),
        ]
    hips = tuple((0.0, 0.045 * side * wide, 0.5, 0.066 * wide) for side in (-1.0, 1.0))
    parts = [_Part(hips, look.bottom, rank=-0.02), _Part(tuple(body), look.top)]
    if look.skirt:
        hem = tuple((0.0, 0.075 * side * wide, 0.3, 0.05 * wide) for side in (-1.0, 1.0))
        parts.append(_Part(hips + hem, look.bottom, rank=0.05))
    if look.stripe is not None:
        for up in (0.62, 0.7):
            band = tuple((0.012, side * 0.062 * wide, up, 0.058 * wide) for side in (-1.0, 1.0))
            flat = tuple((f, s, u - 0.03 * n, r) for n, (f, s, u, r) in enumerate(band))
            parts.append(_Part(flat, look.stripe, lit=False, rank=0.03 - 0.001 * up))
    if look.backpack is not None:
        corners = tuple((-0.1, side * 0.045, up, 0.05) for side in (-1.0, 1.0) for up in (0.6, 0.74))
        parts.append(_Part(corners, look.backpack))
    return parts


def _head(look: Look) -> list[_Part]:
    parts = [
        _Part(((0.0, 0.0, 0.83, 0.032), (0.005, 0.0, 0.88, 0.034)), look.skin, lit=False, rank=0.02),
        _Part(((0.012, 0.0, 0.9, 0.046), (0.006, 0.0, 0.935, 0.057)), look.skin, rank=0.1),
    ]
    if not look.bald:
        parts.append(_Part(((-0.016, 0.0, 0.93, 0.056), (0.0, 0.0, 0.948, 0.056)), look.hair, rank=0.13))
        if look.long_hair:
            fall = ((-0.03, -0.02, 0.92, 0.05), (-0.03, 0.02, 0.92, 0.05), (-0.045, 0.0, 0.82, 0.045))
            parts.append(_Part(fall, look.hair, rank=0.06))
    if look.hat is not None:
        parts.append(_Part(((-0.01, 0.0, 0.95, 0.06), (0.0, 0.0, 0.965, 0.055)), look.hat, rank=0.16))
        parts.append(_Part(((0.03, 0.0, 0.945, 0.045), (0.07, 0.0, 0.94, 0.035)), look.hat, lit=False, rank=0.15))
    return parts


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A person projected into a view, ready to be drawn."""

    box_xyxy: tuple[float, float, float, float]  # of the whole body, not cut to the picture
    depth_m: float
    floor_px: tuple[float, float]
    _polygons: tuple[tuple[NDArray[np.int32], Colour], ...]
    _shadow_px: tuple[float, float]  # half axes

    def draw_shadow(self, image_bgr: NDArray[np.uint8], *, strength: float = 0.5) -> None:
        """Darken the floor softly under the person (in place)."""
        half_x, half_y = self._shadow_px
        left, top = int(self.floor_px[0] - half_x), int(self.floor_px[1] - half_y)
        right, bottom = int(self.floor_px[0] + half_x) + 1, int(self.floor_px[1] + half_y) + 1
        height, width = image_bgr.shape[:2]
        x1, y1, x2, y2 = max(left, 0), max(top, 0), min(right, width), min(bottom, height)
        if x2 - x1 < 2 or y2 - y1 < 2:
            return
        row = (np.arange(y1, y2) - self.floor_px[1]) / half_y
        column = (np.arange(x1, x2) - self.floor_px[0]) / half_x
        reach = np.maximum(1.0 - row[:, None] ** 2 - column[None] ** 2, 0.0)
        keep = (1.0 - strength * reach).astype(np.float32)
        patch = image_bgr[y1:y2, x1:x2]
        patch[:] = cv2.multiply(patch, cv2.merge((keep, keep, keep)), dtype=cv2.CV_8U)

    def draw(self, image_bgr: NDArray[np.uint8]) -> None:
        """Draw the person (in place)."""
        for polygon, colour in self._polygons:
            cv2.fillConvexPoly(image_bgr, polygon, colour, cv2.LINE_AA, _SHIFT)


def _parts(look: Look, stance: Stance) -> list[_Part]:
    right, left = _feet(stance, look.stature_m)
    parts = _leg(look, -1.0, right) + _leg(look, 1.0, left) + _trunk(look) + _head(look)
    return parts + _arm(look, -1.0, left[0]) + _arm(look, 1.0, right[0])


def _circles(
    balls: NDArray[np.float64], look: Look, stance: Stance, view: View
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Centres in pixels (n, 2), radii in pixels (n,) and depths in metres (n,) of body balls."""
    cos, sin = math.cos(stance.heading_rad), math.sin(stance.heading_rad)
    metres = balls * look.stature_m
    points = np.empty((len(balls), 3))
    points[:, 0] = stance.x_m + metres[:, 0] * cos - metres[:, 1] * sin
    points[:, 1] = stance.y_m + metres[:, 0] * sin + metres[:, 1] * cos
    points[:, 2] = metres[:, 2]
    centres, depths = view.project(points)
    return centres, metres[:, 3] * view.focal_px / depths, depths


def _extent(centres: NDArray[np.float64], radii: NDArray[np.float64]) -> tuple[float, float, float, float]:
    low, high = (centres - radii[:, None]).min(0), (centres + radii[:, None]).max(0)
    return (float(low[0]), float(low[1]), float(high[0]), float(high[1]))


def foot_point(look: Look, stance: Stance, view: View) -> tuple[float, float]:
    """Bottom centre, in pixels, of the person's full-body box: what a line is crossed by."""
    balls = np.array([ball for part in _parts(look, stance) for ball in part.balls])
    centres, radii, _ = _circles(balls, look, stance, view)
    left, _, right, bottom = _extent(centres, radii)
    return ((left + right) / 2, bottom)


def pose(look: Look, stance: Stance, view: View, *, light: float = 1.0) -> Figure:
    """Project a person into `view`; `light` scales the colours."""
    parts = _parts(look, stance)
    balls = np.array([ball for part in parts for ball in part.balls])
    centres, radii, depths = _circles(balls, look, stance, view)
    rims = centres[:, None] + radii[:, None, None] * _CIRCLE
    inner = centres[:, None] + radii[:, None, None] * (_CIRCLE * 0.55 + (-0.28, -0.22))
    fixed = np.rint(np.stack((rims, inner)) * (1 << _SHIFT)).clip(-(1 << 18), 1 << 18).astype(np.int32)
    ordered: list[tuple[float, list[tuple[NDArray[np.int32], Colour]]]] = []
    start = 0
    for part in parts:
        end = start + len(part.balls)
        near = float(depths[start:end].mean()) - part.rank * look.stature_m
        shapes = [(_hull(fixed[0, start:end]), _scaled(part.colour, 0.9 * light))]
        if part.lit:
            shapes.append((_hull(fixed[1, start:end]), _scaled(part.colour, 1.08 * light)))
        ordered.append((near, shapes))
        start = end
    ordered.sort(key=lambda entry: -entry[0])
    floor, floor_depth = view.project(np.array([[stance.x_m, stance.y_m, 0.0]]))
    across = 0.36 * look.stature_m * view.focal_px / float(floor_depth[0])
    down = across * max(0.25, math.sin(view.pitch_rad))
    return Figure(
        box_xyxy=_extent(centres, radii),
        depth_m=float(floor_depth[0]),
        floor_px=(float(floor[0, 0]), float(floor[0, 1])),
        _polygons=tuple(shape for _, shapes in ordered for shape in shapes),
        _shadow_px=(across, down),
    )


def _hull(rims: NDArray[np.int32]) -> NDArray[np.int32]:
    return np.asarray(cv2.convexHull(rims.reshape(-1, 2)), np.int32)


def _scaled(colour: Colour, factor: float) -> Colour:
    blue, green, red = (min(255, int(channel * factor)) for channel in colour)
    return (blue, green, red)
