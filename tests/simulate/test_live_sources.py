"""Streams that are away, stay silent, vanish and return, as `threshold camera publish` meets them."""

from __future__ import annotations

import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Protocol

import cv2
import numpy as np
import pytest
from rtsp_camera import SIZE_WH, RtspCamera

from edge.simulate.video import is_stream

from .conftest import Broker, FakeGateway, eventually
from .test_commands import ended, threshold

NewGateway = Callable[..., FakeGateway]
FreePort = Callable[[], int]


class NetworkCamera(Protocol):
    url: str

    def start(self) -> None: ...
    def stop(self) -> None: ...


class _MotionJpeg(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        number = 0
        with suppress(OSError):
            while not self.server.unplugged.is_set():
                number += 1
                picture = np.full((SIZE_WH[1], SIZE_WH[0], 3), 20 + number % 200, np.uint8)
                jpeg = bytes(cv2.imencode(".jpg", picture)[1])
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n".encode()
                self.wfile.write(head + jpeg + b"\r\n")
                time.sleep(0.05)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port: int) -> None:
        self.unplugged = threading.Event()
        super().__init__(("127.0.0.1", port), _MotionJpeg)


class HttpCamera:
    """A camera that sends motion JPEG over HTTP, and whose plug can be pulled."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/stream.mjpeg"
        self._port = port
        self._server: _Server | None = None

    def start(self) -> None:
        self._server = _Server(self._port)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.unplugged.set()
            server.shutdown()
            server.server_close()


@pytest.fixture(params=[RtspCamera, HttpCamera], ids=["rtsp", "http"])
def network_camera(request: pytest.FixtureRequest, free_port: FreePort) -> Iterator[NetworkCamera]:
    camera: NetworkCamera = request.param(free_port())
    yield camera
    camera.stop()


@pytest.fixture
def publish(mosquitto: Broker) -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    """A function that publishes a source as camera `door`; what still runs at the end is killed."""
    running: list[subprocess.Popen[str]] = []

    def start(source: str) -> subprocess.Popen[str]:
        broker = ("--host", mosquitto.host, "--port", mosquitto.port)
        running.append(threshold("camera", "publish", "--source", source, "--store", "s", "--id", "door", *broker))
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.communicate()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    return process.stderr.readline().strip()


def test_a_stream_that_vanishes_and_returns_goes_on(
    network_camera: NetworkCamera, new_gateway: NewGateway, publish: Callable[[str], subprocess.Popen[str]]
) -> None:
    """Pictures, the plug is pulled, it says so once; the camera is back, it says so once, and pictures come again."""
    gateway = new_gateway()
    network_camera.start()
    process = publish(network_camera.url)
    assert gateway.wait(lambda: len(gateway.channel("frame")) >= 5)
    network_camera.stop()
    assert line(process) == "threshold: the source has gone; trying again"
    seen = len(gateway.channel("frame"))
    network_camera.start()
    assert line(process) == "threshold: the source is back"
    assert gateway.wait(lambda: len(gateway.channel("frame")) >= seen + 5)
    process.send_signal(signal.SIGTERM)
    status, _, err = ended(process)
    assert status == 0
    assert len(err.splitlines()) == 1
    shown = cv2.imdecode(np.frombuffer(gateway.channel("frame")[-1], np.uint8), cv2.IMREAD_COLOR)
    assert shown is not None
    assert shown.shape == (SIZE_WH[1], SIZE_WH[0], 3)


def test_a_stream_that_is_away_at_first_is_waited_for(
    network_camera: NetworkCamera, new_gateway: NewGateway, publish: Callable[[str], subprocess.Popen[str]]
) -> None:
    """One clear line, no more of them while it is tried again, and pictures once the camera has started."""
    gateway = new_gateway()
    process = publish(network_camera.url)
    said = line(process)
    assert said.startswith(f"threshold: open stream: {network_camera.url};")
    assert said.endswith("; trying again")
    network_camera.start()
    assert gateway.wait(lambda: len(gateway.channel("frame")) >= 3)
    process.send_signal(signal.SIGTERM)
    status, _, err = ended(process)
    assert status == 0
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("scheme", ["rtsp", "http"])
def test_a_host_that_never_answers_is_told_in_one_line(
    scheme: str, publish: Callable[[str], subprocess.Popen[str]]
) -> None:
    """It takes the connection and is silent: the time-out ends it, the line names it without its password, SIGTERM ends us."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        process = publish(f"{scheme}://me:secret@127.0.0.1:{port}/door")
        said = line(process)
        assert f"open stream: {scheme}://127.0.0.1:{port}/door" in said
        assert "secret" not in said
        process.send_signal(signal.SIGTERM)
        status, _, err = ended(process)
    assert (status, err) == (0, "")


def test_what_is_no_stream_is_not_waited_for() -> None:
    """Only a stream's address may come to life; a file that is not there, a webcam or a mistyped address does not."""
    assert [is_stream(one) for one in ("rtsp://a/b", "https://a/b", "ftp://a/b", "0", "shop.mp4")] == [True, True] + [
        False
    ] * 3
    process = threshold("camera", "publish", "--source", "ftp://127.0.0.1/film.mp4", "--store", "s", "--id", "c")
    status, _, err = ended(process)
    assert status == 1
    assert "must begin with" in err
    assert eventually(lambda: process.poll() is not None)
