"""`store.toml`, typed: read once, checked whole, every mistake named in one list."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import time
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, Field, StringConstraints, ValidationError, field_validator, model_validator

from edge.errors import SettingsError
from edge.floor_settings import (
    UNWATCHABLE,
    AreaSettings,
    CameraSettings,
    DeviceSettings,
    EntranceSettings,
    HeatSettings,
    Id,
    LineSettings,
    Table,
    ZoneSettings,
)

__all__ = [
    "AreaSettings",
    "CameraSettings",
    "ConsentSettings",
    "ControllerSettings",
    "DeviceSettings",
    "EntranceSettings",
    "HeatSettings",
    "HqSettings",
    "InferenceSettings",
    "KioskSettings",
    "LineSettings",
    "MqttSettings",
    "PrivacySettings",
    "Provider",
    "Settings",
    "StoreSettings",
    "TillSettings",
    "TillsHttpSettings",
    "WebSettings",
    "WindowSettings",
    "ZoneSettings",
    "load_settings",
]

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300, pattern=r"^[^\n\r]+$")]
Jurisdiction = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
Port = Annotated[int, Field(ge=1, le=65535)]
Provider = Literal["cpu", "xnnpack", "acl", "cuda", "tensorrt"]


class StoreSettings(Table):
    """Which shop this is. `timezone` decides where a day begins."""

    id: Id
    name: str = ""
    timezone: str = "UTC"
    region: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] = "CN"
    """Where phone numbers without a country code are dialled (ISO 3166-1)."""
    closes_at: time | None = None
    """When the shop is empty; whoever the count believes inside then is recorded as its drift."""

    @field_validator("timezone")
    @classmethod
    def _known_timezone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError("no such time zone; use a name like Europe/Berlin or Asia/Shanghai") from error
        return name


class MqttSettings(Table):
    """The broker that the shop's devices publish to. With `ca_file` the connection is TLS."""

    host: str = "127.0.0.1"
    port: Port = 1883
    protocol: Literal["auto", "5", "3.1.1"] = "auto"
    username: str | None = None
    password_file: Path | None = None
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None
    max_payload_bytes: int = Field(default=2_000_000, ge=1_000, le=20_000_000)
    max_messages_per_s: float = Field(default=200.0, gt=0)
    """Per device; what a device sends past this is refused (QoS 0 dropped, QoS 1 left for its next try)."""


class WebSettings(Table):
    """Where the dashboard listens."""

    host: str = "127.0.0.1"
    port: Port = 8080


class KioskSettings(Table):
    """Where shoppers' pages listen: the kiosk in the shop, and each shopper's own page.

    `public_url` is how a phone reaches it, for the QR code; without one the receipt shows its code only.
    """

    enabled: bool = False
    host: str = "127.0.0.1"
    port: Port = 8081
    public_url: Annotated[str, StringConstraints(pattern=r"^https?://[^\s/?#]+/?$")] | None = None
    idle_s: int = Field(default=60, ge=10, le=600)


class TillsHttpSettings(Table):
    """Where tills that cannot speak MQTT post their sales. With `certificate_file` and `key_file` it is HTTPS."""

    enabled: bool = False
    host: str = "127.0.0.1"
    port: Port = 8082
    certificate_file: Path | None = None
    key_file: Path | None = None

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if (self.certificate_file is None) != (self.key_file is None):
            raise ValueError("certificate_file and key_file go together")
        return self


class ControllerSettings(Table):
    """Who answers for shoppers' data: named to every shopper (PIPL Art. 17(1)(1), GDPR Art. 13(1)(a), TS 27560 6.3.6)."""

    name: Line
    address: Line
    contact: Line
    """How a shopper reaches whoever looks after privacy: an e-mail address, a phone number or a page."""
    authority: Line | None = None
    """The authority to complain to, and how (GDPR Art. 13(2)(d))."""


class ConsentSettings(Table):
    """The consent registry. `purposes_file` replaces the purposes and notices that come with Threshold.

    `jurisdictions`: whose law applies, as ISO 3166-1 codes, or EU.
    """

    purposes_file: Path | None = None
    jurisdictions: Annotated[tuple[Jurisdiction, ...], Field(min_length=1, max_length=8)] = ("CN", "EU")
    controller: ControllerSettings | None = None


class HqSettings(Table):
    """Where released aggregates go. Without `url` nothing leaves, and the outbox keeps it.

    `payment_key_file` and `identity_key_file` hold HQ's public keys; what is sealed to them only HQ can open.
    """

    url: str | None = None
    credential_file: Path | None = None
    ca_file: Path | None = None
    payment_key_file: Path | None = None
    identity_key_file: Path | None = None
    batch_events: int = Field(default=200, ge=1, le=5000)
    interval_s: float = Field(default=5.0, gt=0, le=3600)


class WindowSettings(Table):
    """How long windows are, in seconds. `release_s` must be a multiple of `local_s`."""

    local_s: int = Field(default=60, ge=1, le=3600)
    release_s: int = Field(default=900, ge=1, le=86400)
    grace_s: int = Field(default=30, ge=0, le=3600)

    @model_validator(mode="after")
    def _whole_windows(self) -> Self:
        if self.release_s % self.local_s:
            raise ValueError("release_s must be a multiple of local_s")
        return self


class PrivacySettings(Table):
    """The release gate. Decision record 0004 says what the numbers protect."""

    k: int = Field(default=5, ge=1)
    epsilon_per_release: float = Field(default=1.0, gt=0, le=10)
    epsilon_per_day: float = Field(default=96.0, gt=0)
    merge_limit_s: int = Field(default=4 * 3600, ge=0)
    attestation_valid_days: int = Field(default=30, ge=1, le=366)


class StorageSettings(Table):
    """How much of the disk the outbox may take."""

    outbox_max_mb: int = Field(default=512, ge=1)


class InferenceSettings(Table):
    """What runs the models, best first. What this box lacks is warned of, and the CPU does its work."""

    providers: Annotated[tuple[Provider, ...], Field(min_length=1)] = ("cpu",)

    @field_validator("providers")
    @classmethod
    def _each_once(cls, providers: tuple[Provider, ...]) -> tuple[Provider, ...]:
        if len(set(providers)) < len(providers):
            raise ValueError("name each provider once")
        return providers


class TillSettings(DeviceSettings):
    """A till. `credential_file` holds what it shows to `[tills_http]`; without one it is not heard there."""

    credential_file: Path | None = None


class Settings(Table):
    """The whole of `store.toml`. Relative paths in it are relative to the file's folder."""

    store: StoreSettings
    state: Path = Path()
    keyring: Path | None = None
    """The file with the box's own keys; `keyring.json` in `state` if not set."""
    models: Path | None = None
    mqtt: MqttSettings = MqttSettings()
    web: WebSettings = WebSettings()
    kiosk: KioskSettings = KioskSettings()
    tills_http: TillsHttpSettings = TillsHttpSettings()
    consent: ConsentSettings = ConsentSettings()
    hq: HqSettings = HqSettings()
    windows: WindowSettings = WindowSettings()
    privacy: PrivacySettings = PrivacySettings()
    storage: StorageSettings = StorageSettings()
    inference: InferenceSettings = InferenceSettings()
    zones: tuple[ZoneSettings, ...] = ()
    entrances: tuple[EntranceSettings, ...] = ()
    cameras: tuple[CameraSettings, ...] = ()
    mirrors: tuple[DeviceSettings, ...] = ()
    tills: tuple[TillSettings, ...] = ()
    kiosks: tuple[DeviceSettings, ...] = ()

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        mistakes = list(self._mismatches())
        if mistakes:
            raise ValueError("\n".join(mistakes))
        return self

    def _mismatches(self) -> Iterator[str]:
        zones = {zone.id: zone for zone in self.zones}
        if len(zones) < len(self.zones):
            yield "zones: two zones share an id"
        for table, devices in self.devices().items():
            ids = [device.id for device in devices]
            for twice in sorted({name for name in ids if ids.count(name) > 1}):
                yield f"{table}.{twice}: two devices share this id"
            for device in devices:
                if device.zone not in zones:
                    yield f"{table}.{device.id}: zone '{device.zone}' is not among [[zones]]"
        for camera in self.cameras:
            zone = zones.get(camera.zone)
            if zone is not None and zone.kind in UNWATCHABLE:
                yield f"cameras.{camera.id}: a camera may not watch a {zone.kind}; take it out of zone '{zone.id}'"
            for what, named in (("lines", camera.lines), ("areas", camera.areas)):
                names = [one.name for one in named]
                if len(set(names)) < len(names):
                    yield f"cameras.{camera.id}: two {what} share a name"
        yield from self._frigate_mismatches()
        yield from self._entrance_mismatches()

    def _frigate_mismatches(self) -> Iterator[str]:
        names = [camera.frigate_name for camera in self.cameras if camera.frigate_name is not None]
        for twice in sorted({name for name in names if names.count(name) > 1}):
            yield f"cameras: two cameras have the frigate_name '{twice}'"

    def _entrance_mismatches(self) -> Iterator[str]:
        names = [entrance.name for entrance in self.entrances]
        used = {line.entrance for camera in self.cameras for line in camera.lines}
        for twice in sorted({name for name in names if names.count(name) > 1}):
            yield f"entrances.{twice}: two entrances share this name"
        for unused in sorted(set(names) - used):
            yield f"entrances.{unused}: no line of a camera names this entrance"

    def devices(self) -> dict[str, tuple[DeviceSettings, ...]]:
        """All devices by the name of their table in `store.toml`."""
        return {"cameras": self.cameras, "mirrors": self.mirrors, "tills": self.tills, "kiosks": self.kiosks}

    def zone(self, zone_id: str) -> ZoneSettings:
        """The zone with this id; it exists, or the settings would not have loaded."""
        return next(zone for zone in self.zones if zone.id == zone_id)

    @property
    def store_db(self) -> Path:
        """The gateway's database."""
        return self.state / "store.db"

    @property
    def consent_db(self) -> Path:
        """The web process's database."""
        return self.state / "consent.db"

    @property
    def keyring_file(self) -> Path:
        """The box's own keys."""
        return self.keyring or self.state / "keyring.json"

    @property
    def sync_db(self) -> Path:
        """The sync process's database."""
        return self.state / "sync.db"


def load_settings(path: Path) -> Settings:
    """Read and check `store.toml` at `path`.

    Raises:
        SettingsError: the file is absent, is not TOML, or holds mistakes; all of them are named.
    """
    try:
        raw = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise SettingsError(str(path), ("no such file; make one with `threshold init DIR`",)) from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(str(path), (f"cannot be read: {error}",)) from error
    try:
        settings = Settings.model_validate(raw)
    except ValidationError as error:
        raise SettingsError(str(path), tuple(_mistakes(error))) from error
    return _rebased(settings, path.resolve().parent)


def _mistakes(error: ValidationError) -> Iterator[str]:
    for problem in error.errors(include_url=False, include_input=False):
        where = ".".join(str(part) for part in problem["loc"])
        for line in problem["msg"].removeprefix("Value error, ").split("\n"):
            yield f"{where}: {line}" if where else line


def _rebased(settings: Settings, folder: Path) -> Settings:
    """The same settings with every relative path made absolute, from the file's own folder."""

    def rebase(table: BaseModel) -> dict[str, Path]:
        return {name: folder / value for name, value in table if isinstance(value, Path)}

    return settings.model_copy(
        update={
            **rebase(settings),
            "mqtt": settings.mqtt.model_copy(update=rebase(settings.mqtt)),
            "consent": settings.consent.model_copy(update=rebase(settings.consent)),
            "hq": settings.hq.model_copy(update=rebase(settings.hq)),
            "tills_http": settings.tills_http.model_copy(update=rebase(settings.tills_http)),
            "tills": tuple(till.model_copy(update=rebase(till)) for till in settings.tills),
        }
    )
