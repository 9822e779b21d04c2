"""`threshold simulate`: a shop full of devices for a store, its truth known."""

from __future__ import annotations

import json
import signal
from functools import partial
from pathlib import Path

import click

from edge.commands.options import example, store_option
from edge.errors import ThresholdError
from edge.settings import Settings

__all__ = ["simulate"]

_VIDEO_FPS = 10.0


@click.command(
    epilog=example(
        "threshold simulate --config store.toml --duration 60 --truth truth.json",
        "threshold simulate --state ./demo --video shop.mp4 --video-fps 10",
    )
)
@store_option
@click.option("--duration", type=click.FloatRange(min=1), help="Seconds the shop is open; without it, until SIGTERM.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Same seed, same shop.")
@click.option(
    "--people-per-minute",
    type=click.FloatRange(min=1, max=200),
    default=45.0,
    show_default=True,
    help="How many people walk through each camera's picture.",
)
@click.option(
    "--video",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Every camera shows this file, again and again.",
)
@click.option(
    "--video-fps",
    type=click.FloatRange(min=0.1, max=60),
    help="Pictures per second of --video [default: the file's own, at most 10].",
)
@click.option(
    "--truth",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write what really happened to this JSON file [default: standard output].",
)
def simulate(
    settings: Settings,
    duration: float | None,
    seed: int,
    people_per_minute: float,
    video: Path | None,
    video_fps: float | None,
    truth: Path | None,
) -> None:
    """Simulate every device of a store: cameras, tills, mirrors and kiosks, as real MQTT clients.

    When its time is over, or at SIGTERM, it waits up to 15 s for the gateway's last acknowledgements and then tells the
    truth: people over the lines, messages, sales, moods. `unacked` counts messages the gateway never acknowledged.
    """
    if video_fps is not None and video is None:
        raise click.UsageError("--video-fps goes with --video")

    from edge.logs import configure_logs
    from edge.simulate.shop import ShopPlan, SimulatedShop
    from edge.simulate.truth import write_truth
    from edge.simulate.video import open_video

    configure_logs(process="simulate")
    if not any(settings.devices().values()):
        raise ThresholdError("simulate", f"store {settings.store.id} has no devices", "add [[cameras]] to store.toml")
    plan = ShopPlan(
        seed=seed,
        duration_s=duration,
        people_per_minute=people_per_minute,
        open_source=partial(open_video, str(video), fps=video_fps or _VIDEO_FPS, loop=True) if video else None,
    )
    shop = SimulatedShop(settings, plan)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: shop.stop())
    found = shop.run()
    if truth is None:
        click.echo(json.dumps(found, ensure_ascii=False))
    else:
        write_truth(truth, found)
