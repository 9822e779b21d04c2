"""Simulated cameras and filmed ones, as a subscriber at a real broker sees them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count, islice, pairwise
from pathlib import Path
from threading import Event
from uuid import UUID

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge.camera.guard import FrameLimits, frame_stamp, inspect_jpeg
from edge.errors import ThresholdError
from edge.messages import Device
from edge.simulate.camera import FrameSender, SimulatedCamera
from edge.simulate.device import ReferenceDevice
from edge.simulate.scene import DoorScene
from edge.simulate.video import FilmedVideo, LiveVideo, VideoCamera, open_video, shown_name

from .conftest import PATIENCE_S, Broker, FakeGateway, settings_of

NewGateway = Callable[..., FakeGateway]
TAKEN = datetime(2026, 3, 1, 9, 30, 0, 250_000, tzinfo=UTC)


def sender_of(mosquitto: Broker) -> FrameSender:
    device = ReferenceDevice(store="shop", device=Device("camera", "door"), mqtt=settings_of(mosquitto))
    numbers = count(1)
    return FrameSender(device, next_id=lambda: UUID(int=next(numbers)), clock=lambda: TAKEN)


def film(path: Path, *, frames: int = 12, fps: float = 20.0, size: tuple[int, int] = (64, 48)) -> Path:
    """A film whose picture number n is a grey of 20 × n."""
    codec = "MJPG" if path.suffix == ".avi" else "mp4v"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), fps, size)
    assert writer.isOpened()
    for number in range(frames):
        writer.write(np.full((size[1], size[0], 3), 20 * number, np.uint8))
    writer.release()
    return path


def numbers_of(pictures: Iterator[NDArray[np.uint8]]) -> list[int]:
    return [round(float(picture.mean()) / 20) for picture in pictures]


def test_a_simulated_camera_is_seen_as_one(mosquitto: Broker, new_gateway: NewGateway) -> None:
    """Its frames are JPEGs the guard takes, of the scene's size, stamped with time and id, and they show the scene."""
    gateway, scene, sender = new_gateway(), DoorScene(seed=3), sender_of(mosquitto)
    camera = SimulatedCamera(sender, scene=scene, fps=5)
    with sender.device as device:
        assert device.wait_connected(PATIENCE_S)
        camera.run(until_s=1.0, stop=Event(), started_s=time.monotonic())
        assert device.frames_published >= 1
        assert gateway.wait(lambda: len(gateway.channel("frame")) == device.frames_published)
    for number, jpeg in enumerate(gateway.channel("frame"), start=1):
        header = inspect_jpeg(jpeg, limits=FrameLimits())
        assert (header.width, header.height) == (640, 480)
        assert frame_stamp(header) == TAKEN
        assert header.comment is not None
        assert str(UUID(int=number)).encode() in header.comment
    seen = cv2.imdecode(np.frombuffer(gateway.channel("frame")[0], np.uint8), cv2.IMREAD_COLOR)
    assert seen is not None
    assert np.abs(seen.astype(int) - scene.frame(0.0).image_bgr).mean() < 8


def test_the_truth_ends_with_the_last_picture(mosquitto: Broker) -> None:
    """A camera tells of those who crossed until its last picture, dropped or not, and of nobody after it."""
    sender = sender_of(mosquitto)
    mosquitto.kill()
    camera = SimulatedCamera(sender, scene=DoorScene(seed=3, people_per_minute=120), fps=5)
    camera.run(until_s=40.0, stop=Event(), started_s=time.monotonic() - 39.9)
    crossings = camera.scene.crossings(until_s=camera.last_frame_s)
    assert 39.0 < camera.last_frame_s < 40.0
    assert sum(camera.crossings().values()) == len(crossings) > 0
    assert (sender.device.frames_published, sender.device.frames_not_sent >= 1) == (0, True)


@pytest.mark.parametrize("name", ["film.avi", "film.mp4"])
def test_a_film_is_published_whole_and_in_order(
    mosquitto: Broker, new_gateway: NewGateway, tmp_path: Path, name: str
) -> None:
    """Every picture of a file goes out once, in its order, stamped like a camera's."""
    gateway, sender = new_gateway(), sender_of(mosquitto)
    video = open_video(str(film(tmp_path / name)))
    with sender.device as device:
        assert device.wait_connected(PATIENCE_S)
        VideoCamera(sender, source=video).run(until_s=None, stop=Event(), started_s=time.monotonic())
        assert device.frames_published + device.frames_not_sent == 12
        assert gateway.wait(lambda: len(gateway.channel("frame")) == device.frames_published)
    decoded = [cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR) for jpeg in gateway.channel("frame")]
    shown = numbers_of(np.asarray(picture, np.uint8) for picture in decoded)
    assert shown == sorted(set(shown))
    assert all(frame_stamp(inspect_jpeg(jpeg, limits=FrameLimits())) == TAKEN for jpeg in gateway.channel("frame"))


def test_no_frame_is_ever_a_file(mosquitto: Broker, new_gateway: NewGateway, tmp_path: Path, monkeypatch) -> None:
    """Publishing a film writes nothing: the folder it works in stays as it was."""
    source = film(tmp_path / "film.avi")
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    new_gateway()
    sender = sender_of(mosquitto)
    with sender.device as device:
        assert device.wait_connected(PATIENCE_S)
        VideoCamera(sender, source=open_video(str(source))).run(until_s=None, stop=Event(), started_s=time.monotonic())
    assert list((tmp_path / "work").iterdir()) == []
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["film.avi"]


def test_a_film_read_twice_gives_the_same_pictures(tmp_path: Path) -> None:
    """The order is the file's, however slow the reader is."""
    source = FilmedVideo(film(tmp_path / "film.avi", fps=100))
    first = numbers_of(source.pictures(Event()))

    def slowly() -> Iterator[NDArray[np.uint8]]:
        for picture in source.pictures(Event()):
            time.sleep(0.03)
            yield picture

    assert first == numbers_of(slowly()) == list(range(12))


def test_fewer_pictures_a_second_leave_some_out(tmp_path: Path) -> None:
    """At a quarter of its own rate a film shows every fourth picture, so that people walk at their own speed."""
    video = FilmedVideo(film(tmp_path / "film.avi", fps=100), fps=25)
    assert video.fps == 25
    assert numbers_of(video.pictures(Event())) == [0, 4, 8]


def test_a_film_is_not_shown_faster_than_it_is(tmp_path: Path) -> None:
    """More pictures a second than the file has do not exist."""
    assert FilmedVideo(film(tmp_path / "film.avi", fps=20), fps=50).fps == 20


def test_a_looped_film_begins_again(tmp_path: Path) -> None:
    """With `loop` the first picture follows the last, until it is stopped."""
    stop = Event()
    video = FilmedVideo(film(tmp_path / "film.avi", frames=5, fps=200), loop=True)
    assert numbers_of(islice(video.pictures(stop), 12)) == [0, 1, 2, 3, 4] * 2 + [0, 1]
    stop.set()
    assert list(video.pictures(stop)) == []


@pytest.mark.parametrize(("size", "shrunk"), [((320, 200), (64, 40)), ((200, 320), (40, 64)), ((64, 48), (64, 48))])
def test_the_longer_side_is_limited(tmp_path: Path, size: tuple[int, int], shrunk: tuple[int, int]) -> None:
    """Pictures are made smaller until no side is longer than allowed, keep their shape, and are never made larger."""
    video = open_video(str(film(tmp_path / "film.avi", frames=1, size=size)), max_side=64)
    assert [(picture.shape[1], picture.shape[0]) for picture in video.pictures(Event())] == [shrunk]


def test_what_is_no_video_is_one_clear_error(tmp_path: Path) -> None:
    """No such file, no film, no stream, no webcam, an unknown address: one line each, and no password in it."""
    (tmp_path / "text.mp4").write_text("not a film")
    for source, says in {
        str(tmp_path / "none.mp4"): "no such file",
        str(tmp_path / "text.mp4"): "no video",
        "rtsp://user:secret@127.0.0.1:9/door": "rtsp://127.0.0.1:9/door",
        "ftp://127.0.0.1/film.mp4": "must begin with",
        "987": "webcam",
    }.items():
        with pytest.raises(ThresholdError) as caught:
            open_video(source)
        assert says in str(caught.value)
        assert "secret" not in str(caught.value)
        assert "\n" not in str(caught.value)


def test_passwords_in_addresses_are_not_shown() -> None:
    """A stream's user, password and query stay out of what is shown."""
    assert shown_name("rtsp://me:pa@ss@cam:554/1?token=x") == "rtsp://cam:554/1"
    assert shown_name("shop.mp4") == "shop.mp4"


class MotionJpeg(BaseHTTPRequestHandler):
    """A network camera over HTTP: `pictures` a connection, then it hangs up."""

    pictures = 30
    connections = 0

    def do_GET(self) -> None:
        type(self).connections += 1
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        for number in range(self.pictures):
            jpeg = bytes(cv2.imencode(".jpg", np.full((48, 64, 3), 5 + number, np.uint8))[1])
            head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n".encode()
            try:
                self.wfile.write(head + jpeg + b"\r\n")
            except OSError:
                return
            time.sleep(0.01)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def network_camera() -> Iterator[str]:
    MotionJpeg.connections = 0
    server = ThreadingHTTPServer(("127.0.0.1", 0), MotionJpeg)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    yield f"http://127.0.0.1:{server.server_port}/stream.mjpeg"
    server.shutdown()
    serving.join()
    server.server_close()


def test_a_stream_shows_its_newest_picture_and_is_reopened(network_camera: str) -> None:
    """A slow reader of a live stream misses pictures and never goes back in time; when the stream ends it is reopened."""
    video = open_video(network_camera)
    assert isinstance(video, LiveVideo)
    stop, shades = Event(), list[float]()
    try:
        for picture in video.pictures(stop):
            shades.append(float(picture.mean()))
            if MotionJpeg.connections >= 2 and len(shades) >= 3:
                stop.set()
            time.sleep(0.08)
    finally:
        video.close()
    steps = [later - earlier for earlier, later in pairwise(shades)]
    assert max(steps) > 1.5
    assert sum(step < -1 for step in steps) <= MotionJpeg.connections
