"""The trained network run in numpy, frame windows in, controls out: what plays without torch."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from vultus.methods.emoface.config import LEAK, NetConfig

_EPSILON = 1e-5
"""Of layer normalisation, as torch has it."""

Tensors = Mapping[str, np.ndarray]


class NumpyNet:
    """`methods.emoface.model.EmoFaceNet` with the transformer encoder, on its tensors."""

    def __init__(self, tensors: Tensors, config: NetConfig) -> None:
        self._config = config
        self._content = _linear(tensors, "content")
        self._out = _linear(tensors, "out")
        first, second = _linear(tensors, "emotion.first"), _linear(tensors, "emotion.second")
        inner = _apply(first, tensors["emotion.embedding.weight"])
        self._codes = _apply(second, np.where(inner > 0, inner, LEAK * inner))
        prefix = "audio2rig.layers.layers"
        self._layers = [_Layer(tensors, f"{prefix}.{i}", config.heads) for i in range(config.layers)]

    def __call__(self, states: np.ndarray, emotion: np.ndarray) -> np.ndarray:
        """Controls (T, 174) float32 of states at 60 fps (T, states) and emotions (T, 7)."""
        x = _apply(self._content, states)
        if self._config.positions:
            x = x + _positions(len(states), self._config.width)
        x = x + emotion.astype(np.float32) @ self._codes
        for layer in self._layers:
            x = layer(x)
        return _apply(self._out, x)


class _Layer:
    """One transformer-encoder layer: attention, then two linear maps, each added to its input and normalised."""

    def __init__(self, tensors: Tensors, name: str, heads: int) -> None:
        self._heads = heads
        attention = f"{name}.self_attn"
        self._project = _transposed(tensors[f"{attention}.in_proj_weight"]), tensors[f"{attention}.in_proj_bias"]
        self._join = _linear(tensors, f"{attention}.out_proj")
        self._widen, self._narrow = _linear(tensors, f"{name}.linear1"), _linear(tensors, f"{name}.linear2")
        self._norms = [_norm(tensors, f"{name}.norm{i}") for i in (1, 2)]

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """(T, width) to the same."""
        x = _normalised(x + self._attended(x), *self._norms[0])
        wide = np.maximum(_apply(self._widen, x), 0)
        return _normalised(x + _apply(self._narrow, wide), *self._norms[1])

    def _attended(self, x: np.ndarray) -> np.ndarray:
        count, width = x.shape
        depth = width // self._heads
        parts = _apply(self._project, x).reshape(count, 3, self._heads, depth)
        query, key, value = parts.transpose(1, 2, 0, 3)  # (heads, T, depth) each
        likeness = (query * np.float32(depth**-0.5)) @ key.transpose(0, 2, 1)
        likeness -= likeness.max(-1, keepdims=True)
        np.exp(likeness, out=likeness)
        joined = (likeness @ value) / likeness.sum(-1, keepdims=True)
        return _apply(self._join, joined.transpose(1, 0, 2).reshape(count, width))


Linear = tuple[np.ndarray, np.ndarray]


def _linear(tensors: Tensors, name: str) -> Linear:
    return _transposed(tensors[f"{name}.weight"]), tensors[f"{name}.bias"]


def _norm(tensors: Tensors, name: str) -> Linear:
    return tensors[f"{name}.weight"], tensors[f"{name}.bias"]


def _transposed(weight: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(weight.T, np.float32)


def _apply(linear: Linear, x: np.ndarray) -> np.ndarray:
    return x @ linear[0] + linear[1]


def _normalised(x: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    centred = x - x.mean(-1, keepdims=True)
    spread = np.sqrt(np.square(centred).mean(-1, keepdims=True) + np.float32(_EPSILON))
    return centred / spread * weight + bias


@lru_cache(maxsize=8)
def _positions(count: int, width: int) -> np.ndarray:
    """Equations 1 and 2, as `methods.emoface.model.positions`."""
    angle = np.arange(count)[:, None] * np.exp(np.arange(0, width, 2) * (-np.log(10000.0) / width))
    return np.stack([np.sin(angle), np.cos(angle)], -1).reshape(count, -1)[:, :width].astype(np.float32)
