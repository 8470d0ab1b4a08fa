"""The driver: it learns a mouth from a voice, the same every time and after an interruption, and plays as it comes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.methods.blink_nerf.people import talking_person, toy_person
from vultus.core.controls import Blink, Controls, Pose
from vultus.core.errors import InputError
from vultus.core.types import Performance
from vultus.methods.blink_nerf.driver.config import TINY
from vultus.methods.blink_nerf.driver.units import eye_size, lip_gap
from vultus.motion.lips import frame_count

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("lightning", reason="lightning is not installed")

from vultus.methods.blink_nerf.driver.infer import BlinkNerfDriver, load_motion  # noqa: E402
from vultus.methods.blink_nerf.driver.train import Motion, _whole_pieces  # noqa: E402
from vultus.training.loop import LoopConfig, train  # noqa: E402

LOOP = LoopConfig(accelerator="cpu", validate_every=1000, save_every=20)
CONFIG = replace(TINY, train=replace(TINY.train, steps=60, crop_frames=16, batch=4))


def trained(out, person, config=CONFIG, resume=False) -> tuple[Motion, dict[str, float]]:
    kept: list[Motion] = []

    def build() -> list[Motion]:
        kept.append(Motion(config, person))
        return kept

    return kept, train(build, config, out, LOOP, resume=resume)["motion"]


@pytest.fixture(scope="module")
def talker():
    return talking_person()


@pytest.fixture(scope="module")
def run(talker, tmp_path_factory):
    stages, figures = trained(tmp_path_factory.mktemp("motion"), talker)
    return stages[0].net.eval(), figures


def test_the_mouth_follows_the_voice_and_no_other(run):
    _, figures = run
    assert figures["aperture_r"] > 0.7 and figures["aperture_r"] > figures["aperture_r_swapped"] + 0.25
    assert figures["eye_r"] > 0.5
    assert figures["lmd_mouth_px512"] < figures["lmd_mean_mouth_px512"]
    assert figures["au_r"] > figures["au_r_shuffled"] and figures["au_mae"] < figures["au_mae_shuffled"]


def test_an_interrupted_run_ends_at_the_same_weights(run, talker, tmp_path, monkeypatch):
    class StopError(Exception):
        pass

    real = Motion.step

    def dying(self, batch, run):
        if self.done == 37:
            raise StopError
        return real(self, batch, run)

    monkeypatch.setattr(Motion, "step", dying)
    with pytest.raises(StopError):
        trained(tmp_path, talker)
    monkeypatch.undo()
    stages, _ = trained(tmp_path, talker, resume=True)
    for name, tensor in run[0].state_dict().items():
        torch.testing.assert_close(stages[0].net.state_dict()[name], tensor, rtol=0, atol=0, msg=name)


def played(net, controls, waveform, fps=25.0, chunk=4096) -> Performance:
    driver = BlinkNerfDriver(net, "sounds", controls, fps)
    parts = [driver.push(waveform[at : at + chunk]) for at in range(0, len(waveform), chunk)] + [driver.finish()]
    return Performance.concatenate(part for part in parts if part is not None)


@pytest.mark.parametrize("fps", [25.0, 10.0, 30.0])
def test_chunks_change_nothing_and_no_frame_is_lost(run, talker, fps):
    voice = talker.waveform[: 5 * 16_000 + 77]
    whole, pieces = (played(run[0], Controls(seed=4), voice, fps, chunk) for chunk in (len(voice), 1999))
    assert len(whole) == len(pieces) == frame_count(len(voice), fps)
    assert whole.reference == "rest" and set(whole.channels) == {
        "expression", "rotation", "translation", "au45", "landmarks", "voice",
    }  # fmt: skip
    for name in whole.channels:
        np.testing.assert_allclose(getattr(whole, name), getattr(pieces, name), atol=1e-4, err_msg=name)


def test_lips_blinks_and_head_obey(run, talker):
    voice = talker.waveform[: 4 * 16_000]
    plain = Controls(pose=Pose("still"), blink=Blink("none"))
    wide, shut = (lip_gap(played(run[0], replace(plain, lip_scale=s), voice).landmarks) for s in (1.0, 0.0))
    assert wide.std() > 10 * shut.std()
    still = played(run[0], plain, voice)
    assert not still.rotation.any() and not still.au45.any()
    blinking = played(run[0], replace(plain, blink=Blink("times", times_s=(2.0,))), voice)
    assert 48 <= np.argmax(blinking.au45) <= 52
    eyes = eye_size(blinking.landmarks).mean(1)
    assert eyes[40] - eyes[48:54].min() > 0.3 * (eyes.max() - eyes.min())
    assert np.corrcoef(lip_gap(still.landmarks), still.expression[:, 24])[0, 1] > 0.9 or still.expression.max() > 0.1


def test_looking_ahead_is_as_far_as_it_says(run, talker):
    driver = BlinkNerfDriver(run[0], "sounds", Controls(), 25.0)
    out, pushed = 0, 0
    for at in range(0, 6 * 16_000, 800):
        made = driver.push(talker.waveform[at : at + 800])
        out, pushed = out + (0 if made is None else len(made)), at + 800
        assert out >= int((pushed / 16_000 - driver.lookahead_s) * 25)


def test_weights_come_back(run):
    from vultus.core.config import resolved

    again = load_motion(run[0].state_dict(), resolved(CONFIG))
    assert torch.equal(again.transformer.lips.weight, run[0].transformer.lips.weight)


def test_pieces_have_a_face_and_no_cut():
    person = toy_person(40)
    valid, shot = person.valid.copy(), person.shot.copy()
    valid[10], shot[20:] = False, 1
    person = replace(person, valid=valid, shot=shot)
    assert _whole_pieces(person, 8).tolist() == [0, 1, 2, 11, 12, *range(20, 29)]
    with pytest.raises(InputError, match="long enough"):
        Motion(replace(CONFIG, train=replace(CONFIG.train, crop_frames=38)), person)
