"""Which cells answer for which person, and what their answers cost.

Task-aligned assignment (Feng et al., TOOD, 2021): of the cells inside a person's box the few whose
score and box fit it best are asked for it, and asked for a score as good as their box.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Losses", "complete_iou", "decode", "detection_loss"]

_CELLS_PER_PERSON = 9
_BOX_WEIGHT = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """Total loss (with gradient) and its two parts as numbers."""

    total: Tensor
    box: float
    score: float


def decode(raw: Tensor, anchors: Tensor) -> Tensor:
    """Turn raw YOLOX boxes (..., N, >=4) into xyxy pixels, in float32."""
    stride = anchors[:, 2:3]
    middle = (raw[..., :2] + anchors[:, :2]) * stride
    half = raw[..., 2:4].clamp(max=6.0).exp() * stride * 0.5
    return torch.cat((middle - half, middle + half), -1)


def _iou(one: Tensor, other: Tensor) -> Tensor:
    """Intersection over union of broadcastable (..., 4) xyxy boxes."""
    overlap = (torch.minimum(one[..., 2:], other[..., 2:]) - torch.maximum(one[..., :2], other[..., :2])).clamp(min=0)
    inner = overlap.prod(-1)
    area = (one[..., 2:] - one[..., :2]).prod(-1) + (other[..., 2:] - other[..., :2]).prod(-1)
    return inner / (area - inner + 1e-6)


def complete_iou(boxes: Tensor, truth: Tensor) -> Tensor:
    """Complete IoU (Zheng et al., 2020) of paired (n, 4) xyxy boxes."""
    iou = _iou(boxes, truth)
    outer = torch.maximum(boxes[:, 2:], truth[:, 2:]) - torch.minimum(boxes[:, :2], truth[:, :2])
    distance = (boxes[:, :2] + boxes[:, 2:] - truth[:, :2] - truth[:, 2:]).square().sum(1) / 4
    size, true_size = boxes[:, 2:] - boxes[:, :2], truth[:, 2:] - truth[:, :2]
    angle = torch.atan(true_size[:, 0] / (true_size[:, 1] + 1e-6)) - torch.atan(size[:, 0] / (size[:, 1] + 1e-6))
    shape = (4 / math.pi**2) * angle.square()
    with torch.no_grad():
        weight = shape / (1 - iou + shape + 1e-6)
    return iou - distance / (outer.square().sum(1) + 1e-6) - weight * shape


def _assign(
    boxes: Tensor, scores: Tensor, truth: Tensor, centres: Tensor, strides: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Cells that answer, the person of each, and the score each is asked for."""
    offsets = torch.minimum(centres[None] - truth[:, None, :2], truth[:, None, 2:] - centres[None]).amin(-1)
    # People smaller than a cell hold no cell's centre; half a cell of grace keeps them findable.
    inside = offsets > -0.5 * strides[None] * (offsets.amax(1, keepdim=True) < 4.0)
    cells = inside.any(0).nonzero()[:, 0]
    overlap = _iou(truth[:, None], boxes[None, cells]) * inside[:, cells]
    metric = scores[None, cells].sqrt() * overlap.pow(4) * inside[:, cells]
    count = min(_CELLS_PER_PERSON, len(cells))
    best, place = metric.topk(count, dim=1)
    chosen = torch.zeros_like(metric).scatter_(1, place, (best > 1e-12).float())
    # A cell wanted by several people goes to the one its box fits best.
    fit = torch.where(chosen > 0, overlap, torch.full_like(overlap, -1.0))
    value, person = fit.max(0)
    taken = value >= 0
    mine = functional.one_hot(person, len(truth)).T.bool() & taken[None]
    metric = metric * mine
    scale = (overlap * mine).amax(1) / metric.amax(1).clamp(min=1e-12)
    target = (metric * scale[:, None]).sum(0)
    return cells[taken], person[taken], target[taken]


def detection_loss(raw: Tensor, people: Sequence[Tensor], ignore: Sequence[Tensor], anchors: Tensor) -> Losses:
    """Loss of a batch: `raw` (batch, N, 5); `people`, `ignore`: (n, 4) xyxy pixels per picture.

    Cells whose centre lies in an ignore region and that answer for nobody cost nothing.
    """
    raw = raw.float()
    boxes = decode(raw, anchors)
    centres, strides = (anchors[:, :2] + 0.5) * anchors[:, 2:3], anchors[:, 2]
    targets = torch.zeros_like(raw[..., 4])
    counted = torch.ones_like(targets)
    picked: list[Tensor] = []
    truths: list[Tensor] = []
    weights: list[Tensor] = []
    with torch.no_grad():
        scores = raw[..., 4].sigmoid()
        for index, (truth, skip) in enumerate(zip(people, ignore, strict=True)):
            if len(skip):
                within = (centres[None] > skip[:, None, :2]) & (centres[None] < skip[:, None, 2:])
                counted[index, within.all(-1).any(0)] = 0.0
            if not len(truth):
                continue
            cells, person, target = _assign(boxes[index], scores[index], truth, centres, strides)
            targets[index, cells] = target
            counted[index, cells] = 1.0
            picked.append(cells + index * len(anchors))
            truths.append(truth[person])
            weights.append(target)
    total_target = targets.sum().clamp(min=1.0)
    loss = functional.binary_cross_entropy_with_logits(raw[..., 4], targets, reduction="none")
    score_loss = (loss * counted).sum() / total_target
    if picked:
        paired = boxes.reshape(-1, 4)[torch.cat(picked)]
        fit = complete_iou(paired, torch.cat(truths))
        box_loss = ((1.0 - fit) * torch.cat(weights)).sum() / total_target
    else:
        box_loss = raw.sum() * 0.0
    total = score_loss + _BOX_WEIGHT * box_loss
    return Losses(total=total, box=float(box_loss.detach()), score=float(score_loss.detach()))
