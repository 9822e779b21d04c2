"""From the tap on "take back" to the gateway's first no: `python benchmarks/withdrawal.py [--withdrawals 200]`.

Broker, gateway and web run as processes of their own. A shopper allows size recommendations at the kiosk, a mirror shows
the short code and goes on asking; the shopper takes it back on the page. Timed from the moment the form is sent to the first
refusal that reaches the mirror over MQTT, its way back through the broker included. Only answers to this shopper's own
questions count: those to the shopper before may still be under way.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import httpx
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

STORE = """
state = "state"
[store]
id = "bench"
[mqtt]
port = {mqtt}
max_messages_per_s = 2000
[web]
port = {web}
[kiosk]
enabled = true
port = {kiosk}
[[zones]]
id = "floor"
[[mirrors]]
id = "mirror-1"
zone = "floor"
"""
PURPOSE = "size_recommendation"
ASK_EVERY_S = 0.005
LATE_QUESTIONS = 5
"""Asked after the page has answered, at least so many: each of them must be refused."""
PATIENCE_S = 30.0
NOES = frozenset(
    {
        "withdrawn",
        "the consent session has ended",
        "no live consent session",
        "not agreed to",
        "the consent registry cannot be read",
    }
)
"""Whatever else a mirror is told, it is told because the gate has let its question pass."""
TOKEN = re.compile(r'name="token" value="([0-9a-f]{64})"')
DIGITS = re.compile(r"\b(\d{3})\D{0,40}?(\d{3})\b")


class Shopper:
    """Somebody with a browser: sends the forms of the page it has."""

    def __init__(self, address: str) -> None:
        self.client = httpx.Client(base_url=address, trust_env=False, follow_redirects=True, timeout=PATIENCE_S)
        self.page = ""

    def get(self, path: str) -> httpx.Response:
        """Open a page."""
        return self._seen(self.client.get(path))

    def send(self, path: str, **fields: object) -> httpx.Response:
        """Send a form of the present page."""
        found = TOKEN.search(self.page)
        token = found[1] if found else ""
        return self._seen(self.client.post(path, data={"token": token, **fields}))

    def short_code(self) -> str:
        """Allow sizes, and ask for the digits."""
        self.get("/here/choose")
        self.send("/here/choose", allow=[PURPOSE], answer="chosen")
        answer = self.send("/here/age", age="adult")
        while answer.url.path == "/here/confirm":
            answer = self.send("/here/confirm", purpose=PURPOSE, answer="yes")
        self._is_at(answer, "/here/receipt")
        self._is_at(self.get("/here"), "/here")
        self.send("/here/short-code")
        shown = self.page[self.page.index('id="short-code"') :]
        found = DIGITS.search(re.sub(r"<[^>]+>", " ", shown))
        if found is None:
            raise SystemExit("no short code on the page: the kiosk's pages have changed, adapt this benchmark")
        return found[1] + found[2]

    def _seen(self, answer: httpx.Response) -> httpx.Response:
        if answer.is_error:
            raise SystemExit(
                f"{answer.request.method} {answer.url.path} answered {answer.status_code}: {self._said(answer)}"
            )
        self.page = answer.text
        return answer

    def _is_at(self, answer: httpx.Response, path: str) -> None:
        """A form is sent only from the page that has it: elsewhere its token would be missing, and the answer a bare 403."""
        if answer.url.path != path:
            raise SystemExit(f"expected the page {path}, came to {answer.url.path}: {self._said(answer)}")

    @staticmethod
    def _said(answer: httpx.Response) -> str:
        return " ".join(re.sub(r"<[^>]+>", " ", answer.text.partition("<main")[2]).split())[:200]


class Mirror:
    """A mirror that asks for a size and keeps when which answer came: `message_id` to moment and refusal's reason."""

    def __init__(self, port: int) -> None:
        self.answers: dict[str, tuple[float, str]] = {}
        self.subscribed = threading.Event()
        self.client = paho.Client(CallbackAPIVersion.VERSION2, client_id="mirror-1")
        self.client.max_inflight_messages_set(0)
        self.client.on_connect = lambda client, *_: client.subscribe("threshold/v1/bench/mirror/mirror-1/#", qos=1)
        self.client.on_subscribe = lambda *_: self.subscribed.set()
        self.client.on_message = lambda _client, _data, message: self._hear(message)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        self.subscribed.wait(PATIENCE_S)

    def ask(self, session: str) -> str:
        """Ask once; the id of the question."""
        message_id = str(uuid4())
        body = {"message_id": message_id, "captured_at": datetime.now(UTC).isoformat(), "session": session}
        self.client.publish(
            "threshold/v1/bench/mirror/mirror-1/measurement", json.dumps({**body, "stature_mm": 1700}), qos=1
        )
        return message_id

    def _hear(self, message: paho.MQTTMessage) -> None:
        if message.topic.endswith("/recommendation"):
            said = json.loads(message.payload)
            self.answers[said["message_id"]] = time.perf_counter(), said["refused"] or ""


@dataclass
class Questions:
    """What a mirror asks for one shopper, and which answers were the gate's no."""

    mirror: Mirror
    code: str
    asked: list[str] = field(default_factory=list)

    def ask(self) -> str:
        """Once more."""
        self.asked.append(self.mirror.ask(self.code))
        return self.asked[-1]

    def served(self, message_id: str) -> bool:
        """Whether the gate let this question pass."""
        return message_id in self.mirror.answers and not self._is_no(self.mirror.answers[message_id][1])

    def first_no_s(self) -> float | None:
        """When the first no came."""
        answers = (self.mirror.answers[one] for one in tuple(self.asked) if one in self.mirror.answers)
        return min((at for at, reason in answers if self._is_no(reason)), default=None)

    @staticmethod
    def _is_no(reason: str) -> bool:
        """The gate's reasons; a box without a size model refuses as well, but only after the gate has said yes."""
        return reason in NOES


def withdraw_once(shopper: Shopper, mirror: Mirror) -> tuple[float, int]:
    """Seconds from the tap to the first refusal, and how many questions asked after the page's answer were served."""
    questions = Questions(mirror, shopper.short_code())
    first = questions.ask()
    until(lambda: first in mirror.answers, "the mirror's first answer")
    if not questions.served(first):
        raise SystemExit(f"the gateway refuses a shopper who agreed: {mirror.answers[first][1]}")
    answered, stop = threading.Event(), threading.Event()
    asked_after: list[str] = []

    def keep_asking() -> None:
        while not stop.wait(ASK_EVERY_S):
            late = answered.is_set()
            message_id = questions.ask()
            if late:
                asked_after.append(message_id)

    asking = threading.Thread(target=keep_asking)
    asking.start()
    try:
        tapped_s = time.perf_counter()
        shopper.send("/here/withdraw", purpose=PURPOSE)
        answered.set()
        until(lambda: questions.first_no_s() is not None and len(asked_after) >= LATE_QUESTIONS, "a refusal")
    finally:
        stop.set()
        asking.join()
    until(lambda: all(one in mirror.answers for one in questions.asked), "an answer to every question")
    return (questions.first_no_s() or 0.0) - tapped_s, sum(questions.served(one) for one in asked_after)


def until(condition: object, what: str) -> None:
    """Wait for it."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():  # type: ignore[operator]
        if time.monotonic() > deadline:
            raise SystemExit(f"waited in vain for {what}")
        time.sleep(0.002)


@contextmanager
def shop(folder: Path) -> Iterator[dict[str, int]]:
    """Broker, gateway and web, each a process; ends them again."""
    ports = {name: free_port() for name in ("mqtt", "web", "kiosk")}
    config = folder / "store.toml"
    config.write_text(STORE.format(**ports), "utf-8")
    threshold = [sys.executable, "-m", "edge.cli"]
    with ExitStack() as stack:
        for arguments in (
            ["broker", "--port", str(ports["mqtt"])],
            ["web", "--config", str(config)],
            ["gateway", "--config", str(config)],
        ):
            log = stack.enter_context((folder / f"{arguments[0]}.log").open("wb"))
            process = subprocess.Popen([*threshold, *arguments], stdout=log, stderr=log)
            stack.callback(process.wait)
            stack.callback(process.terminate)
        until(lambda: answers(f"http://127.0.0.1:{ports['kiosk']}/healthz"), "the kiosk")
        until(lambda: "bus_connected" in (folder / "gateway.log").read_text("utf-8"), "the gateway")
        yield ports


def answers(address: str) -> bool:
    """Whether a page is served there."""
    try:
        return httpx.get(address, trust_env=False).is_success
    except httpx.TransportError:
        return False


def free_port() -> int:
    """A port nobody has."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def main() -> None:
    """Withdraw many times, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--withdrawals", type=int, default=200)
    count = parser.parse_args().withdrawals
    with tempfile.TemporaryDirectory() as folder, shop(Path(folder)) as ports:
        mirror = Mirror(ports["mqtt"])
        results = []
        for _ in range(count):
            shopper = Shopper(f"http://127.0.0.1:{ports['kiosk']}")
            with closing(shopper.client):
                results.append(withdraw_once(shopper, mirror))
        mirror.client.disconnect()
        mirror.client.loop_stop()
    taken = sorted(1e3 * seconds for seconds, _ in results)
    p50, p99 = (taken[math.ceil(count * share) - 1] for share in (0.5, 0.99))
    print(
        f"withdrawals {count}: tap to first no at the mirror p50 {p50:.0f} ms, p99 {p99:.0f} ms, worst {taken[-1]:.0f} ms"
    )
    print(f"questions asked after the page had answered and served all the same: {sum(late for _, late in results)}")


if __name__ == "__main__":
    main()
