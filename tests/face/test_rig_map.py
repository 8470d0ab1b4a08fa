"""ARKit weights as MetaHuman controls and back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vultus.core.bases import ARKIT52
from vultus.core.bases import index_of as weight
from vultus.core.errors import InputError
from vultus.core.types import Performance
from vultus.face.metahuman import COUNT, HIGH, LOW, index_of, mirrored
from vultus.face.rig import convert
from vultus.face.rig_map import READ, THERE, arkit_of, controls_of, with_controls

OPPOSITES = [("jawLeft", "jawRight"), ("mouthLeft", "mouthRight")]
OPPOSITES += [("eyeBlink" + side, "eyeWide" + side) for side in ("Left", "Right")]
OPPOSITES += [
    (f"eyeLook{a}{s}", f"eyeLook{b}{s}") for a, b in (("In", "Out"), ("Up", "Down")) for s in ("Left", "Right")
]


def faces(count: int, seed: int) -> np.ndarray:
    """(count, 52) random weights 0-1, of two opposite ones never both."""
    rng = np.random.default_rng(seed)
    weights = rng.random((count, 52)).astype(np.float32) * (rng.random((count, 52)) < 0.6)
    for one, other in OPPOSITES:
        first = rng.random(count) < 0.5
        weights[first, weight(one)] = 0
        weights[~first, weight(other)] = 0
    return weights


def test_every_weight_moves_something_and_is_read() -> None:
    named = {name for table in (THERE, READ) for name in table}
    plain = {name.removesuffix("Left").removesuffix("Right") for name in ARKIT52 if not name.startswith("eyeLook")}
    assert plain - {"mouthClose", "jaw", "mouth"} <= named
    moved = np.abs(controls_of(np.eye(52, dtype=np.float32))).sum(1)
    assert (moved > 0).all()


def test_each_weight_alone_comes_back() -> None:
    one = np.eye(52, dtype=np.float32)
    back, _ = arkit_of(controls_of(one))
    np.testing.assert_allclose(back, one, atol=0.02)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31))
def test_there_and_back_is_the_same_face(seed: int) -> None:
    weights = faces(20, seed)
    controls = controls_of(weights)
    assert controls.shape == (20, COUNT) and (controls >= LOW).all() and (controls <= HIGH).all()
    back, _ = arkit_of(controls)
    np.testing.assert_allclose(back, weights, atol=0.02)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31))
def test_gaze_comes_back(seed: int) -> None:
    gaze = np.random.default_rng(seed).uniform((-30, -20), (30, 20), (9, 2))
    _, back = arkit_of(controls_of(faces(9, seed), gaze))
    np.testing.assert_allclose(back, gaze, atol=1e-3)


def test_opposites_leave_their_difference() -> None:
    weights = np.zeros((1, 52), np.float32)
    weights[0, weight("eyeBlinkLeft")], weights[0, weight("eyeWideLeft")] = 0.7, 0.2
    controls = controls_of(weights)
    assert controls[0, index_of("eye_blink", "left")] == pytest.approx(0.5)
    assert arkit_of(controls)[0][0, weight("eyeBlinkLeft")] == pytest.approx(0.5)


def test_sealed_lips_are_sealed_however_far_the_jaw_is_open() -> None:
    weights = np.zeros((3, 52), np.float32)
    weights[:, weight("jawOpen")] = weights[:, weight("mouthClose")] = (0.1, 0.3, 0.8)
    seal = controls_of(weights)[:, [index_of("mouth_lipsTogetherU", "left"), index_of("mouth_lipsTogetherD", "right")]]
    np.testing.assert_allclose(seal, 1)
    ajar = weights.copy()
    ajar[:, weight("mouthClose")] /= 2
    np.testing.assert_allclose(controls_of(ajar)[:, index_of("mouth_lipsTogetherU", "left")], 0.5)


def test_signs_of_the_board() -> None:
    """Epic's board: jaw +x is the subject's right, mouth and eyes +x the left; forward, out and wide are below 0."""
    controls = {
        name: controls_of(row[None])[0] for name, row in zip(ARKIT52, np.eye(52, dtype=np.float32), strict=True)
    }
    assert controls["jawRight"][index_of("jaw.x")] == 1 and controls["mouthLeft"][index_of("mouth.x")] == 1
    assert controls["jawForward"][index_of("jaw_fwdBack")] == -1 and controls["tongueOut"][index_of("tongue_inOut")] < 0
    assert controls["eyeWideLeft"][index_of("eye_blink", "left")] == -1
    assert controls["eyeLookOutLeft"][index_of("eye.x", "left")] == 1
    assert controls["eyeLookOutRight"][index_of("eye.x", "right")] == -1
    assert controls["eyeLookUpRight"][index_of("eye.y", "right")] == 1
    assert controls_of(np.zeros((1, 52)), np.array([[20.0, -20.0]]))[0, :2] == pytest.approx([0.5, -0.5])


def test_mirror_images_agree() -> None:
    """Mirroring the weights and mirroring the controls is the same."""
    weights = faces(50, 3)
    swapped = weights[:, [weight(mirror_name(name)) for name in ARKIT52]]
    np.testing.assert_allclose(controls_of(swapped), mirrored(controls_of(weights)), atol=1e-6)


def mirror_name(name: str) -> str:
    if name.endswith("Left"):
        return name.removesuffix("Left") + "Right"
    return name.removesuffix("Right") + "Left" if name.endswith("Right") else name


def test_performances_gain_what_they_lack() -> None:
    still = Performance.neutral(3, 60)
    rigged = with_controls(still)
    assert rigged.controls is not None and not rigged.controls.any()
    assert with_controls(rigged) is rigged
    bare = Performance(fps=60, valid=np.ones(2, bool), controls=np.full((2, 174), 0.5, np.float32))
    seen = convert(bare, "arkit52")
    assert seen.channels == ("expression", "gaze", "au45", "controls")
    assert seen.au45[0] == pytest.approx(5 * seen.expression[0, weight("eyeBlinkLeft")])
    with pytest.raises(InputError, match="no ARKit weights"):
        with_controls(Performance(fps=25, valid=np.ones(1, bool), au45=np.zeros(1, np.float32)))
