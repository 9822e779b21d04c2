"""What `threshold check` looks at beyond the settings file itself: the files, models and notices it names."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from edge.camera.counting import touches_edge
from edge.camera.runtime import missing_providers
from edge.consent.gate import ConsentGate
from edge.errors import ModelRefused
from edge.models import default_models_dir, load_model
from edge.settings import Settings

__all__ = ["mistakes_of", "warnings_of"]


def mistakes_of(settings: Settings) -> list[str]:
    """Everything that would keep the store from running, one line each."""
    mistakes = [
        f"{name}: {path} is not there"
        for name, path in _named_files(settings)
        if path is not None and not path.is_file()
    ]
    models = settings.models or default_models_dir()
    for model in sorted({camera.model for camera in settings.cameras}):
        try:
            load_model(model, models)
        except ModelRefused as error:
            mistakes.append(str(error))
    if settings.hq.url and not settings.hq.credential_file:
        mistakes.append("hq.credential_file: HQ gives each store a credential; `threshold hq add-store` writes it")
    return mistakes


def warnings_of(settings: Settings, *, at: datetime) -> list[str]:
    """What is allowed, and probably not meant: zones whose cameras will not count, say."""
    gate = ConsentGate.of(settings)
    warnings = []
    for camera in settings.cameras:
        answer = gate.ask("footfall", at=at, zone=camera.zone)
        if not answer.allowed:
            warnings.append(f"camera '{camera.id}' will not count: {answer.reason}")
        if not any(line.kind == "visitors" for line in camera.lines):
            warnings.append(
                f"camera '{camera.id}' has no counting line: it will count people in its zone, not visitors"
            )
        if camera.frigate_name and camera.frigate_detect is None:
            width, height = camera.frigate_size
            warnings.append(
                f"camera '{camera.id}' has no frigate_detect: its boxes are taken for those of a {width} x {height} stream"
            )
        warnings += [
            f"camera '{camera.id}': line '{line.name}' lies along the picture's edge, where people appear without crossing it"
            for line in camera.lines
            if touches_edge(line)
        ]
    warnings += [
        f"inference.providers: this box has no {provider}; the CPU does its work"
        for provider in missing_providers(settings.inference.providers)
    ]
    if settings.hq.url is None:
        warnings.append("hq.url is not set: nothing will leave this box")
    return warnings


def _named_files(settings: Settings) -> list[tuple[str, Path | None]]:
    mqtt, hq = settings.mqtt, settings.hq
    return [
        ("mqtt.password_file", mqtt.password_file),
        ("mqtt.ca_file", mqtt.ca_file),
        ("mqtt.certificate_file", mqtt.certificate_file),
        ("mqtt.key_file", mqtt.key_file),
        ("hq.credential_file", hq.credential_file),
        ("hq.ca_file", hq.ca_file),
    ]
