"""The papers' speech encoders behind our interface: wav2vec2 through transformers, and windows of CTC logits."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vultus.core.errors import InputError, MissingPartError
from vultus.perception.published.store import is_fetched, weights_folder
from vultus.perception.speech import RATE_HZ, SpeechStates, state_count

if TYPE_CHECKING:
    import torch

DEFAULT_NAME = "facebook/wav2vec2-base-960h"
STORED_NAME = "wav2vec2-base-960h"
"""The same model among the published networks (`vultus weights fetch`)."""
CTC_WINDOW = 16
"""Frames around each moment that DeepSpeech-like features hold (blink_nerf, section III)."""
_SHORTEST = 400
"""Samples that wav2vec2's first state needs."""


class Wav2Vec2Encoder:
    """wav2vec2 on one voice. It looks at the whole voice: nothing comes out before `finish`.

    Its states lie 20 ms apart like ours and are held at the end, where its convolutions run out of voice; `posteriors`
    are the letters of its CTC head where the model has one.
    """

    lookahead_s = float("inf")

    def __init__(self, source: str | Path = DEFAULT_NAME) -> None:
        """`source` is a name on the hub, fetched once, or a local folder. Raises MissingPartError or InputError.

        The default is read from the store of published networks if it was fetched there, without the hub.
        """
        self._model = _load(source)
        self._heard: list[np.ndarray] = []

    def push(self, samples: np.ndarray) -> SpeechStates:
        """See `perception.speech.Listener.push`."""
        self._heard.append(np.asarray(samples, np.float32))
        return SpeechStates(np.zeros((0, self._model.config.hidden_size), np.float32))

    def finish(self) -> SpeechStates:
        """See `perception.speech.Listener.finish`."""
        import torch

        waveform = np.concatenate([*self._heard, np.zeros(0, np.float32)])
        self._heard = []
        count = state_count(len(waveform))
        padded = np.pad(waveform, (0, max(0, _SHORTEST - len(waveform))))
        # The feature extractor of the base models: zero mean and unit variance, no attention mask.
        centred = (padded - padded.mean()) / np.sqrt(padded.var() + 1e-7)
        with torch.no_grad():
            out = self._model(torch.from_numpy(centred)[None], output_hidden_states=True)
        hidden = _held(out.hidden_states[-1][0], count)
        logits = getattr(out, "logits", None)
        return SpeechStates(hidden, None if logits is None else _held(torch.softmax(logits[0], -1), count))


def ctc_windows(logits: np.ndarray, window: int = CTC_WINDOW) -> np.ndarray:
    """(T, window, C) around every frame of CTC logits (T, C): `window` / 2 frames before it, the rest from it on.

    Beyond both ends lie zeros, as in the released features of the papers.
    """
    before = window // 2
    padded = np.pad(np.asarray(logits, np.float32), ((before, window - before - 1), (0, 0)))
    return np.moveaxis(np.lib.stride_tricks.sliding_window_view(padded, window, axis=0), -1, 1)


def resampled_states(states: np.ndarray, fps: float, count: int) -> np.ndarray:
    """States (n, C), 50 a second, at `count` frames of another rate, by linear interpolation at their middles."""
    at = np.clip((np.arange(count) + 0.5) * RATE_HZ / fps, 0, len(states) - 1)
    low = np.floor(at).astype(int)
    share = (at - low)[:, None].astype(np.float32)
    return states[low] * (1 - share) + states[np.minimum(low + 1, len(states) - 1)] * share


def _load(source: str | Path) -> Any:
    try:
        from transformers import Wav2Vec2ForCTC
    except ImportError:
        fix = "run: pip install transformers, or use the encoder that ships"
        raise MissingPartError("transformers is not installed", "wav2vec2", fix) from None
    if source == DEFAULT_NAME and is_fetched(STORED_NAME):
        source = weights_folder(STORED_NAME)
    try:
        return Wav2Vec2ForCTC.from_pretrained(str(source), use_safetensors=Path(source).is_dir() or None).eval()
    except OSError as error:
        raise InputError("there is no wav2vec2 model here", source, "give a name on the hub or a folder") from error


def _held(states: torch.Tensor, count: int) -> np.ndarray:
    """(count, C): the last state is held where there are too few."""
    array = states.numpy()
    return array[np.minimum(np.arange(count), len(array) - 1)]
