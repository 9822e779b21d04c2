from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
from structlog.testing import capture_logs

from edge.camera.runtime import PROVIDERS, Runtime, missing_providers, providers_here
from edge.errors import ModelRefused
from edge.models import LoadedModel, ModelInput, ModelOutput, ModelSpec
from edge.settings import InferenceSettings, Settings, StoreSettings

SPEC = ModelSpec(
    name="toy",
    file="toy.onnx",
    sha256="0" * 64,
    task="person-detection",
    decoder="yolox",
    licence="MIT",
    input=ModelInput(width=96, height=64),
)
TENSOR = np.zeros((1, 3, 64, 96), np.float32)
ABSENT = [name for name, told in PROVIDERS.items() if told not in ort.get_available_providers()]


def test_a_provider_that_is_not_here_is_warned_of_and_the_cpu_does_its_work(tiny_yolox: bytes) -> None:
    """The warning names what is missing and what is used instead; the model runs."""
    with capture_logs() as logged:
        runtime = Runtime(LoadedModel(SPEC, tiny_yolox), providers=(*ABSENT, "cpu"))
    assert runtime.run(TENSOR)[0].shape == (1, 126, 8)
    assert runtime.providers == ("CPUExecutionProvider",)
    (warning,) = logged
    assert (warning["event"], warning["log_level"]) == ("inference.fallback", "warning")
    assert warning["missing"] == ABSENT
    assert warning["using"] == ["CPUExecutionProvider"]


def test_the_cpu_alone_is_no_matter_for_a_warning(tiny_yolox: bytes) -> None:
    """What was asked for and is here is not talked about."""
    with capture_logs() as logged:
        Runtime(LoadedModel(SPEC, tiny_yolox))
    assert logged == []


def test_the_cpu_is_always_the_last_resort() -> None:
    """Whatever is asked for, in its order, as far as it is here."""
    assert providers_here(()) == ("cpu",)
    assert providers_here(("cpu",)) == ("cpu",)
    assert missing_providers(("cpu", *ABSENT)) == tuple(ABSENT)


def test_every_provider_of_the_settings_is_one_that_onnxruntime_knows() -> None:
    """The words of `[inference] providers` are all spelt as some build of the runtime spells them, ACL's apart."""
    known = {*ort.get_all_providers(), "ACLExecutionProvider"}
    assert set(PROVIDERS.values()) <= known


def test_the_settings_name_providers() -> None:
    """The default is the CPU; unknown words, none at all, or one twice are mistakes."""
    assert Settings(store=StoreSettings(id="shop")).inference.providers == ("cpu",)
    assert InferenceSettings.model_validate({"providers": ["xnnpack", "cpu"]}).providers == ("xnnpack", "cpu")
    for wrong in ([], ["abacus"], ["cpu", "cpu"]):
        with pytest.raises(ValueError, match="providers"):
            InferenceSettings.model_validate({"providers": wrong})


def test_outputs_come_in_the_manifests_order(tiny_onnx: Callable[..., bytes]) -> None:
    """Named outputs are computed in that order, the rest not at all; their numbers are float32."""
    outputs = {name: np.full((1, index), index, np.int64) for index, name in enumerate("abc", start=1)}
    onnx_bytes = tiny_onnx({"images": (np.float32, (1, 3, 64, 96))}, outputs)
    spec = SPEC.model_copy(update={"output": ModelOutput(names=("c", "a"))})
    found = Runtime(LoadedModel(spec, onnx_bytes)).run(TENSOR)
    assert [one.tolist() for one in found] == [[[3, 3, 3]], [[1]]]
    assert {one.dtype for one in found} == {np.dtype(np.float32)}
    with pytest.raises(ModelRefused, match="it has no output z, only a, b, c"):
        Runtime(LoadedModel(SPEC.model_copy(update={"output": ModelOutput(names=("z",))}), onnx_bytes))


def test_the_input_must_be_of_the_manifests_type(tiny_yolox: bytes) -> None:
    """A manifest that says bytes where the file says floats is refused before any picture."""
    spec = SPEC.model_copy(update={"input": ModelInput(width=96, height=64, element="uint8")})
    with pytest.raises(ModelRefused, match="the manifest says uint8"):
        Runtime(LoadedModel(spec, tiny_yolox))


def test_weights_in_a_second_file_are_refused(
    tiny_onnx: Callable[..., bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The manifest's hash covers one file: weights beside it, even in the working folder, are not read."""
    rows = np.zeros((1, 126, 6), np.float32)
    (tmp_path / "weights.bin").write_bytes(rows.tobytes())
    monkeypatch.chdir(tmp_path)
    onnx_bytes = tiny_onnx({"images": (np.float32, (1, 3, 64, 96))}, {"output": rows}, beside="weights.bin")
    with pytest.raises(ModelRefused, match="second file; export it as one"):
        Runtime(LoadedModel(SPEC, onnx_bytes))
