"""The empty shop behind the people: floor, walls, shelves and light, painted once per view."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge.simulate.perspective import View

__all__ = ["Room", "paint_counter", "paint_room", "random_room"]

Point = tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """A rectangular shop; the camera hangs on the wall y = 0, the back wall may have an open door."""

    left_m: float
    right_m: float
    depth_m: float
    wall_m: float  # height of the walls
    door_m: tuple[float, float] | None  # from, to on the back wall; open to the street
    door_height_m: float = 2.4


def random_room(rng: np.random.Generator) -> Room:
    """A room between a kiosk and a hall, most with a door in the back wall."""
    half = float(rng.uniform(2.2, 7.0))
    middle = float(rng.uniform(-0.5, 0.5)) * half
    wide = float(rng.uniform(0.6, 1.6))
    return Room(
        left_m=-half,
        right_m=half * float(rng.uniform(0.8, 1.2)),
        depth_m=float(rng.uniform(5.0, 16.0)),
        wall_m=float(rng.uniform(2.3, 3.2)),
        door_m=(middle - wide, middle + wide) if rng.random() < 0.6 else None,
    )


def paint_room(view: View, room: Room, rng: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Paint the empty room; returns the picture and where it is the room rather than the street."""
    picture = np.empty((view.height, view.width, 3), np.uint8)
    picture[:] = _shade(rng, low=60, high=200)
    _street(picture, view, room, rng)
    street = picture.copy()
    tall, deep, left, right = room.wall_m, room.depth_m, room.left_m, room.right_m
    inside = np.zeros((view.height, view.width), np.uint8)
    wall = _shade(rng, low=90, high=230)
    floor = _floor(rng)
    _paint(picture, view, floor, ((left, deep, 0), (right, deep, 0), (right, 0.05, 0), (left, 0.05, 0)), inside)
    _paint(
        picture,
        view,
        _wall(rng, wall),
        ((left, deep, tall), (right, deep, tall), (right, deep, 0), (left, deep, 0)),
        inside,
    )
    for side, shelf_at in ((left, left + 0.45), (right, right - 0.45)):
        plain = _wall(rng, wall)
        _paint(picture, view, plain, ((side, 0.3, tall), (side, deep, tall), (side, deep, 0), (side, 0.3, 0)), inside)
        if rng.random() < 0.8:
            near = float(rng.uniform(0.3, deep * 0.4))
            far = float(rng.uniform(deep * 0.6, deep - 0.3))
            top = float(rng.uniform(1.2, 2.2))
            goods = _goods(rng, columns=int((far - near) * 4))
            _paint(
                picture,
                view,
                goods,
                ((shelf_at, near, top), (shelf_at, far, top), (shelf_at, far, 0), (shelf_at, near, 0)),
                inside,
            )
            board = np.full((8, 8, 3), wall, np.uint8)
            _paint(
                picture,
                view,
                board,
                ((side, near, top), (side, far, top), (shelf_at, far, top), (shelf_at, near, top)),
                inside,
            )
    if rng.random() < 0.6:
        _poster(picture, view, room, rng)
    if room.door_m is not None:
        start, end = room.door_m
        corners = ((start, deep, room.door_height_m), (end, deep, room.door_height_m), (end, deep, 0), (start, deep, 0))
        hole = np.zeros(inside.shape, np.uint8)
        cv2.fillConvexPoly(hole, _pixels(view, corners), 255)
        inside[hole > 0] = 0
        picture[hole > 0] = street[hole > 0]
        cv2.polylines(picture, [_pixels(view, corners)], False, (70, 70, 70), 2, cv2.LINE_AA)
        if rng.random() < 0.7:
            mat = _speckled(rng, (60, 60, 60), 12, cells=48)
            _paint(
                picture,
                view,
                mat,
                ((start, deep - 0.1, 0), (end, deep - 0.1, 0), (end, deep - 1.2, 0), (start, deep - 1.2, 0)),
                inside,
            )
    return _lit(picture, rng), inside > 0


def paint_counter(
    picture: NDArray[np.uint8], view: View, rng: np.random.Generator, *, x_m: float, y_m: float
) -> NDArray[np.bool_]:
    """Put a counter, table or shelf on the floor (in place); returns which pixels it covers."""
    width, deep, tall = float(rng.uniform(0.6, 2.4)), float(rng.uniform(0.5, 1.0)), float(rng.uniform(0.7, 1.6))
    left, right, near, far = x_m - width / 2, x_m + width / 2, y_m, y_m + deep
    covered = np.zeros(picture.shape[:2], np.uint8)
    front = _goods(rng, columns=int(width * 4)) if rng.random() < 0.6 else _wall(rng, _shade(rng, low=40, high=220))
    side = _wall(rng, _shade(rng, low=40, high=200))
    top = _goods(rng, columns=int(width * 3)) if rng.random() < 0.3 else _wall(rng, _shade(rng, low=70, high=230))
    if left > 0:
        _paint(picture, view, side, ((left, far, tall), (left, near, tall), (left, near, 0), (left, far, 0)), covered)
    if right < 0:
        _paint(
            picture, view, side, ((right, near, tall), (right, far, tall), (right, far, 0), (right, near, 0)), covered
        )
    _paint(picture, view, front, ((left, near, tall), (right, near, tall), (right, near, 0), (left, near, 0)), covered)
    if tall < view.height_m:
        _paint(
            picture,
            view,
            top,
            ((left, far, tall), (right, far, tall), (right, near, tall), (left, near, tall)),
            covered,
        )
    return covered > 0


def _pixels(view: View, corners: Sequence[Point]) -> NDArray[np.int32]:
    pixels, _ = view.project(np.array(corners, np.float64))
    return np.asarray(np.rint(pixels.clip(-30000, 30000)), np.int32)


def _paint(
    picture: NDArray[np.uint8],
    view: View,
    texture: NDArray[np.uint8],
    corners: Sequence[Point],
    covered: NDArray[np.uint8],
) -> None:
    """Warp a texture onto a rectangle of the room (top left, top right, bottom right, bottom left)."""
    pixels, _ = view.project(np.array(corners, np.float64))
    rows, columns = texture.shape[:2]
    source = np.array(((0, 0), (columns, 0), (columns, rows), (0, rows)), np.float32)
    matrix = cv2.getPerspectiveTransform(source, pixels.astype(np.float32))
    size = (view.width, view.height)
    warped = cv2.warpPerspective(texture, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    mask = np.zeros((view.height, view.width), np.uint8)
    cv2.fillConvexPoly(mask, np.rint(pixels.clip(-30000, 30000)).astype(np.int32), 255)
    cv2.copyTo(warped, mask, picture)
    cv2.max(covered, mask, covered)


def _street(picture: NDArray[np.uint8], view: View, room: Room, rng: np.random.Generator) -> None:
    """What is seen through the door: pavement below, house fronts above."""
    unseen = np.zeros(picture.shape[:2], np.uint8)
    deep = room.depth_m
    pavement = _speckled(rng, _shade(rng, low=110, high=190), 10, cells=64)
    _paint(
        picture, view, pavement, ((-9, deep + 8, 0), (9, deep + 8, 0), (9, deep - 0.1, 0), (-9, deep - 0.1, 0)), unseen
    )
    front = _speckled(rng, _shade(rng, low=90, high=220), 14, cells=24)
    _paint(picture, view, front, ((-9, deep + 8, 5), (9, deep + 8, 5), (9, deep + 8, 0), (-9, deep + 8, 0)), unseen)


def _poster(picture: NDArray[np.uint8], view: View, room: Room, rng: np.random.Generator) -> None:
    unseen = np.zeros(picture.shape[:2], np.uint8)
    middle, high = float(rng.uniform(room.left_m, room.right_m)), float(rng.uniform(1.3, 2.0))
    sheet = _goods(rng, columns=int(rng.integers(2, 5)))
    corners = (
        (middle - 0.5, room.depth_m, high + 0.4),
        (middle + 0.5, room.depth_m, high + 0.4),
        (middle + 0.5, room.depth_m, high - 0.4),
        (middle - 0.5, room.depth_m, high - 0.4),
    )
    _paint(picture, view, sheet, corners, unseen)


def _shade(rng: np.random.Generator, *, low: float, high: float) -> tuple[int, int, int]:
    colour = rng.uniform(low, high) + rng.normal(0, 12, 3)
    blue, green, red = (int(channel) for channel in np.clip(colour, 5, 250))
    return (blue, green, red)


def _speckled(
    rng: np.random.Generator, colour: tuple[int, int, int], spread: float, *, cells: int
) -> NDArray[np.uint8]:
    """A 256 x 256 texture of one colour with coarse and fine unevenness."""
    coarse = rng.normal(0, spread, (cells // 8 + 2, cells // 8 + 2, 1)).astype(np.float32)
    fine = rng.normal(0, spread * 0.6, (cells, cells, 3)).astype(np.float32)
    uneven = cv2.resize(coarse, (256, 256), interpolation=cv2.INTER_CUBIC)[..., None]
    uneven = uneven + cv2.resize(fine, (256, 256), interpolation=cv2.INTER_LINEAR)
    return np.clip(np.array(colour, np.float32) + uneven, 0, 255).astype(np.uint8)


def _floor(rng: np.random.Generator) -> NDArray[np.uint8]:
    """Tiles, boards or one piece."""
    colour = _shade(rng, low=70, high=210)
    texture = _speckled(rng, colour, float(rng.uniform(3, 12)), cells=int(rng.choice((16, 48, 128))))
    texture = np.asarray(cv2.resize(texture, (768, 768), interpolation=cv2.INTER_LINEAR))
    kind = rng.random()
    joint = tuple(int(channel * 0.72) for channel in colour)
    if kind < 0.45:
        step = int(rng.choice((32, 48, 64, 96)))
        if rng.random() < 0.4:  # every other tile a shade darker
            dark = (np.add.outer(np.arange(768) // step, np.arange(768) // step) % 2).astype(bool)
            texture[dark] = (texture[dark] * float(rng.uniform(0.5, 0.95))).astype(np.uint8)
        texture[::step] = joint
        texture[:, ::step] = joint
    elif kind < 0.7:
        step = int(rng.choice((16, 24, 32)))
        for start in range(0, 768, step):
            factor = float(rng.uniform(0.85, 1.12))
            board = texture[:, start : start + step]
            board[:] = np.clip(board * factor, 0, 255)
        texture[:, ::step] = joint
    return texture


def _wall(rng: np.random.Generator, colour: tuple[int, int, int]) -> NDArray[np.uint8]:
    return _speckled(rng, colour, float(rng.uniform(1, 6)), cells=32)


def _goods(rng: np.random.Generator, *, columns: int) -> NDArray[np.uint8]:
    """Shelf boards full of packages, or a rail of hanging clothes: upright and colourful, nobody."""
    columns = max(3, min(columns, 40))
    texture = np.full((200, columns * 24, 3), _shade(rng, low=30, high=90), np.uint8)
    clothes = rng.random() < 0.35
    rows = int(rng.integers(1, 3)) if clothes else int(rng.integers(3, 6))
    tall = 200 // rows
    for row in range(rows):
        bottom = (row + 1) * tall - 4
        x = 0
        while x < texture.shape[1]:
            wide = int(rng.integers(5, 14)) if clothes else int(rng.integers(8, 30))
            top = bottom - int(tall * rng.uniform(0.55, 0.88))
            colour = _package(rng)
            cv2.rectangle(texture, (x, top), (x + wide - 2, bottom), colour, -1)
            if not clothes:
                label = _package(rng)
                cv2.rectangle(texture, (x + 2, top + 5), (x + wide - 5, top + 12), label, -1)
            x += wide
        cv2.rectangle(texture, (0, bottom), (texture.shape[1], bottom + 4), (150, 160, 165), -1)
    return texture


def _package(rng: np.random.Generator) -> tuple[int, int, int]:
    grey, tint = float(rng.uniform(30, 230)), float(rng.uniform(0.1, 0.9))
    blue, green, red = (int(channel) for channel in rng.uniform(20, 245, 3) * tint + grey * (1 - tint))
    return (blue, green, red)


def _lit(picture: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Uneven light: pools under lamps, darker corners, a slight cast."""
    field = rng.uniform(0.72, 1.15, (4, 5, 1)).astype(np.float32)
    cast = rng.normal(1.0, 0.03, 3).astype(np.float32)
    coarse = np.ascontiguousarray(field * cast)
    light = cv2.resize(coarse, (picture.shape[1], picture.shape[0]), interpolation=cv2.INTER_CUBIC)
    return np.asarray(cv2.multiply(picture, light, dtype=cv2.CV_8U), np.uint8)
