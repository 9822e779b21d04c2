"""A whole simulated shop against a real broker."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.bus.topics import Topic, parse_topic
from edge.camera.guard import FrameLimits, inspect_jpeg
from edge.errors import ThresholdError
from edge.messages import PosTransaction
from edge.settings import Settings
from edge.simulate.kept import ResendAfter
from edge.simulate.shop import ShopPlan, SimulatedShop
from edge.simulate.video import open_video

from .conftest import Broker, FakeGateway, eventually
from .test_camera import film

NewGateway = Callable[..., FakeGateway]
QUICK = ResendAfter(first_s=0.3, longest_s=0.6)
LINE = {"name": "door", "points": [[0.1, 0.5], [0.9, 0.5]]}


def settings_for(broker: Broker) -> Settings:
    return Settings.model_validate(
        {
            "store": {"id": "shop"},
            "mqtt": {"host": broker.host, "port": broker.port},
            "zones": [{"id": "hall", "kind": "entrance"}],
            "cameras": [
                {"id": "door-a", "zone": "hall", "lines": [LINE]},
                {"id": "door-b", "zone": "hall", "lines": [LINE]},
                {"id": "shelf", "zone": "hall"},
            ],
            "tills": [{"id": "till-1", "zone": "hall"}, {"id": "till-2", "zone": "hall"}],
            "mirrors": [{"id": "mirror-1", "zone": "hall"}],
            "kiosks": [{"id": "kiosk-1", "zone": "hall"}],
        }
    )


def plan(**options: object) -> ShopPlan:
    return ShopPlan(**{"seed": 5, "duration_s": 6.0, "resend": QUICK, "drain_s": 60.0, **options})  # type: ignore[arg-type]


def test_a_shop_tells_what_its_devices_did(mosquitto: Broker, new_gateway: NewGateway) -> None:
    """Every device of the settings speaks on its own topics, all messages are acknowledged, and the truth adds up."""
    gateway = new_gateway(lambda _id, times: times >= 2)
    truth = SimulatedShop(settings_for(mosquitto), plan()).run()
    topics = [parse_topic(topic) for topic, _ in gateway.heard]
    spoke = {topic.device.id for topic in topics if isinstance(topic, Topic) and topic.channel != "status"}
    assert {"door-a", "door-b", "shelf", "till-1", "till-2", "mirror-1", "kiosk-1"} >= spoke >= {"door-a", "till-1"}
    assert truth["messages_sent"] == len(gateway.times) > 0
    assert (truth["unacked"], truth["refused"]) == (0, 0)
    assert truth["publishes"] >= 2 * truth["messages_sent"]
    assert gateway.wait(lambda: len(gateway.channel("frame")) == truth["frames_published"])
    assert truth["frames_published"] > 0
    for jpeg in gateway.channel("frame"):
        assert inspect_jpeg(jpeg, limits=FrameLimits()).width == 640
    distinct = {payload: PosTransaction.model_validate_json(payload) for payload in gateway.channel("transaction")}
    counted = [transaction for transaction in distinct.values() if not transaction.training]
    assert sum(truth["sales"]["CNY"][f"{kind}s"] for kind in ("sale", "return", "void")) == len(counted)
    json.dumps(truth)


def test_only_cameras_with_a_line_count(mosquitto: Broker, new_gateway: NewGateway) -> None:
    """`truth_in` and `truth_out` are the sums over the cameras for which the store has a counting line."""
    new_gateway()
    truth = SimulatedShop(settings_for(mosquitto), plan(people_per_minute=200, duration_s=12.0)).run()
    for name, key in (("in", "truth_in"), ("out", "truth_out")):
        assert truth[key] == sum(truth["cameras"][door]["crossings"][name] for door in ("door-a", "door-b"))
    assert truth["truth_in"] + truth["truth_out"] > 0
    assert truth["cameras"]["shelf"]["frames_published"] > 0


def test_the_seed_decides_the_truth(mosquitto: Broker, new_gateway: NewGateway) -> None:
    """Two runs with one seed have the same sales, moods and sizes; their message ids are not the same."""
    gateway = new_gateway()
    told = ("sales", "training", "mood", "words", "sizes_asked", "messages_sent")
    first, second = (SimulatedShop(settings_for(mosquitto), plan(duration_s=5.0)).run() for _ in range(2))
    assert {key: first[key] for key in told} == {key: second[key] for key in told}
    assert len(gateway.times) == first["messages_sent"] + second["messages_sent"]


def test_a_stopped_shop_still_drains_and_tells(mosquitto: Broker, new_gateway: NewGateway) -> None:
    """Without an end of its own a shop runs until it is stopped; then it waits for its acknowledgements."""
    gateway = new_gateway()
    shop = SimulatedShop(settings_for(mosquitto), plan(duration_s=None))
    told: list[dict[str, object]] = []
    running = threading.Thread(target=lambda: told.append(shop.run()))
    running.start()
    assert gateway.wait(lambda: len(gateway.times) >= 2)
    shop.stop()
    running.join()
    assert told[0]["unacked"] == 0
    assert told[0]["messages_sent"] == len(gateway.times)


def test_a_broker_killed_in_mid_run_loses_no_message(mosquitto: Broker, new_gateway: NewGateway) -> None:
    """Cameras go on and drop frames while the broker is away; every message arrives once it is back."""
    gateway = new_gateway()
    shop = SimulatedShop(settings_for(mosquitto), plan(duration_s=14.0, reconnect_max_s=1))
    told: list[dict[str, object]] = []
    running = threading.Thread(target=lambda: told.append(shop.run()))
    running.start()
    assert gateway.wait(lambda: len(gateway.times) >= 2)
    mosquitto.kill()
    assert eventually(lambda: sum(device.frames_not_sent for device in shop.devices) >= 3)
    mosquitto.start()
    running.join()
    assert told[0]["unacked"] == 0
    assert told[0]["messages_sent"] == len(gateway.times)
    assert told[0]["frames_not_sent"] != 0


def test_a_filmed_shop_has_no_known_truth(mosquitto: Broker, new_gateway: NewGateway, tmp_path: Path) -> None:
    """With a video every camera shows that video, and nobody pretends to know who crossed."""
    gateway, path = new_gateway(), film(tmp_path / "film.avi", frames=4, fps=20)
    truth = SimulatedShop(
        settings_for(mosquitto), plan(duration_s=6.0, open_source=lambda: open_video(str(path), loop=True))
    ).run()
    assert (truth["truth_in"], truth["truth_out"]) == (None, None)
    assert all(truth["cameras"][name]["frames_published"] > 4 for name in ("door-a", "door-b"))
    assert all(inspect_jpeg(jpeg, limits=FrameLimits()).width == 64 for jpeg in gateway.channel("frame"))


def test_a_camera_that_fails_ends_the_shop(mosquitto: Broker, tmp_path: Path) -> None:
    """When the video cannot be read any more the shop does not run on in silence: its error is raised."""
    path = film(tmp_path / "film.avi", frames=4, fps=20)
    shop = SimulatedShop(
        settings_for(mosquitto), plan(duration_s=None, open_source=lambda: open_video(str(path), loop=True))
    )
    path.write_bytes(b"gone")
    with pytest.raises(ThresholdError, match="open video"):
        shop.run()


def test_a_shop_without_a_gateway_says_how_much_is_unacknowledged(mosquitto: Broker) -> None:
    """The wait for acknowledgements ends; what was not acknowledged is counted and not called sent and stored."""
    truth = SimulatedShop(settings_for(mosquitto), plan(duration_s=4.0, drain_s=0.5)).run()
    assert truth["unacked"] == truth["messages_sent"] > 0


def test_nobody_is_half_way_at_the_end() -> None:
    """Shoppers stop coming in before the end: 16 s before it, in short runs at half time."""
    assert ShopPlan(duration_s=60.0).last_entry_s == 44.0
    assert ShopPlan(duration_s=10.0).last_entry_s == 5.0
    assert ShopPlan().last_entry_s is None
