"""A network camera that speaks RTSP (RFC 2326) over TCP and sends JPEG over RTP (RFC 2435): as little as a player needs."""

from __future__ import annotations

import socket
import socketserver
import struct
import threading
import time
from collections.abc import Iterator

import cv2
import numpy as np

SIZE_WH = (128, 96)
_SDP = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=shop\r\nt=0 0\r\nm=video 0 RTP/AVP 26\r\na=control:track1\r\n"
_SENDS = "RTP/AVP/TCP;unicast;interleaved=0-1"
_MOST_BYTES = 1400
_FOUR_TWO_ZERO, _TABLES_INSIDE = 1, 255


def shade(number: int) -> int:
    """How bright picture `number` is."""
    return 20 + number % 200


def _packets(number: int, sequence: int) -> Iterator[bytes]:
    """Picture `number` as RTP packets."""
    picture = np.full((SIZE_WH[1], SIZE_WH[0], 3), shade(number), np.uint8)
    jpeg = bytes(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, 0x221111])[1])
    tables, scan = _parts(jpeg)
    for offset in range(0, len(scan), _MOST_BYTES):
        last = offset + _MOST_BYTES >= len(scan)
        header = struct.pack(
            ">BBHII", 0x80, 26 | (0x80 if last else 0), (sequence + offset // _MOST_BYTES) & 0xFFFF, number * 4500, 7
        )
        place = offset.to_bytes(4, "big") + bytes((_FOUR_TWO_ZERO, _TABLES_INSIDE, SIZE_WH[0] // 8, SIZE_WH[1] // 8))
        inside = struct.pack(">HH", 0, len(tables)) + tables if offset == 0 else b""
        yield header + place + inside + scan[offset : offset + _MOST_BYTES]


def _parts(jpeg: bytes) -> tuple[bytes, bytes]:
    """Quantisation tables and scan of a JPEG."""
    at, tables = 2, b""
    while True:
        marker, length = struct.unpack(">HH", jpeg[at : at + 4])
        body = jpeg[at + 4 : at + 2 + length]
        if marker == 0xFFDB:
            tables += b"".join(body[start + 1 : start + 65] for start in range(0, len(body), 65))
        at += 2 + length
        if marker == 0xFFDA:
            return tables, jpeg[at:-2]


class _Session(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        self.server.open.add(self.connection)
        while (request := self._request()) is not None:
            method, headers = request
            more = {
                "OPTIONS": "Public: DESCRIBE, SETUP, PLAY, TEARDOWN\r\n",
                "DESCRIBE": f"Content-Type: application/sdp\r\nContent-Length: {len(_SDP)}\r\n",
                "SETUP": f"Transport: {_SENDS}\r\nSession: 1\r\n",
            }.get(method, "Session: 1\r\n")
            refused = method == "SETUP" and "TCP" not in headers.get("transport", "")
            status = "461 Unsupported Transport" if refused else "200 OK"
            head = f"RTSP/1.0 {status}\r\nCSeq: {headers['cseq']}\r\n{more}\r\n"
            self.wfile.write((head + (_SDP if method == "DESCRIBE" else "")).encode())
            if method == "PLAY":
                self._play()
                return

    def _request(self) -> tuple[str, dict[str, str]] | None:
        lines = []
        while (line := self.rfile.readline().decode().strip()) or not lines:
            if not line:
                return None
            lines.append(line)
        headers = {name.lower(): value.strip() for name, _, value in (text.partition(":") for text in lines[1:])}
        return lines[0].split()[0], headers

    def _play(self) -> None:
        sequence = 0
        for number in range(1_000_000):
            for packet in _packets(number, sequence):
                sequence += 1
                try:
                    self.wfile.write(b"$\0" + struct.pack(">H", len(packet)) + packet)
                except OSError:
                    return
            time.sleep(0.05)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, port: int) -> None:
        self.open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Session)

    def handle_error(self, *_: object) -> None:
        """A player that hangs up is nothing to tell of."""


class RtspCamera:
    """The camera: `start`, `stop` as if its plug were pulled, and `start` again on the same port."""

    def __init__(self, port: int) -> None:
        self.url = f"rtsp://127.0.0.1:{port}/door"
        self._port = port
        self._server: _Server | None = None

    def start(self) -> None:
        """Answer players."""
        self._server = _Server(self._port)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Hang up on everybody, and answer no more."""
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()
            for connection in list(server.open):
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue  # it had gone already
