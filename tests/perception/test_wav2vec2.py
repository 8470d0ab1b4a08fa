"""The papers' encoders: CTC windows by hand; wav2vec2 from a local folder; a clear word where it is missing."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from vultus.core.errors import InputError, MissingPartError
from vultus.perception.published.store import STORE_VARIABLE
from vultus.perception.published.table import published_network
from vultus.perception.speech import state_count, states_of
from vultus.perception.wav2vec2 import DEFAULT_NAME, STORED_NAME, Wav2Vec2Encoder, ctc_windows, resampled_states


def test_windows_by_hand() -> None:
    logits = np.arange(1.0, 7)[:, None] * (1, 10)
    windows = ctc_windows(logits, 4)
    assert windows.shape == (6, 4, 2)
    np.testing.assert_array_equal(windows[0, :, 0], (0, 0, 1, 2))
    np.testing.assert_array_equal(windows[5, :, 1], (40, 50, 60, 0))
    assert ctc_windows(np.zeros((9, 29))).shape == (9, 16, 29)


def test_states_at_another_rate() -> None:
    ramp = np.arange(51.0)[:, None]
    np.testing.assert_allclose(resampled_states(ramp, 25, 3)[:, 0], (1, 3, 5))


def test_without_transformers_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingPartError, match="transformers is not installed"):
        Wav2Vec2Encoder()


def test_the_default_is_read_from_the_store_once_it_is_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[tuple[str, bool | None]] = []

    class Model:
        @staticmethod
        def from_pretrained(source: str, use_safetensors: bool | None) -> Model:
            asked.append((source, use_safetensors))
            return Model()

        def eval(self) -> Model:
            return self

    monkeypatch.setitem(sys.modules, "transformers", SimpleNamespace(Wav2Vec2ForCTC=Model))
    monkeypatch.setenv(STORE_VARIABLE, str(tmp_path))
    Wav2Vec2Encoder()
    folder = tmp_path / STORED_NAME
    folder.mkdir()
    for file in published_network(STORED_NAME).files:
        (folder / file.name).write_bytes(b"")
    Wav2Vec2Encoder()
    assert asked == [(DEFAULT_NAME, None), (str(folder), True)]


def test_a_tiny_model_from_a_folder(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    config = transformers.Wav2Vec2Config(
        hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, conv_dim=(8,) * 7,
        num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=2, vocab_size=32,
    )  # fmt: skip
    transformers.Wav2Vec2ForCTC(config).save_pretrained(tmp_path)
    voice = np.random.default_rng(0).standard_normal(16_000).astype(np.float32)
    states = states_of(Wav2Vec2Encoder(tmp_path), voice)
    assert states.hidden.shape == (state_count(16_000), 16)
    assert states.posteriors is not None
    np.testing.assert_allclose(states.posteriors.sum(1), 1, atol=1e-5)
    halves = Wav2Vec2Encoder(tmp_path)
    halves.push(voice[:777])
    halves.push(voice[777:])
    np.testing.assert_allclose(halves.finish().hidden, states.hidden, atol=1e-6)


def test_a_folder_without_a_model(tmp_path: Path) -> None:
    pytest.importorskip("transformers", reason="transformers is not installed")
    with pytest.raises(InputError, match="no wav2vec2 model"):
        Wav2Vec2Encoder(tmp_path / "none")
