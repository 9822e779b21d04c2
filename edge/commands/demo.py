"""`threshold demo`: the whole way from camera frames to privacy-protected counts at HQ, on one machine."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import click

from edge.commands.options import example
from edge.settings import LineSettings

__all__ = ["demo"]

_SCENE_CAMERAS = ("door-left", "door-right")


@click.command(epilog=example("threshold demo --duration 60", "threshold demo --video shop.mp4 --duration 60 --json"))
@click.option("--duration", type=click.FloatRange(min=5), help="Seconds to play; without it, until Ctrl-C.")
@click.option("--video", type=click.Path(path_type=Path, dir_okay=False), help="Play this video as the shop's camera.")
@click.option("--line", "lines", multiple=True, help="Counting line for --video, NAME:x1,y1,x2,y2, relative 0 to 1.")
@click.option("--state", type=click.Path(path_type=Path, file_okay=False), help="Where the demo keeps its state.")
@click.option("--mqtt-port", type=click.IntRange(1, 65535), help="Port of the embedded broker [default: a free one].")
@click.option("--web-port", type=click.IntRange(1, 65535), help="Port of the dashboard [default: a free one].")
@click.option("--hq-port", type=click.IntRange(1, 65535), help="Port of the headquarters [default: a free one].")
@click.option("--seed", type=int, default=1, show_default=True, help="The simulated shop's seed.")
@click.option("--json", "as_json", is_flag=True, help="Make the last line one JSON object.")
def demo(
    duration: float | None,
    video: Path | None,
    lines: tuple[str, ...],
    state: Path | None,
    mqtt_port: int | None,
    web_port: int | None,
    hq_port: int | None,
    seed: int,
    as_json: bool,
) -> int:
    """Play a shop: simulated or filmed shoppers, counted on this machine, their counts at a headquarters."""
    from edge.clock import utc_now
    from edge.demo.accounting import Account
    from edge.demo.demo import Demo, DemoPlan
    from edge.demo.folder import DemoPorts
    from edge.logs import configure_logs

    configure_logs(process="demo")
    if lines and video is None:
        raise click.UsageError("--line goes with --video; the simulated doors have lines of their own")
    if video is not None and not video.is_file():
        raise click.BadParameter(f"no such file: {video}", param_hint="--video")
    state = state or Path(tempfile.mkdtemp(prefix="threshold-demo-"))
    plan = DemoPlan(
        state=state.resolve(),
        cameras=_video_camera(lines) if video else _scene_cameras(),
        duration_s=duration,
        video=video.resolve() if video else None,
        seed=seed,
    )
    ports = DemoPorts.choose(mqtt=mqtt_port, web=web_port, hq=hq_port)
    click.echo(f"state {plan.state}", err=True)
    account: Account = Demo(plan, ports=ports, clock=utc_now, say=lambda text: click.echo(text, err=True)).play()
    click.echo(json.dumps(account.as_json()) if as_json else _table(account.as_json()))
    return 0


def _scene_cameras() -> dict[str, tuple[LineSettings, ...]]:
    from edge.simulate.scene import DoorScene

    x1, y1, x2, y2 = DoorScene(seed=0).line
    return {name: (LineSettings(name="door", points=((x1, y1), (x2, y2))),) for name in _SCENE_CAMERAS}


def _video_camera(lines: tuple[str, ...]) -> dict[str, tuple[LineSettings, ...]]:
    from edge.commands.count import parse_line

    return {"video": tuple(parse_line(line) for line in lines or ("middle:0.5,0,0.5,1",))}


def _table(account: dict[str, object]) -> str:
    return "\n".join(f"{name:<16} {value}" for name, value in account.items())
