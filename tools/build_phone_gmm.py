"""Merge the phone mixtures of pocketsphinx's acoustic model into a few Gaussians: `vultus/assets/phone_gmm.npz`, card.

    python tools/build_phone_gmm.py [OUT.npz]

Each state of each phone without context has, in each of three streams, weights on the phone's 128 Gaussians. The pair
whose merging costs least (Runnalls 2007, eq. 24) is merged until a few are left.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import numpy as np

from vultus.perception.phone_gmm import ASSET, CEPSTRA, STATE_GAUSSIANS, STATES, STREAMS

MODEL = "en-us/en-us"
WEIGHT_UNIT = 1024 * np.log(1.0001)
"""Weights are kept as whole negative logarithms in this unit."""
LEAST_VARIANCE = 1e-4
CONSIDERED = 64
"""A state's heaviest Gaussians; the others hardly count."""

Mixture = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Weights (n,), means and variances (n, CEPSTRA)."""


def read_table(path: Path) -> np.ndarray:
    """Means or variances (phones, STREAMS, Gaussians, CEPSTRA)."""
    data = path.read_bytes()
    start = data.index(b"endhdr\n") + len(b"endhdr\n")
    phones, streams, count, *lengths = np.frombuffer(data, np.int32, 3 + STREAMS, start + 4)
    assert (streams, *lengths) == (STREAMS, *[CEPSTRA] * STREAMS)
    shape = (phones, streams, count, CEPSTRA)
    return np.frombuffer(data, np.float32, int(np.prod(shape)), start + 4 * (5 + STREAMS)).reshape(shape).astype(float)


def read_weights(path: Path, gaussians: int, states: int) -> np.ndarray:
    """Mixture weights (STREAMS, gaussians, states) of the first `states`, those of phones without context."""
    data = path.read_bytes()
    at = data.index(b"feature_count 3\0") + len(b"feature_count 3\0")
    at = data.index(b"\0\0\0\0", at) + 4
    rows, columns = np.frombuffer(data, np.int32, 2, at)
    assert rows == gaussians
    table = np.frombuffer(data, np.uint8, STREAMS * rows * columns, at + 8).reshape(STREAMS, rows, columns)
    return np.exp(-WEIGHT_UNIT * table[:, :, :states])


def read_classes(path: Path, count: int) -> list[str]:
    """Names of the phones without context, in the model's order."""
    data = path.read_bytes()
    names = data[data.index(b"+NSN+\0") :].split(b"\0", count)[:count]
    return [name.decode("ascii") for name in names]


def merged(mixture: Mixture, left: int) -> Mixture:
    """The same mixture with `left` Gaussians, mean and variance kept."""
    weight, mean, variance = (np.array(part) for part in mixture)
    alive = np.ones(len(weight), bool)

    def joined(i: np.ndarray, j: np.ndarray) -> Mixture:
        total = weight[i] + weight[j]
        a, b = (weight[i] / total)[..., None], (weight[j] / total)[..., None]
        middle = a * mean[i] + b * mean[j]
        return total, middle, a * (variance[i] + (mean[i] - middle) ** 2) + b * (variance[j] + (mean[j] - middle) ** 2)

    def cost(i: np.ndarray, j: np.ndarray) -> np.ndarray:
        total, _, spread = joined(i, j)
        volume = [0.5 * weight[k] * np.log(variance[k]).sum(-1) for k in (i, j)]
        return np.where(i == j, np.inf, 0.5 * total * np.log(spread).sum(-1) - sum(volume))

    costs = cost(*np.indices((len(weight), len(weight))))
    for _ in range(len(weight) - left):
        i, j = np.unravel_index(np.argmin(costs), costs.shape)
        weight[i], mean[i], variance[i] = joined(i, j)
        alive[j] = False
        costs[j], costs[:, j] = np.inf, np.inf
        others = np.flatnonzero(alive)
        costs[i, others] = costs[others, i] = cost(np.full(len(others), i), others)
    return weight[alive], mean[alive], variance[alive]


def log_density(mixture: Mixture) -> tuple[np.ndarray, np.ndarray]:
    """Weighted log densities as linear forms (n, 2 CEPSTRA) of squares and values, and constants (n,)."""
    weight, mean, variance = mixture
    constants = np.log(weight) - 0.5 * (np.square(mean) / variance + np.log(2 * np.pi * variance)).sum(1)
    return np.concatenate([-0.5 / variance, mean / variance], 1), constants


def main(out: Path) -> None:
    """Write the asset and its card."""
    from pocketsphinx import get_model_path

    folder = Path(get_model_path(MODEL))
    means, variances = read_table(folder / "means"), read_table(folder / "variances")
    variances = np.maximum(variances, LEAST_VARIANCE)
    phones, _, count, _ = means.shape
    weights = read_weights(folder / "sendump", count, phones * STATES)
    forms, constants = [], []
    for stream in range(STREAMS):
        for state in range(phones * STATES):
            heavy = np.argsort(-weights[stream, :, state])[:CONSIDERED]
            weight = weights[stream, heavy, state] / weights[stream, heavy, state].sum()
            phone = state // STATES
            few = merged((weight, means[phone, stream, heavy], variances[phone, stream, heavy]), STATE_GAUSSIANS)
            form, constant = log_density(few)
            forms.append(form)
            constants.append(constant)
    np.savez_compressed(
        out,
        forms=np.concatenate(forms).reshape(STREAMS, -1, 2 * CEPSTRA).astype(np.float32),
        constants=np.concatenate(constants).reshape(STREAMS, -1).astype(np.float32),
        classes=read_classes(folder / "mdef", phones),
    )
    card = {
        "name": "phone_gmm",
        "sha256": hashlib.sha256(out.read_bytes()).hexdigest(),
        "made_by": "tools/build_phone_gmm.py",
        "made_from": "the en-us acoustic model in the pocketsphinx wheel (Alpha Cephei Inc.)",
        "states": phones * STATES,
        "gaussians_of_each_state_and_stream": STATE_GAUSSIANS,
        "licence": "BSD-2-Clause, THIRD_PARTY_NOTICES.md",
        "measured": "docs/lips.md",
    }
    out.with_suffix(".json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ASSET)
