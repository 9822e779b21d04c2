"""What only PyTorch can show; `make train` makes an environment with it, the ordinary one has none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs PyTorch, which only training has")
pytest.importorskip("onnx", reason="needs onnx, which only training has")

from edge.camera.runtime import open_session  # noqa: E402
from models.train import crossvalidate_footfall, footfall  # noqa: E402
from models.train.footfall_data import ROOTS  # noqa: E402
from models.train.footfall_loss import complete_iou, decode, detection_loss  # noqa: E402
from models.train.footfall_net import HEIGHT, WIDTH, FootfallNet, anchor_table, export_onnx  # noqa: E402
from models.train.register_footfall import described  # noqa: E402

pytestmark = [
    # PyTorch's exporter and its loaders warn of themselves; nothing of ours is meant.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.timeout(600),
]

Weights = dict[str, Any]


@pytest.fixture
def plan(shop: Path) -> footfall.Plan:
    """Six steps of two pictures."""
    return footfall.Plan(roots=(str(shop),), epochs=2, batch=2, simulated=0, simulated_share=0.0, workers=0, threads=1)


def train(plan: footfall.Plan, folder: Path, *, resume: bool = False, export_every_s: float = 1e9) -> Weights:
    """Train in a folder; the weights and their average afterwards."""
    folder.mkdir(exist_ok=True)
    checkpoint = folder / "footfall.pt"
    footfall.train(
        plan, out=folder / "footfall.onnx", checkpoint=checkpoint, resume=resume, export_every_s=export_every_s
    )
    content = torch.load(checkpoint, weights_only=True)
    return {f"{part} {name}": value for part in ("network", "average") for name, value in content[part].items()}


def same(one: Weights, other: Weights) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


# -- Learning


def test_two_pictures_can_be_learnt(room_of: Callable[..., np.ndarray]) -> None:
    """The loss falls to a fraction, and then the best box of each picture lies on its person."""
    torch.manual_seed(1)
    torch.set_num_threads(1)
    boxes = [(40.0, 30.0, 90.0, 160.0), (200.0, 90.0, 260.0, 240.0)]
    images = np.stack([room_of((WIDTH, HEIGHT), [box], seed=seed) for seed, box in enumerate(boxes)])
    inputs = torch.from_numpy(images).permute(0, 3, 1, 2).float()
    people = [torch.tensor([box]) for box in boxes]
    network, anchors, nobody = FootfallNet().train(), anchor_table(), [torch.zeros((0, 4))] * 2
    optimiser = torch.optim.AdamW(network.parameters(), lr=2e-3)
    losses = []
    for _ in range(60):
        raw = network(inputs)
        loss = detection_loss(raw, people, nobody, anchors).total
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert np.mean(losses[-5:]) < 0.35 * np.mean(losses[:5])
    best = raw[..., 4].argmax(1)
    found = decode(raw, anchors)[torch.arange(2), best]
    assert complete_iou(found, torch.cat(people)).min() > 0.5


def test_regions_to_ignore_cost_nothing() -> None:
    """Whatever the network says inside one; outside it does cost."""
    torch.manual_seed(1)
    anchors = anchor_table()
    raw = torch.randn(1, len(anchors), 5)
    centres = (anchors[:, :2] + 0.5) * anchors[:, 2:]
    inside = (centres < 128).all(1)
    louder = torch.where(inside[None, :, None], raw + 2, raw)
    region = [torch.tensor([[0.0, 0.0, 128.0, 128.0]])]
    costs = [
        [float(detection_loss(one, [torch.zeros((0, 4))], ignore, anchors).total) for one in (raw, louder)]
        for ignore in (region, [torch.zeros((0, 4))])
    ]
    assert costs[0][0] == pytest.approx(costs[0][1])
    assert costs[1][0] < costs[1][1]


def test_decoding_is_that_of_the_shop() -> None:
    """The boxes training compares with people are those that the gateway reads off the exported rows."""
    from edge.camera.decoders_yolox import Yolox
    from edge.models import ModelInput, ModelSpec

    torch.manual_seed(1)
    anchors = anchor_table()
    raw = torch.randn(1, len(anchors), 5)
    scored = torch.cat((raw[..., :4], torch.ones(1, len(anchors), 2)), -1)
    size = ModelInput(width=WIDTH, height=HEIGHT)
    spec = ModelSpec(name="t", file="t", sha256="0" * 64, task="t", decoder="yolox", licence="t", input=size)
    boxes, _ = Yolox(spec).decode([scored.numpy()], min_score=0.5)
    assert np.allclose(boxes, decode(raw, anchors)[0].numpy(), rtol=1e-4, atol=1e-2)


# -- The same again


def test_one_seed_is_one_training(plan: footfall.Plan, tmp_path: Path) -> None:
    """To the bit; another seed is another one."""
    one, other = train(plan, tmp_path / "one"), train(plan, tmp_path / "other")
    assert same(one, other)
    assert (tmp_path / "one" / "footfall.onnx").read_bytes() == (tmp_path / "other" / "footfall.onnx").read_bytes()
    assert not same(one, train(replace(plan, seed=2), tmp_path / "third"))


def test_a_run_that_was_stopped_equals_an_unbroken_one(
    plan: footfall.Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped right after a checkpoint, twice, and gone on with: the weights are the same to the bit."""
    whole = train(plan, tmp_path / "whole")

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    for resume in (False, True):
        with monkeypatch.context() as during:
            during.setattr(footfall, "export_onnx", stop)
            with pytest.raises(KeyboardInterrupt):
                train(plan, tmp_path / "broken", resume=resume, export_every_s=0)
    assert same(train(plan, tmp_path / "broken", resume=True), whole)


def test_held_out_scenes_change_nothing(
    plan: footfall.Plan, tmp_path: Path, coco_of: Callable[..., Path], shop: Path
) -> None:
    """A training without a scene equals one whose folder never had it."""
    poorer = tmp_path / "poorer"
    coco_of(
        poorer,
        [
            ("1.png", {"view": "high", "scene": "wall"}, [(16, 8, 32, 40)], []),
            ("2.png", {"view": "high", "scene": "wall"}, [(16, 8, 32, 40), (60, 10, 80, 58)], []),
        ],
    )
    held_out = replace(plan, held_out=("roof", "aisle", "door", "shelves"))
    assert same(train(held_out, tmp_path / "one"), train(replace(plan, roots=(str(poorer),)), tmp_path / "other"))


# -- The file


def test_the_export_equals_the_network(tmp_path: Path) -> None:
    """On pictures of noise, normalisation and all, within 1e-4; and it describes itself as what a shop runs."""
    torch.manual_seed(3)
    network = FootfallNet()
    images = torch.randint(0, 256, (4, 3, HEIGHT, WIDTH)).float()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0
    network.train()
    network(images)  # its running means are those of the pictures now, as after a long training
    network.eval()
    export_onnx(network, tmp_path / "one.onnx")
    onnx_bytes = (tmp_path / "one.onnx").read_bytes()
    session = open_session(onnx_bytes, name="one")
    with torch.no_grad():
        raw = network(images[:1])[0]
    (output,) = session.run(None, {session.get_inputs()[0].name: images[:1].numpy()})
    assert raw.std(0).min() > 0.01, "a network that answers alike everywhere shows nothing"
    assert np.abs(output[0, :, :4] - raw[:, :4].numpy()).max() < 1e-4
    assert np.abs(output[0, :, 4] - raw[:, 4].sigmoid().numpy()).max() < 1e-4
    assert (output[0, :, 5] == 1).all()
    spec = described(onnx_bytes)
    assert (spec.input.width, spec.input.height, spec.output.strides) == (WIDTH, HEIGHT, (8, 16, 32))


# -- Folds


def test_folds_are_trained_and_measured_by_one_command(
    shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By view unless said otherwise; said again, it measures what is trained."""
    words = f"--images-root {shop} --epochs 1 --out {tmp_path / 'folds'} --set batch=2 --set simulated=0"
    words += " --set simulated_share=0.0 --set workers=0 --set threads=1"
    tables = []
    for _ in range(2):
        crossvalidate_footfall.main(words.split())
        out = capsys.readouterr().out
        tables.append(out[out.index("| view |") :])
    assert tables[0] == tables[1]
    assert "finished" not in out, "nothing was trained again"
    scenes = [line.split("|")[2].strip() for line in tables[0].strip().splitlines()[2:]]
    assert scenes == ["aisle", "wall", "roof"]
    assert sorted(path.name for path in (tmp_path / "folds").iterdir()) == ["aisle", "roof", "wall"]


@pytest.mark.parametrize("word", ["start=x.pt", "held_out=()", "epoch=3", "batch"])
def test_a_plan_that_cannot_be_is_refused(shop: Path, word: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Weights to start from may have seen what is held out; the rest are slips of the pen."""
    with pytest.raises(SystemExit):
        crossvalidate_footfall.main(["--images-root", str(shop), "--epochs", "1", "--set", word])
    assert "--set" in capsys.readouterr().err


def test_the_shipped_data_is_what_is_trained_on_unless_said_otherwise() -> None:
    """Human labels and the teacher's."""
    assert [root.parts[-2:] for root in ROOTS] == [("licensed", "train"), ("diverse", "train")]
