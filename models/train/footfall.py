"""Train the person detector from scratch and export it to ONNX.

Run from the repository's root: `python -m models.train.footfall --minutes 60`. Needs PyTorch and the
repository's `edge.simulate`; nothing that runs in a shop imports this module.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from models.train.footfall_data import ROOTS, Picture, Sample, TrainingPictures, load_coco, simulated_pictures
from models.train.footfall_loss import Losses, detection_loss
from models.train.footfall_net import HEIGHT, WIDTH, FootfallNet, anchor_table, export_onnx

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Plan", "main", "train"]

_WARM_UP_STEPS = 200
_END = 1 << 40  # no run is this long


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that decides a training run; written into the checkpoint."""

    roots: tuple[str, ...]
    held_out: tuple[str, ...] = ()
    taught: str | None = None
    start: str | None = None
    seed: int = 1
    batch: int = 32
    rate: float = 2e-3
    epochs: float | None = None
    minutes: float | None = None
    simulated: int = 600
    simulated_share: float = 0.2
    workers: int = 1
    threads: int = 2


@dataclass(slots=True)
class _State:
    """What a resumed run needs beside the weights."""

    step: int = 0
    spent_s: float = 0.0
    history: list[str] = field(default_factory=list)


class _Average:
    """Exponential moving average of the weights: what is exported."""

    def __init__(self, network: FootfallNet) -> None:
        self.network = copy.deepcopy(network).eval()
        for parameter in self.network.parameters():
            parameter.requires_grad = False

    @torch.no_grad()
    def update(self, network: FootfallNet, step: int) -> None:
        keep = 0.9985 * (1.0 - math.exp(-(step + 1) / 300))
        ours, theirs = self.network.state_dict(), network.state_dict()
        for name, value in ours.items():
            if value.dtype.is_floating_point:
                value.mul_(keep).add_(theirs[name], alpha=1.0 - keep)
            else:
                value.copy_(theirs[name])


class _Batches:
    """Picks up a batch: pictures as channels-last floats, boxes as tensors."""

    def __call__(self, samples: Sequence[Sample]) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        images = torch.from_numpy(np.stack([sample.image_bgr for sample in samples]))
        people = [torch.from_numpy(sample.people_xyxy) for sample in samples]
        ignore = [torch.from_numpy(sample.ignore_xyxy) for sample in samples]
        return images, people, ignore


def train(plan: Plan, *, out: Path, checkpoint: Path, resume: bool, export_every_s: float) -> None:
    """Train by `plan`, saving `checkpoint` and exporting `out` as it goes and at the end."""
    torch.manual_seed(plan.seed)
    torch.set_num_threads(plan.threads)
    network = _begun(plan)
    average = _Average(network)
    optimiser = _optimiser(network, plan)
    state = _restore(checkpoint, network, average, optimiser) if resume else _State()
    real = _real_pictures(plan)
    total = _total_steps(plan, len(real))
    print(f"parameters {sum(parameter.numel() for parameter in network.parameters())}", flush=True)
    state.history.append(f"pictures {len(real)} real; from step {state.step}; {asdict(plan)}")
    print(state.history[-1], flush=True)
    anchors = anchor_table()
    started = time.monotonic() - state.spent_s
    exported_at = state.spent_s
    parts = np.zeros(3)
    for batch in _batches(plan, real, first=state.step, total=total):
        progress = _progress(plan, step=state.step, total=total, spent_s=state.spent_s)
        if progress >= 1.0:
            break
        _set_rate(optimiser, plan, step=state.step, progress=progress)
        losses = _learn(network, optimiser, batch, anchors)
        average.update(network, state.step)
        state.step += 1
        state.spent_s = time.monotonic() - started
        parts += (losses.box, losses.score, sum(len(boxes) for boxes in batch[1]))
        if state.step % 50 == 0:
            _report(state, parts / 50, progress)
            parts[:] = 0
        if state.spent_s - exported_at > export_every_s:
            exported_at = state.spent_s
            _save(checkpoint, network, average, optimiser, state)
            export_onnx(average.network, out)
    _save(checkpoint, network, average, optimiser, state)
    export_onnx(average.network, out)
    print(f"finished: step {state.step}, {state.spent_s / 60:.1f} min, wrote {out}", flush=True)


def _begun(plan: Plan) -> FootfallNet:
    """The network as a run begins: by chance, or with the weights of `plan.start`."""
    network = FootfallNet()
    if plan.start is not None:
        network.load_state_dict(torch.load(plan.start, weights_only=True)["average"])
    _lay_out_channels_last(network)
    return network


def _batches(
    plan: Plan, real: Sequence[Picture], *, first: int, total: int | None
) -> Iterable[tuple[Tensor, list[Tensor], list[Tensor]]]:
    """Batches from number `first` on: pictures, people, regions to ignore. Mosaics end with a seventh of the run to go."""
    pictures = TrainingPictures(
        real=real,
        simulated=simulated_pictures(plan.simulated, seed=plan.seed) if plan.simulated_share > 0 else [],
        simulated_share=plan.simulated_share,
        seed=plan.seed,
        width=WIDTH,
        height=HEIGHT,
        mosaic_until=_END if total is None else int(0.85 * total) * plan.batch,
    )
    return DataLoader(
        cast("Dataset[Sample]", pictures),
        batch_size=plan.batch,
        sampler=range(first * plan.batch, _END),
        num_workers=plan.workers,
        collate_fn=_Batches(),
        prefetch_factor=4 if plan.workers else None,
    )


def _learn(
    network: FootfallNet,
    optimiser: torch.optim.Optimizer,
    batch: tuple[Tensor, list[Tensor], list[Tensor]],
    anchors: Tensor,
) -> Losses:
    """One step down the slope."""
    images, people, ignore = batch
    network.train()
    with torch.autocast("cpu", torch.bfloat16):
        raw = network(images.permute(0, 3, 1, 2).float())
    losses = detection_loss(raw, people, ignore, anchors)
    optimiser.zero_grad(set_to_none=True)
    torch.autograd.backward(losses.total)
    nn.utils.clip_grad_norm_(network.parameters(), 10.0)
    optimiser.step()
    return losses


def _lay_out_channels_last(network: FootfallNet) -> None:
    """Two thirds faster on a CPU than the default layout."""
    for parameter in network.parameters():
        if parameter.ndim == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)


def _real_pictures(plan: Plan) -> list[Picture]:
    taught = json.loads(Path(plan.taught).read_text(encoding="utf-8"))["people"] if plan.taught else None
    pictures = [picture for root in plan.roots for picture in load_coco(Path(root), taught)]
    return [picture for picture in pictures if picture.group not in plan.held_out]


def _optimiser(network: FootfallNet, plan: Plan) -> torch.optim.AdamW:
    decayed = [p for p in network.parameters() if p.ndim > 1]
    plain = [p for p in network.parameters() if p.ndim <= 1]
    groups: list[dict[str, Any]] = [
        {"params": decayed, "weight_decay": 0.03},
        {"params": plain, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=plan.rate)


def _total_steps(plan: Plan, pictures: int) -> int | None:
    return None if plan.epochs is None else math.ceil(plan.epochs * pictures / plan.batch)


def _progress(plan: Plan, *, step: int, total: int | None, spent_s: float) -> float:
    """Share of the run that is done, by steps, by the clock, or by whichever is further."""
    by_steps = step / total if total else 0.0
    by_clock = spent_s / (plan.minutes * 60) if plan.minutes else 0.0
    return max(by_steps, by_clock)


def _set_rate(optimiser: torch.optim.Optimizer, plan: Plan, *, step: int, progress: float) -> None:
    cosine = 0.02 + 0.98 * 0.5 * (1.0 + math.cos(math.pi * min(progress, 1.0)))
    for group in optimiser.param_groups:
        group["lr"] = plan.rate * cosine * min(1.0, (step + 1) / _WARM_UP_STEPS)


def _report(state: _State, parts: Any, progress: float) -> None:
    line = (
        f"step {state.step} {state.spent_s / 60:.1f} min {progress:.3f} "
        f"box {parts[0]:.3f} score {parts[1]:.3f} people {parts[2]:.0f}"
    )
    print(line, flush=True)


def _save(path: Path, network: FootfallNet, average: _Average, optimiser: torch.optim.Optimizer, state: _State) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "network": network.state_dict(),
        "average": average.network.state_dict(),
        "optimiser": optimiser.state_dict(),
        "state": json.dumps(asdict(state)),
    }
    part = path.with_suffix(".part")
    torch.save(content, part)
    part.replace(path)  # a run killed while saving keeps its last good checkpoint


def _restore(path: Path, network: FootfallNet, average: _Average, optimiser: torch.optim.Optimizer) -> _State:
    content = torch.load(path, weights_only=True)
    network.load_state_dict(content["network"])
    average.network.load_state_dict(content["average"])
    optimiser.load_state_dict(content["optimiser"])
    return _State(**json.loads(content["state"]))


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images-root", action="append", type=Path, help="COCO folder; may be repeated")
    parser.add_argument("--hold-out", action="append", default=[], help="scene kept out of training")
    parser.add_argument("--taught", type=Path, help="file of footfall_teach: whom a teacher's ten looks found")
    parser.add_argument("--start", type=Path, help="checkpoint whose averaged weights to begin with")
    parser.add_argument("--rate", type=float, default=2e-3, help="highest learning rate")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--epochs", type=float)
    parser.add_argument("--minutes", type=float, help="stop (and shape the rate) by the clock instead")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--simulated", type=int, default=600, help="simulated scenes to render")
    parser.add_argument("--simulated-share", type=float, default=0.2)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--checkpoint", type=Path, default=Path(".train/footfall.pt"))
    parser.add_argument("--export-every-s", type=float, default=300.0)
    parser.add_argument("--out", type=Path, default=Path("models/footfall.onnx"))
    given = parser.parse_args(arguments)
    epochs = given.epochs
    if epochs is None and given.minutes is None:
        epochs = 100.0
    plan = Plan(
        roots=tuple(str(root) for root in given.images_root or ROOTS),
        held_out=tuple(given.hold_out),
        taught=str(given.taught) if given.taught else None,
        start=str(given.start) if given.start else None,
        rate=given.rate,
        seed=given.seed,
        batch=given.batch,
        epochs=epochs,
        minutes=given.minutes,
        simulated=given.simulated,
        simulated_share=given.simulated_share,
        workers=given.workers,
        threads=given.threads,
    )
    train(
        plan,
        out=given.out,
        checkpoint=given.checkpoint,
        resume=given.resume,
        export_every_s=given.export_every_s,
    )


if __name__ == "__main__":
    main()
