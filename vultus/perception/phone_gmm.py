"""Which sound each moment is like, by Gaussians that were fitted to many real talkers: phone classes 50 times a second.

What a network learns from synthetic voices does not wholly carry over to real ones. The mixtures here are those of the
acoustic model in the pocketsphinx wheel (each state of each phone, without context), merged to a few Gaussians by
`tools/build_phone_gmm.py`. They see cepstra and their first and second differences, made from our own log-mel.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np

from vultus.audio.features import BANDS, mel_edges_hz
from vultus.core.errors import MissingPartError

ASSET = Path(__file__).parent.parent / "assets" / "phone_gmm.npz"
CEPSTRA, STREAMS = 13, 3
STATES = 3
"""Beginning, middle and end of a phone."""
STATE_GAUSSIANS = 8
"""Gaussians of one state in each stream; the likeliest speaks for all."""
REACH = 3
"""Frames on either side that second differences see."""
LATENCY = 2
"""Class k is of frame 2 k - LATENCY, so that it hears no more than one frame past the moment of state k."""
_LOW_HZ, _HIGH_HZ, _FILTERS, _LIFTER = 130.0, 6800.0, 25, 22
"""Of the cepstra that the Gaussians were fitted to."""


@lru_cache(maxsize=1)
def gaussians() -> tuple[np.ndarray, np.ndarray]:
    """Log densities of all Gaussians as a linear map of squares and values: (STREAMS, G, 2 CEPSTRA) and (STREAMS, G).

    Gaussians of one state lie together, states of one phone too. Raises MissingPartError if the file was left out.
    """
    if not ASSET.is_file():
        raise MissingPartError("the Gaussians of phones are not installed", ASSET.name, "install vultus again")
    with np.load(ASSET, allow_pickle=False) as data:
        return data["forms"].astype(np.float32), data["constants"].astype(np.float32)


@lru_cache(maxsize=1)
def phone_classes() -> tuple[str, ...]:
    """What the columns of `PhoneGmm.push` are called: ARPAbet, SIL, and two kinds of noise."""
    gaussians()
    with np.load(ASSET, allow_pickle=False) as data:
        return tuple(str(name) for name in data["classes"])


@lru_cache(maxsize=1)
def cepstral_map() -> np.ndarray:
    """(BANDS, CEPSTRA) float32: liftered cepstra of centred log-mel; its bands are pooled to wider ones on the way."""
    centres = mel_edges_hz(BANDS)[1:-1]
    low, middle, high = (mel_edges_hz(_FILTERS, _LOW_HZ, _HIGH_HZ)[i : i + _FILTERS, None] for i in range(3))
    width = np.gradient(centres)
    pool = np.maximum(0, np.minimum((centres - low) / (middle - low), (high - centres) / (high - middle))) * width
    pool /= pool.sum(1, keepdims=True)
    order = np.arange(CEPSTRA)[:, None]
    cosines = np.cos(np.pi * order * (np.arange(_FILTERS) + 0.5) / _FILTERS) * np.sqrt(2 / _FILTERS)
    cosines[0] *= np.sqrt(0.5)
    lifter = 1 + _LIFTER / 2 * np.sin(np.pi * order / _LIFTER)
    return (lifter * cosines @ pool).T.astype(np.float32)


class PhoneGmm:
    """Probabilities of `phone_classes` on a stream; tensors `gmm.forms` and `gmm.constants` as in `gaussians`."""

    def __init__(self, tensors: Mapping[str, np.ndarray]) -> None:
        by_state = (STREAMS, -1, STATE_GAUSSIANS)
        forms = tensors["gmm.forms"].reshape(*by_state, 2 * CEPSTRA).astype(np.float32)
        self._forms = np.ascontiguousarray(forms.transpose(0, 3, 2, 1)).reshape(STREAMS, 2 * CEPSTRA, -1)
        constants = tensors["gmm.constants"].reshape(by_state).astype(np.float32)
        self._constants = constants.transpose(0, 2, 1).reshape(STREAMS, -1)
        self._states = constants.shape[1]
        self._past = np.zeros((REACH + LATENCY, CEPSTRA), np.float32)

    def push(self, centred: np.ndarray) -> np.ndarray:
        """Take centred log-mel (n, BANDS) at 100 Hz; return probabilities (m, classes) at 50 Hz that became known."""
        cepstra = np.concatenate([self._past, centred.astype(np.float32) @ cepstral_map()])
        count = max(0, (len(cepstra) - 2 * REACH - 1) // 2 + 1)
        around = [cepstra[k : k + 2 * count : 2][:count] for k in range(2 * REACH + 1)]
        self._past = cepstra[2 * count :]
        likely = np.zeros((count, self._states), np.float32)
        streams = (
            around[3],
            around[5] - around[1],
            around[6] - around[2] - around[4] + around[0],
        )
        for x, form, constant in zip(streams, self._forms, self._constants, strict=True):
            density = np.concatenate([np.square(x), x], 1) @ form + constant
            likely += density.reshape(count, STATE_GAUSSIANS, self._states).max(1)
        likely = np.exp(likely - likely.max(1, keepdims=True, initial=-np.inf))
        likely = likely.reshape(count, self._states // STATES, STATES).sum(2)
        return likely / likely.sum(1, keepdims=True)
