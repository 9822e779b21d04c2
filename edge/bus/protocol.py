"""Which MQTT to speak: 5 first, 3.1.1 to a broker that knows no better."""

from __future__ import annotations

from typing import Literal

from paho.mqtt.enums import MQTTProtocolVersion

__all__ = ["ProtocolChoice"]

_HANG_UPS_MEAN_NO = 3


class ProtocolChoice:
    """MQTT 5 until the broker refuses it, keeps us waiting for its answer, or hangs up without one three times running.

    An explicit refusal holds for this process; a guess from silence only until the next connection was made and lost.
    Where `mqtt.protocol` in `store.toml` names one, that one is spoken and no other.
    """

    def __init__(self, setting: Literal["auto", "5", "3.1.1"] = "auto") -> None:
        self.version = MQTTProtocolVersion.MQTTv311 if setting == "3.1.1" else MQTTProtocolVersion.MQTTv5
        self._fixed = setting != "auto"
        self._hang_ups = 0
        self._guessed = False

    def refused(self) -> bool:
        """The broker said it does not speak this version. True when there is another to try at once."""
        if self._fixed or self.version == MQTTProtocolVersion.MQTTv311:
            return False
        self.version = MQTTProtocolVersion.MQTTv311
        return True

    def kept_waiting(self) -> None:
        """The broker took our CONNECT and says nothing, as amqtt does: it reads MQTT 5's properties as a string's length."""
        self._guess_other()

    def hung_up(self) -> None:
        """The broker took the connection and closed it without an answer; one that is being restarted does so, too."""
        self._hang_ups += 1
        if self._hang_ups >= _HANG_UPS_MEAN_NO:
            self._guess_other()

    def lost(self) -> None:
        """A connection that had been made is gone."""
        self._hang_ups = 0
        if self._guessed:
            self.version = MQTTProtocolVersion.MQTTv5
            self._guessed = False

    def _guess_other(self) -> None:
        if self._fixed:
            return
        five = self.version == MQTTProtocolVersion.MQTTv5
        self.version = MQTTProtocolVersion.MQTTv311 if five else MQTTProtocolVersion.MQTTv5
        self._guessed = True
        self._hang_ups = 0
