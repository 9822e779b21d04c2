"""A till that loses no sale and counts none twice: copy it, or do as it does. Needs Python 3.11 and paho-mqtt 2.

    python reference_till.py --store berlin-1 --till till-1 --host 192.0.2.10 < sales.jsonl

Each line is a sale in JSON (docs/tills.md). It is written to a file before anything else happens, published, and published
again every few seconds and on every new connection, until its `message_id` comes back on the till's `ack` topic. The broker's
own acknowledgement is no reason to forget it: a broker that loses power loses what it has acknowledged.
"""

import argparse
import json
import sqlite3
import sys
import threading
import time
import uuid
from datetime import UTC, datetime
from typing import Any

import paho.mqtt.client as mqtt

RESEND_S = 5.0
AT_ONCE = 25  # and a pause of a quarter second: half of what the gateway takes from one device


class Till:
    """Keeps each sale in `kept` (a file) until the gateway has named it."""

    def __init__(
        self,
        kept: str,
        *,
        store: str,
        till: str,
        host: str = "127.0.0.1",
        port: int = 1883,
        username: str | None = None,
        password: str | None = None,
        ca_file: str | None = None,
    ) -> None:
        """Connect in the background, for as long as it takes; with `ca_file` over TLS."""
        self._topic = f"threshold/v1/{store}/pos/{till}"
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._sent_s: dict[str, float] = {}  # when each sale went out last, by its id
        self._file = sqlite3.connect(kept, check_same_thread=False, isolation_level=None)
        self._file.execute("PRAGMA journal_mode=WAL")
        self._file.execute("PRAGMA synchronous=FULL")  # a sale that `sell` took survives a power cut
        self._file.execute("CREATE TABLE IF NOT EXISTS sales (id TEXT PRIMARY KEY, sale TEXT NOT NULL)")
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=f"{store}-{till}")
        self._client.on_connect = self._on_connect
        self._client.on_message = self._on_ack
        self._client.reconnect_delay_set(min_delay=1, max_delay=15)
        self._client.will_set(f"{self._topic}/status", json.dumps({"state": "offline"}), qos=1, retain=True)
        if username is not None:
            self._client.username_pw_set(username, password)
        if ca_file is not None:
            self._client.tls_set(ca_file)
        self._client.connect_async(host, port)
        self._client.loop_start()
        self._sender = threading.Thread(target=self._send, daemon=True)
        self._sender.start()

    def sell(self, sale: dict[str, Any]) -> str:
        """Keep `sale`, give it an id and a time where it has none, and see to it that it is counted; returns its id."""
        sale = {"message_id": str(uuid.uuid4()), "captured_at": datetime.now(UTC).isoformat(), **sale}
        with self._lock:
            self._file.execute("INSERT OR IGNORE INTO sales VALUES (?, ?)", (sale["message_id"], json.dumps(sale)))
        self._wake.set()
        return str(sale["message_id"])

    def waiting(self) -> int:
        """How many sales the gateway has not named yet."""
        with self._lock:
            return int(self._file.execute("SELECT count(*) FROM sales").fetchone()[0])

    def close(self) -> None:
        """Go offline. What is still waiting is in the file and is sent after the next start."""
        self._stopping.set()
        self._wake.set()
        self._sender.join()
        self._client.publish(f"{self._topic}/status", json.dumps({"state": "offline"}), qos=1, retain=True)
        self._client.disconnect()
        self._client.loop_stop()
        self._file.close()

    def _on_connect(self, client: mqtt.Client, _userdata: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            return
        client.subscribe(f"{self._topic}/ack", qos=1)
        client.publish(f"{self._topic}/status", json.dumps({"state": "online"}), qos=1, retain=True)
        with self._lock:
            self._sent_s.clear()  # a new connection knows nothing of the last one's messages
        self._wake.set()

    def _on_ack(self, _client: mqtt.Client, _userdata: Any, message: mqtt.MQTTMessage) -> None:
        try:
            ids = [str(one) for one in json.loads(message.payload)["message_ids"]]
        except (ValueError, KeyError, TypeError):
            return  # no ack of ours: the sales stay and are sent again
        with self._lock:
            self._file.executemany("DELETE FROM sales WHERE id = ?", [(one,) for one in ids])
            for one in ids:
                self._sent_s.pop(one, None)

    def _due(self) -> list[str]:
        """The sales to publish now, oldest first."""
        now_s = time.monotonic()
        with self._lock:
            kept = [one for (one,) in self._file.execute("SELECT id FROM sales ORDER BY rowid")]
            due = [one for one in kept if now_s - self._sent_s.get(one, -RESEND_S) >= RESEND_S][:AT_ONCE]
            self._sent_s.update((one, now_s) for one in due)
            return [self._file.execute("SELECT sale FROM sales WHERE id = ?", (one,)).fetchone()[0] for one in due]

    def _send(self) -> None:
        while not self._stopping.is_set():
            due = self._due() if self._client.is_connected() else []
            for sale in due:
                self._client.publish(f"{self._topic}/transaction", sale, qos=1)
            self._wake.clear()
            self._wake.wait(0.25 if due else 1.0)


def main() -> None:
    """Sell what standard input says, one JSON object a line, and end when all of it is counted."""
    options = argparse.ArgumentParser(description="A till that loses no sale and counts none twice.")
    for name, default in (("store", None), ("till", None), ("host", "127.0.0.1"), ("kept", "sales.db")):
        options.add_argument(f"--{name}", default=default, required=default is None)
    options.add_argument("--port", type=int, default=1883)
    chosen = options.parse_args()
    till = Till(chosen.kept, store=chosen.store, till=chosen.till, host=chosen.host, port=chosen.port)
    for line in sys.stdin:
        print(till.sell(json.loads(line)), flush=True)
    while till.waiting():
        time.sleep(0.1)
    till.close()


if __name__ == "__main__":
    main()
