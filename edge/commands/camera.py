"""`threshold camera`: a video file, a stream or a webcam as a smart camera of a store."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import click

from edge.commands.camera_tune import tune
from edge.commands.options import CONFIG_NAME, example
from edge.errors import ThresholdError
from edge.messages import DEVICE_ID, Device
from edge.settings import MqttSettings, load_settings

if TYPE_CHECKING:
    from edge.simulate.device import ReferenceDevice
    from edge.simulate.video import FilmedVideo, LiveVideo, VideoCamera

    _Video = FilmedVideo | LiveVideo

__all__ = ["camera"]

_TELL_EVERY_S = 30.0
_LOOK_S = 0.5
_RETRY_S = 1.0
_RETRY_LONGEST_S = 30.0


@click.group(epilog=example("threshold camera publish --source shop.mp4 --loop --store my-shop --id door"))
def camera() -> None:
    """Make a smart camera out of a video, and set up the cameras of a store."""


camera.add_command(tune)


def _identifier(_context: click.Context, _option: click.Parameter, value: str | None) -> str | None:
    if value is not None and DEVICE_ID.fullmatch(value) is None:
        raise click.BadParameter("use 1 to 40 of a-z, 0-9 and -")
    return value


@camera.command(
    epilog=example(
        "threshold camera publish --source shop.mp4 --loop --store my-shop --id door --host 192.168.1.10",
        "threshold camera publish --source rtsp://192.168.1.20/stream1 --config store.toml --id door --fps 5",
        "threshold camera publish --source 0 --state ./demo --id door",
    )
)
@click.option("--source", required=True, help="A video file, a stream (rtsp://… or http://…), or a webcam's number.")
@click.option("--id", "camera_id", required=True, callback=_identifier, help="The camera's id in store.toml.")
@click.option("--store", callback=_identifier, help="The store's id.")
@click.option("--config", type=click.Path(path_type=Path), help="Take store and broker from this store.toml.")
@click.option("--state", type=click.Path(path_type=Path), help="Take store and broker from this folder's store.toml.")
@click.option("--host", help="The MQTT broker [default: 127.0.0.1].")
@click.option("--port", type=click.IntRange(1, 65535), help="The broker's port [default: 1883].")
@click.option("--username", help="The camera's name at the broker.")
@click.option(
    "--password-file", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="File with its password."
)
@click.option(
    "--ca-file", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Speak TLS and trust this CA (PEM)."
)
@click.option("--fps", type=click.FloatRange(min=0.1, max=60), help="Pictures per second [default: the source's own].")
@click.option("--loop", is_flag=True, help="Start a file again when it ends.")
@click.option(
    "--max-side",
    type=click.IntRange(64, 4096),
    default=960,
    show_default=True,
    help="Shrink pictures until no side is longer, in pixels.",
)
def publish(
    source: str,
    camera_id: str,
    store: str | None,
    config: Path | None,
    state: Path | None,
    fps: float | None,
    loop: bool,
    max_side: int,
    **broker: Any,
) -> None:
    """Publish a video as a smart camera: JPEG frames over MQTT, none of them ever on a disk.

    Without a broker or its stream it waits, and says so. A file ends by itself unless --loop is given; everything else runs
    until SIGTERM.
    """
    from edge.simulate.camera import FrameSender
    from edge.simulate.device import ReferenceDevice
    from edge.simulate.video import VideoCamera, is_live, open_video

    _quiet()
    if loop and is_live(source):
        raise click.UsageError("--loop is for files; a stream or a webcam does not end")
    if not is_live(source) and not Path(source).is_file():
        raise click.BadParameter(f"no such file: {source}", param_hint="--source")
    store, mqtt = _store_and_broker(store, config, state, broker)
    stop = _stop_signal()
    video = _await_source(source, stop, lambda: open_video(source, fps=fps, loop=loop, max_side=max_side))
    if video is None:
        return
    try:
        with ReferenceDevice(store=store, device=Device("camera", camera_id), mqtt=mqtt) as device:
            _play(VideoCamera(FrameSender(device, next_id=uuid4), source=video), stop, video)
    finally:
        video.close()


def _await_source(source: str, stop: Event, open_it: Callable[[], _Video]) -> _Video | None:
    """The opened source, or None once stopped. A stream that is away is tried again: a camera may start later than its box.

    Raises:
        ThresholdError: a file or a webcam cannot be opened, or the address is of no kind that can be.
    """
    from edge.simulate.video import is_stream

    wait_s, told = _RETRY_S, False
    while not stop.is_set():
        try:
            return open_it()
        except ThresholdError as error:
            if not is_stream(source):
                raise
            if not told:
                told = True
                _tell(f"{error}; trying again")
        stop.wait(wait_s)
        wait_s = min(2 * wait_s, _RETRY_LONGEST_S)
    return None


def _store_and_broker(
    store: str | None, config: Path | None, state: Path | None, broker: dict[str, Any]
) -> tuple[str, MqttSettings]:
    """Which store and which broker: from its settings, with the plain options on top."""
    if config is not None and state is not None:
        raise click.UsageError("name the store with one of --store, --config FILE or --state DIR")
    given = {name: value for name, value in broker.items() if value is not None}
    path = config if state is None else state / CONFIG_NAME
    if path is not None:
        settings = load_settings(path)
        return store or settings.store.id, settings.mqtt.model_copy(update=given)
    if store is None:
        raise click.UsageError("name the store with --store ID, --config FILE or --state DIR")
    return store, MqttSettings(**given)


def _play(camera: VideoCamera, stop: Event, video: _Video) -> None:
    """Run the camera in a thread; this one tells how it goes on standard error."""
    _await_broker(camera.sender.device, stop)
    with ThreadPoolExecutor(max_workers=1) as pool:
        playing = pool.submit(camera.run, until_s=None, stop=stop, started_s=time.monotonic())
        try:
            _watch(playing, camera.sender.device, video)
        finally:
            stop.set()
    playing.result()
    _tell(_progress(camera.sender.device))


def _await_broker(device: ReferenceDevice, stop: Event) -> None:
    """Do not begin to play into the void: a file would be over before anybody saw it."""
    told = False
    while not (stop.is_set() or device.wait_connected(_LOOK_S)):
        if device.trouble and not told:
            told = True
            _tell(f"{device.trouble}; waiting for it")


def _watch(playing: Future[None], device: ReferenceDevice, video: _Video) -> None:
    """Tell of every loss of broker or source once, of its return, and now and then of the progress."""
    told_s, connected, lost = time.monotonic(), True, False
    every_s = 1.0 if sys.stderr.isatty() else _TELL_EVERY_S
    while wait([playing], timeout=_LOOK_S).not_done:
        if video.lost != lost:
            lost = video.lost
            _tell("the source has gone; trying again" if lost else "the source is back")
        if device.connected != connected:
            connected = device.connected
            _tell("connected again" if connected else f"{device.trouble or 'the broker is away'}; trying again")
        if connected and time.monotonic() - told_s >= every_s:
            told_s = time.monotonic()
            _tell(_progress(device), again=sys.stderr.isatty())


def _progress(device: ReferenceDevice) -> str:
    return f"{device.frames_published} frames published, {device.frames_not_sent} dropped"


def _tell(text: str, *, again: bool = False) -> None:
    """One line on standard error; with `again` the next one is written over it."""
    click.echo(f"\r{text}\033[K" if again else f"threshold: {text}", err=True, nl=not again)


def _quiet() -> None:
    """Someone looks at this terminal: what the log would say is said in words."""
    import logging

    from edge.logs import configure_logs

    configure_logs(process="camera", level=logging.ERROR)


def _stop_signal() -> Event:
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
