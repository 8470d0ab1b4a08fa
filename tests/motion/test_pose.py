"""Head motion: it goes with the voice, stays small, follows keys and videos, and starts from rest."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vultus.core.controls import Pose
from vultus.core.errors import ControlError
from vultus.core.types import Performance
from vultus.motion.energy import VoiceEnergy
from vultus.motion.noise import soft_limit
from vultus.motion.pose import FREE_DEG, LIMIT_DEG, IdleHead, KeyedHead, StillHead, TrackedHead, head_motion


def silence(count: int) -> VoiceEnergy:
    return VoiceEnergy(np.zeros(count), np.zeros(count))


def stressed(count: int, every: int) -> VoiceEnergy:
    emphasis = np.zeros(count)
    for at in range(every, count, every):
        emphasis[at : at + 4] = 0.9
    return VoiceEnergy(np.full(count, 0.8), emphasis)


def test_the_head_nods_on_stress() -> None:
    energy = stressed(3000, 50)
    rotation, _ = IdleHead(25, 0).frames(energy)
    rest, _ = IdleHead(25, 0).frames(VoiceEnergy(energy.level, np.zeros(3000)))
    nod = (rotation - rest)[:, 1].reshape(-1, 50).mean(0)
    assert 2 <= np.argmin(nod) <= 10  # within .4 s of the stress
    assert -4 < nod.min() < -0.8
    assert abs(nod[-10:]).max() < 0.2 * abs(nod.min())


def test_the_head_moves_more_while_speaking() -> None:
    speaking, _ = IdleHead(25, 1).frames(VoiceEnergy(np.full(5000, 0.8), np.zeros(5000)))
    quiet, _ = IdleHead(25, 1).frames(silence(5000))
    assert (speaking.std(0) > 1.5 * quiet.std(0)).all()
    assert (quiet.std(0) > 0.1).all()


@pytest.mark.parametrize("seed", range(4))
def test_idle_motion_stays_small_without_drift_and_starts_at_rest(seed: int) -> None:
    rotation, translation = IdleHead(25, seed).frames(stressed(15_000, 20))
    assert np.abs(rotation).max() <= IdleHead.LIMIT_DEG
    assert np.abs(rotation).max(0).min() > 1
    assert np.abs(translation).max() < 0.6
    quarters = rotation[:, [0, 2]].reshape(4, -1, 2).mean(1)
    assert np.abs(quarters).max() < 0.6
    assert np.abs(rotation[0]).max() < 0.05
    assert np.abs(np.diff(rotation, axis=0)).max() < 1.5  # degrees a frame: no jerk


def test_chunks_make_no_difference_and_seeds_do() -> None:
    energy = stressed(400, 30)
    whole, parts = IdleHead(25, 3), IdleHead(25, 3)
    pieces, at = [], 0
    for size in (1, 0, 99, 300):
        pieces.append(parts.frames(VoiceEnergy(energy.level[at : at + size], energy.emphasis[at : at + size]))[0])
        at += size
    np.testing.assert_array_equal(whole.frames(energy)[0], np.concatenate(pieces))
    assert not np.array_equal(IdleHead(25, 4).frames(energy)[0], IdleHead(25, 3).frames(energy)[0])


def test_a_still_head_is_still() -> None:
    rotation, translation = StillHead().frames(stressed(50, 10))
    assert rotation.shape == translation.shape == (50, 3)
    assert not rotation.any() and not translation.any()


def test_keys_are_met_and_held(tmp_path: Path) -> None:
    path = tmp_path / "keys.csv"
    path.write_text("time_s, yaw, pitch, roll\n1,0,0,0\n2,12,-6,3\n3,12,0,-3\n")
    rotation, _ = head_motion(Pose("keys", path), 100, 0, None).frames(silence(500))
    np.testing.assert_allclose(rotation[:100], 0, atol=1e-6)
    np.testing.assert_allclose(rotation[200], [12, -6, 3], atol=0.15)
    np.testing.assert_allclose(rotation[-1], [12, 0, -3], atol=1e-6)
    assert rotation[:, 0].max() <= 12 + 1e-6  # no overshoot


@pytest.mark.parametrize("text", ["", "1,2,3,4\n", "time_s,yaw,pitch,roll\n", "time_s,yaw,pitch,roll\n0,1,2\n",
                                  "time_s,yaw,pitch,roll\n0,a,0,0\n", "time_s,yaw,pitch,roll\n1,0,0,0\n1,0,0,0\n",
                                  "time_s,yaw,pitch,roll\n0,nan,0,0\n", "time_s,yaw,pitch,roll\n0,200,0,0\n",
                                  "time_s,yaw,pitch,roll\n-1,0,0,0\n", "\x00\x00"])  # fmt: skip
def test_malformed_keys_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "keys.csv"
    path.write_text(text)
    with pytest.raises(ControlError, match=r"keys\.csv: .*\.$"):
        KeyedHead.read(path, 25)


def test_a_tracked_head_is_recentred_limited_and_followed() -> None:
    time_s = np.arange(250) / 30
    angles = np.stack([10 * np.sin(time_s) + 8, 5 * np.cos(2 * time_s) - 20, 3 * np.sin(3 * time_s) + 4], 1)
    angles[100, 0] = 80
    source = Performance(fps=30, valid=np.ones(250, bool), rotation=angles.astype(np.float32),
                         translation=np.full((250, 3), 50, np.float32), reference="camera")  # fmt: skip
    rotation, translation = TrackedHead(30, source).frames(silence(250))
    assert np.abs(np.median(rotation, 0)).max() < 1e-4
    assert np.abs(rotation).max() <= LIMIT_DEG
    assert not translation.any()
    keep = np.arange(250) != 100
    for axis in range(3):
        assert np.corrcoef(rotation[keep, axis], angles[keep, axis])[0, 1] > 0.99
    again, _ = TrackedHead(30, source).frames(silence(600))
    np.testing.assert_array_equal(again[250:499], again[248::-1])  # runs on, backwards


@given(st.floats(-1e3, 1e3))
def test_the_soft_limit_is_exact_inside_and_bounded_outside(angle: float) -> None:
    limited = float(soft_limit(np.array(angle), FREE_DEG, LIMIT_DEG))
    assert abs(limited) <= LIMIT_DEG
    if abs(angle) <= FREE_DEG:
        assert limited == angle
