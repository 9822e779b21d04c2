"""The small person detector: its layers, its YOLOX-style output and its export to ONNX."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["HEIGHT", "PAD", "SPREAD", "STRIDES", "WIDTH", "FootfallNet", "anchor_table", "export_onnx"]

WIDTH = 320
HEIGHT = 256
STRIDES = (8, 16, 32)
PAD = 114.0
SPREAD = 64.0


class _Conv(nn.Sequential):
    """Convolution, batch norm and (by default) ReLU: ReLU because it fuses on every CPU."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        *,
        stride: int = 1,
        groups: int = 1,
        act: bool = True,
        padded: bool = True,
    ) -> None:
        layers: list[nn.Module] = [
            nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2 if padded else 0, groups=groups, bias=False),
            nn.BatchNorm2d(outputs, momentum=0.03),
        ]
        if act:
            layers.append(nn.ReLU(inplace=True))
        super().__init__(*layers)


class _Separable(nn.Sequential):
    """Depthwise 5x5 then pointwise: a wide view for few parameters, used where maps are small."""

    def __init__(self, inputs: int, outputs: int, *, stride: int = 1) -> None:
        super().__init__(
            _Conv(inputs, inputs, 5, stride=stride, groups=inputs, act=False),
            _Conv(inputs, outputs, 1),
        )


class _Bottleneck(nn.Module):
    """Residual 1x1 then dense 3x3: dense convolutions are what CPUs run best on large maps."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(_Conv(width, width // 2, 1), _Conv(width // 2, width, 3))

    def forward(self, features: Tensor) -> Tensor:
        return features + cast("Tensor", self.body(features))


class _WideBlock(nn.Module):
    """Residual pointwise, depthwise 5x5, pointwise."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            _Conv(width, width, 1),
            _Conv(width, width, 5, groups=width, act=False),
            _Conv(width, width, 1),
        )

    def forward(self, features: Tensor) -> Tensor:
        return features + cast("Tensor", self.body(features))


class _Pyramid(nn.Module):
    """Max pooling over growing windows, so that people who fill the frame are seen whole."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.enter = _Conv(width, hidden, 1)
        self.leave = _Conv(hidden * 4, width, 1)

    def forward(self, features: Tensor) -> Tensor:
        level = self.enter(features)
        levels = [level]
        for _ in range(3):
            level = functional.max_pool2d(level, 5, 1, 2)
            levels.append(level)
        return cast("Tensor", self.leave(torch.cat(levels, 1)))


class _Head(nn.Module):
    """Box (4) and score (1) of one stride; box and score have a branch each."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.stem = _Separable(width, width)
        box, score = nn.Conv2d(width, 4, 1), nn.Conv2d(width, 1, 1)
        self.box = nn.Sequential(_Separable(width, width), box)
        self.score = nn.Sequential(_Separable(width, width), score)
        with torch.no_grad():
            # Boxes start centred in their cell, three strides wide, five tall; scores at one in a hundred.
            for layer, start in ((box, (0.5, 0.5, math.log(3.0), math.log(5.0))), (score, (-math.log(99.0),))):
                if layer.bias is not None:
                    layer.bias.copy_(torch.tensor(start))

    def forward(self, features: Tensor) -> Tensor:
        features = self.stem(features)
        return torch.cat((self.box(features), self.score(features)), 1)


class FootfallNet(nn.Module):
    """Person detector of about 0.46 M parameters.

    Takes BGR pictures (batch, 3, 256, 320), 0..255, stretched to that size. Gives (batch, N, 5):
    the raw YOLOX box of every cell of strides 8, 16, 32 and the score before its sigmoid.
    """

    def __init__(self) -> None:
        super().__init__()
        self.to_4 = nn.Sequential(_Conv(3, 16, 3, stride=2, padded=False), _Conv(16, 32, 3, stride=2), _Bottleneck(32))
        self.to_8 = nn.Sequential(_Conv(32, 64, 3, stride=2), _Bottleneck(64), _Bottleneck(64))
        self.to_16 = nn.Sequential(_Conv(64, 112, 3, stride=2), _WideBlock(112), _WideBlock(112))
        self.to_32 = nn.Sequential(_Separable(112, 160, stride=2), _WideBlock(160), _WideBlock(160), _Pyramid(160, 48))
        width = 56
        self.side_8, self.side_16, self.side_32 = (_Conv(c, width, 1) for c in (64, 112, 160))
        self.down_16, self.down_8 = _Separable(width, width), _Separable(width, width)
        self.step_16, self.step_32 = (_Separable(width, width, stride=2) for _ in range(2))
        self.up_16, self.up_32 = _Separable(width, width), _Separable(width, width)
        self.heads = nn.ModuleList(_Head(width) for _ in STRIDES)

    def forward(self, images: Tensor) -> Tensor:
        """Raw boxes and scores of pictures, as the class says."""
        # Black outside the picture, so that the export can fold the normalisation into the first convolution.
        framed = functional.pad((images - PAD) / SPREAD, (1, 1, 1, 1), value=-PAD / SPREAD)
        return torch.cat(self.levels(self.to_4[0](framed)), 2).transpose(1, 2)

    def levels(self, features_2: Tensor) -> list[Tensor]:
        """Raw (batch, 5, cells) of each stride from the first convolution's output."""
        features_8 = self.to_8(self.to_4[1:](features_2))
        features_16 = self.to_16(features_8)
        side_32 = self.side_32(self.to_32(features_16))
        side_16 = self.down_16(self.side_16(features_16) + _double(side_32))
        fine = self.down_8(self.side_8(features_8) + _double(side_16))
        middle = self.up_16(side_16 + self.step_16(fine))
        coarse = self.up_32(side_32 + self.step_32(middle))
        return [head(level).flatten(2) for head, level in zip(self.heads, (fine, middle, coarse), strict=True)]


def _double(features: Tensor) -> Tensor:
    return functional.interpolate(features, scale_factor=2.0, mode="nearest")


def anchor_table() -> Tensor:
    """Column, row and stride of every output row, (N, 3), in the order of the network's output."""
    rows: list[Tensor] = []
    for stride in STRIDES:
        row, column = torch.meshgrid(torch.arange(HEIGHT // stride), torch.arange(WIDTH // stride), indexing="ij")
        table = torch.stack((column, row, torch.full_like(row, stride)), -1)
        rows.append(table.reshape(-1, 3))
    return torch.cat(rows).float()


class _Exported(nn.Module):
    """The network with YOLOX's six columns: box, objectness 0..1, and the one class, always 1."""

    def __init__(self, network: FootfallNet) -> None:
        super().__init__()
        self.network = network
        self.enter = _folded(network)

    def forward(self, images: Tensor) -> Tensor:
        raw = torch.cat(self.network.levels(self.enter(images)), 2)
        score = torch.sigmoid(raw[:, 4:])
        return torch.cat((raw[:, :4], score, torch.ones_like(score)), 1).transpose(1, 2)


def _folded(network: FootfallNet) -> nn.Sequential:
    """The first convolution with normalisation and batch norm in its weights: it takes 0..255 as they come."""
    first = cast("nn.Sequential", network.to_4[0])
    conv, norm = cast("nn.Conv2d", first[0]), cast("nn.BatchNorm2d", first[1])
    mean, variance = cast("Tensor", norm.running_mean), cast("Tensor", norm.running_var)
    gain = norm.weight / torch.sqrt(variance + norm.eps)
    plain = nn.Conv2d(conv.in_channels, conv.out_channels, kernel_size=3, stride=2, padding=1)
    with torch.no_grad():
        plain.weight.copy_(conv.weight * gain[:, None, None, None] / SPREAD)
        plain.bias = nn.Parameter(norm.bias - gain * (mean + PAD / SPREAD * conv.weight.sum((1, 2, 3))))
    return nn.Sequential(plain, nn.ReLU())


def export_onnx(network: FootfallNet, path: Path) -> None:
    """Write `network` as a fixed-size ONNX model: `images` in, `output` (1, N, 6) out, opset 17."""
    plain = FootfallNet()  # a fresh copy: in the usual memory layout, whatever the trained one uses
    plain.load_state_dict(network.state_dict())
    exported = _Exported(plain).eval()
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.onnx.export(
        exported,
        (torch.zeros(1, 3, HEIGHT, WIDTH),),
        str(path),
        input_names=["images"],
        output_names=["output"],
        opset_version=17,
        dynamo=False,
    )
