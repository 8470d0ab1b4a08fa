"""LSE-C and LSE-D against values by hand and against the published evaluation's own arithmetic."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from vultus.metrics.sync import lip_sync_error


def published(lips: np.ndarray, sound: np.ndarray, reach: int) -> tuple[float, float, int]:
    """What syncnet_python's evaluation computes, frame by frame."""
    a, b = torch.from_numpy(lips), torch.from_numpy(sound)
    width = 2 * reach + 1
    padded = F.pad(b, (0, 0, reach, reach))
    rows = [F.pairwise_distance(a[[i]].repeat(width, 1), padded[i : i + width]) for i in range(len(a))]
    mean = torch.stack(rows, 1).mean(1)
    low, at = mean.min(0)
    return float(low), float(mean.median() - low), reach - int(at)


@pytest.mark.parametrize("late", [0, 4, -7])
def test_it_agrees_with_the_published_evaluation(late):
    rng = np.random.default_rng(0)
    sound = rng.normal(size=(80, 32))
    lips = np.roll(sound, late, 0) + 0.3 * rng.normal(size=sound.shape)
    found = lip_sync_error(lips, sound)
    distance, confidence, offset = published(lips, sound, 15)
    assert found.distance == pytest.approx(distance, abs=1e-4)
    assert found.confidence == pytest.approx(confidence, abs=1e-4)
    assert found.offset_frames == offset == late


def test_three_shifts_by_hand():
    """Lips 1, 2, 4 and sound 2, 4, 0 in one dimension: the sound runs one window ahead."""
    lips, sound = np.array([[1.0], [2.0], [4.0]]), np.array([[2.0], [4.0], [0.0]])
    found = lip_sync_error(lips, sound, reach=1)
    means = [(1 + 0 + 0) / 3, (1 + 2 + 4) / 3, (3 + 2 + 4) / 3]
    assert found.distance == pytest.approx(means[0], abs=1e-4)
    assert found.confidence == pytest.approx(means[1] - means[0], abs=1e-4)
    assert found.offset_frames == 1


def test_unequal_lengths_are_cut_and_nothing_is_refused():
    rng = np.random.default_rng(1)
    lips, sound = rng.normal(size=(40, 8)), rng.normal(size=(44, 8))
    assert lip_sync_error(lips, sound) == lip_sync_error(lips, sound[:40])
    with pytest.raises(ValueError, match="one window"):
        lip_sync_error(lips[:0], sound)
