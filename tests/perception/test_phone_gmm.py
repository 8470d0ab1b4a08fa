"""The Gaussians of phones: densities, merging, streaming, and what they make of a voice whose phones are known."""

from __future__ import annotations

import numpy as np
from scipy.stats import norm

from tools.build_phone_gmm import log_density, merged
from vultus.audio.features import BANDS
from vultus.perception.phone_gmm import (
    CEPSTRA,
    STATE_GAUSSIANS,
    STATES,
    STREAMS,
    PhoneGmm,
    cepstral_map,
    gaussians,
    phone_classes,
)

RNG = np.random.default_rng(3)
MIXTURE = (np.array([0.5, 0.3, 0.2]), RNG.normal(size=(3, CEPSTRA)), RNG.uniform(0.5, 2, (3, CEPSTRA)))


def tensors() -> dict[str, np.ndarray]:
    forms, constants = gaussians()
    return {"gmm.forms": forms, "gmm.constants": constants}


def test_the_forms_are_log_densities() -> None:
    x = RNG.normal(size=CEPSTRA)
    forms, constants = log_density(MIXTURE)
    weights, means, variances = MIXTURE
    wanted = np.log(weights) + norm.logpdf(x, means, np.sqrt(variances)).sum(1)
    np.testing.assert_allclose(forms @ np.concatenate([np.square(x), x]) + constants, wanted, atol=1e-9)


def test_merging_keeps_weight_mean_and_variance() -> None:
    for left in (1, 2):
        weight, mean, variance = merged(MIXTURE, left)
        assert len(weight) == left
        for got, wanted in zip(moments(weight, mean, variance), moments(*MIXTURE), strict=True):
            np.testing.assert_allclose(got, wanted, atol=1e-12)


def moments(weight: np.ndarray, mean: np.ndarray, variance: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    middle = weight @ mean
    return float(weight.sum()), middle, weight @ (variance + np.square(mean)) - np.square(middle)


def test_the_cheapest_pair_is_merged() -> None:
    means = np.array([[0.0], [0.1], [5.0]]) * np.ones(CEPSTRA)
    _, mean, _ = merged((np.full(3, 1 / 3), means, np.ones((3, CEPSTRA))), 2)
    np.testing.assert_allclose(np.sort(mean[:, 0]), [0.05, 5.0])


def test_the_asset_has_all_states_of_all_classes() -> None:
    forms, constants = gaussians()
    assert forms.shape == (STREAMS, len(phone_classes()) * STATES * STATE_GAUSSIANS, 2 * CEPSTRA)
    assert constants.shape == forms.shape[:2]
    assert (forms[..., :CEPSTRA] < 0).all()  # every Gaussian falls off
    assert {"AA", "M", "SIL", "+NSN+"} <= set(phone_classes())


def test_a_level_of_all_bands_is_the_first_cepstrum_alone() -> None:
    cepstra = np.ones((1, BANDS), np.float32) @ cepstral_map()
    np.testing.assert_allclose(cepstra, [[5.0] + [0.0] * (CEPSTRA - 1)], atol=1e-4)  # sqrt(25 filters)


def test_probabilities_follow_bayes_on_one_frame() -> None:
    """Frames that do not move: differences are 0, and what is left is the densities of one cepstrum."""
    frame = RNG.normal(size=BANDS).astype(np.float32)
    out = PhoneGmm(tensors()).push(np.tile(frame, (40, 1)))[-1]
    forms, constants = gaussians()
    still = (frame @ cepstral_map(), np.zeros(CEPSTRA), np.zeros(CEPSTRA))
    total = np.zeros(len(phone_classes()) * STATES)
    for x, form, constant in zip(still, forms.astype(float), constants, strict=True):
        total += (form @ np.concatenate([np.square(x), x]) + constant).reshape(-1, STATE_GAUSSIANS).max(1)
    wanted = np.exp(total - total.max()).reshape(-1, STATES).sum(1)
    np.testing.assert_allclose(out, wanted / wanted.sum(), atol=1e-4)


def test_chunks_do_not_matter_and_a_class_comes_every_other_frame() -> None:
    frames = RNG.normal(size=(101, BANDS)).astype(np.float32)
    whole = PhoneGmm(tensors()).push(frames)
    stream = PhoneGmm(tensors())
    parts = np.concatenate([stream.push(part) for part in np.split(frames, [1, 1, 2, 50, 53])])
    assert whole.shape == (50, len(phone_classes()))
    np.testing.assert_allclose(parts, whole, atol=1e-5)
    np.testing.assert_allclose(whole.sum(1), 1, atol=1e-5)
