"""A voice and an emotion to frames: how many, in step, faded to silence; the face in its place and nowhere else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed")

from tests.methods.emogen.faces import (
    COUNT,
    FACELESS,
    FPS,
    RADIUS_PX,
    SIDE_PX,
    centers,
    frames_of,
    images,
    made_footage,
    made_track,
    save_tiny,
)
from vultus.core.controls import Controls
from vultus.core.errors import ControlError, InputError, MissingPartError
from vultus.core.method import Look
from vultus.core.types import SAMPLE_RATE, Performance, Playback
from vultus.dubbing.scene import SETTLE_S, over
from vultus.methods import get_method
from vultus.methods.emogen.config import EMOTIONS
from vultus.methods.emogen.infer import EmoGenDriver, packed, unpacked
from vultus.methods.emogen.mel import RANGE, first_row, mel_of, windows
from vultus.methods.emogen.paste import FEATHER, cover, crops_of_track, paste
from vultus.methods.emogen.renderers import TURN_FADE_DEG, FootageRenderer
from vultus.methods.emogen.weights import FOLDER_VARIABLE, chosen_face_maker, load_face_maker
from vultus.rendering.footage.renderer import TURN_FADE_DEG as PORTRAIT_FADE_DEG
from vultus.video.span import span_of

LOOK = Look(fps=FPS)
IMAGES = images()
NEUTRAL, HAPPY = EMOTIONS.index("neutral"), EMOTIONS.index("happy")


def voice_of(seconds: float) -> np.ndarray:
    t = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return (0.3 * np.sin(2 * np.pi * (200 + 300 * t) * t)).astype(np.float32)


def heard(wave: np.ndarray, emotion: str = "happy", fps: float = FPS, chunk: int = 1000) -> Performance:
    driver = EmoGenDriver(Controls.parse(emotion=emotion), fps)
    pieces = [driver.push(wave[start : start + chunk]) for start in range(0, len(wave), chunk)]
    return Performance.concatenate([piece for piece in [*pieces, driver.finish()] if piece is not None])


@pytest.fixture(scope="module")
def renderer() -> FootageRenderer:
    return FootageRenderer(made_footage(), LOOK, chosen_face_maker())


def beside_face(t: int) -> np.ndarray:
    """(SIDE_PX, SIDE_PX) bool: pixels outside the box around the face of a frame."""
    y, x = np.mgrid[:SIDE_PX, :SIDE_PX] + 0.5
    return (np.abs(np.stack([x, y], -1) - centers()[t]) > RADIUS_PX + 1).any(-1)


@pytest.mark.parametrize(("seconds", "fps"), [(1.0, 25.0), (0.41, 25.0), (1.3, 29.97), (0.7, 60.0), (0.02, 10.0)])
def test_each_frame_hears_the_voice_around_it(seconds, fps):
    wave = voice_of(seconds)
    performance = heard(wave, fps=fps)
    count = int(np.ceil(len(wave) * fps / SAMPLE_RATE - 1e-6))
    assert len(performance) == count and performance.fps == fps
    mels, emotions = unpacked(performance.voice)
    wanted = windows(mel_of(wave), first_row((np.arange(count) + 0.5) / fps))
    np.testing.assert_allclose(mels, wanted, atol=1e-3)
    assert (emotions == np.eye(6)[HAPPY]).all()


def test_frames_are_out_as_early_as_is_said():
    driver, out = EmoGenDriver(Controls(), FPS), 0
    for pushed in range(1, 200):
        piece = driver.push(np.zeros(160, np.float32))
        out += 0 if piece is None else len(piece)
        assert out >= int((pushed * 0.01 - driver.lookahead_s) * FPS)


def test_emotions_over_time_and_mixes():
    rows = unpacked(heard(voice_of(2.0), "0:angry 1:happy:0.5,sad:0.5").voice)[1]
    assert rows[0].tolist() == np.eye(6)[0].tolist()
    np.testing.assert_allclose(rows[-1][[HAPPY, EMOTIONS.index("sad")]], 0.5, atol=1e-5)
    np.testing.assert_allclose(rows.sum(1), 1, atol=1e-5)


@pytest.mark.parametrize(
    ("emotion", "says"), [("contempt", "not learned contempt"), ("surprised", "choose angry"), ("happy@2", "no levels")]
)
def test_what_was_never_learned_is_refused(emotion, says):
    with pytest.raises(ControlError, match=says):
        EmoGenDriver(Controls.parse(emotion=emotion), FPS)


def test_after_the_voice_there_is_silence_and_the_same_feeling():
    performance = heard(voice_of(0.4))
    later = over(performance, np.arange(30) / FPS)
    mels, emotions = unpacked(later.voice)
    gone = np.arange(30) / FPS > performance.duration_s + SETTLE_S
    assert (mels[gone] == -RANGE).all() and mels[~gone].max() > 0
    np.testing.assert_allclose(emotions, np.tile(np.eye(6)[HAPPY], (30, 1)), atol=1e-6)


def test_without_any_emotion_it_is_neutral():
    mels = np.full((3, 80, 16), -RANGE, np.float32)
    assert (unpacked(packed(mels, np.zeros((3, 6), np.float32)))[1] == np.eye(6)[NEUTRAL]).all()
    with pytest.raises(ControlError, match="another method"):
        unpacked(np.zeros((3, 64), np.float32))


# The duration rules of section 3, to the frame, with the spans that `vultus dub` makes of video and voice.
@pytest.mark.parametrize(
    ("voice_frames", "shown", "last"),
    [(COUNT, COUNT, COUNT - 1), (COUNT - 1, COUNT - 1, COUNT - 2), (COUNT + 1, COUNT + 1, COUNT - 1),
     (3, 3, 2), (COUNT + 20, COUNT + 20, COUNT - 1)],
)  # fmt: skip
def test_equal_shorter_and_longer_voices(renderer, voice_frames, shown, last):
    wave = voice_of(voice_frames / FPS)
    span = span_of(frames_of(IMAGES), len(wave) / SAMPLE_RATE, extend="hold")
    assert len(span) == shown and span.index[-1] == last
    assert span.index[: min(shown, COUNT)].tolist() == list(range(min(shown, COUNT)))
    assert (span.index[COUNT:] == COUNT - 1).all()
    onto = Playback(frames_of([IMAGES[k] for k in span.index]), span.index)
    made = list(renderer.play([over(heard(wave), span.times_s)], len(span), onto))
    assert len(made) == shown
    assert (made[-1] != IMAGES[last]).any()  # the last one is re-generated too


def test_only_the_face_is_new_and_faceless_frames_pass(renderer):
    made = list(renderer.play([heard(voice_of(COUNT / FPS))]))
    assert len(made) == COUNT and renderer.shown[FACELESS] == 0 and renderer.shown[0] == 1
    np.testing.assert_array_equal(made[FACELESS], IMAGES[FACELESS])
    for t in (0, 2, 8, COUNT - 1):
        far = beside_face(t)
        np.testing.assert_array_equal(made[t][far], IMAGES[t][far])
        assert np.abs(made[t].astype(int) - IMAGES[t]).max() > 20
        assert made[t].dtype == np.uint8 and made[t].shape == IMAGES[t].shape


def test_voice_and_emotion_are_seen(renderer):
    loud, silent = heard(voice_of(0.6)), heard(np.zeros(round(0.6 * SAMPLE_RATE), np.float32))
    sad = heard(voice_of(0.6), "sad")
    first, second, third = (np.stack(list(renderer.play([p]))).astype(int) for p in (loud, silent, sad))
    changed = [int(np.abs(first - other).max()) for other in (second, third)]
    assert min(changed) > 2


def test_pieces_play_as_the_whole_in_any_order(renderer):
    whole = heard(voice_of(12 / FPS))
    together = list(renderer.play([whole]))
    np.testing.assert_array_equal(together, list(renderer.play(iter([whole[:1], whole[1:7], whole[7:]]))))
    order = np.array([3, 3, 10, FACELESS, 2])
    onto = Playback(frames_of([IMAGES[k] for k in order]), order)
    made = list(renderer.play([whole[:5]], onto=onto))
    np.testing.assert_array_equal(made[3], IMAGES[FACELESS])
    far = beside_face(10)
    np.testing.assert_array_equal(made[2][far], IMAGES[10][far])


def test_from_the_side_the_new_face_gives_way_sooner_than_the_portraits(renderer):
    footage = renderer.footage
    acted = footage.track.performance
    rotation = np.zeros_like(acted.rotation)
    rotation[:, 0] = np.mean(TURN_FADE_DEG)
    turned = replace(footage.track, performance=replace(acted, rotation=rotation))
    half = FootageRenderer(replace(footage, track=turned), LOOK, chosen_face_maker())
    list(half.play([heard(voice_of(2 / FPS))]))
    np.testing.assert_allclose(half.shown[:2], 0.5, atol=1e-6)
    assert TURN_FADE_DEG[1] < PORTRAIT_FADE_DEG[0]


def test_it_does_not_move_expressions(renderer):
    with pytest.raises(ControlError, match="from a voice"):
        renderer.play([Performance.neutral(4, FPS)])


@pytest.mark.parametrize("wish", [{"crop": "face"}, {"size": 512}, {"background": "none"}])
def test_a_video_keeps_its_size_and_its_background(wish):
    with pytest.raises(ControlError, match="keeps its own"):
        FootageRenderer(made_footage(), Look(fps=FPS, **wish), chosen_face_maker())


def test_a_photo_keeps_its_background(portrait):
    with pytest.raises(ControlError, match="background"):
        get_method("emogen").renderer(portrait, Look(background="none"))


def test_a_face_pasted_where_it_was_cut_is_the_frame():
    from vultus.data.crops import cut

    crop = crops_of_track(made_track(), 96, SIDE_PX, SIDE_PX)[2]
    image = IMAGES[2]
    np.testing.assert_allclose(crop[:, :2] @ centers()[2] + crop[:, 2], [48, 48], atol=0.01)
    given = cut(image, crop, 96, 96)
    made = paste(image, given.astype(np.float32), given, crop)
    assert np.abs(made.astype(int) - image).max() <= 1


def test_detail_is_kept_where_nothing_changed_and_nowhere_else():
    from vultus.data.crops import cut

    rng = np.random.default_rng(0)
    image = rng.integers(0, 255, (300, 300, 3), dtype=np.uint8)
    crop = np.array([[0.25, 0, -5.0], [0, 0.25, -5.0]])  # 64 pixels of the crop are 256 of the frame, from 20 on
    given = cut(image, crop, 64, 64)
    face = given.astype(np.float32)
    face[40:, :] = 128.0
    made = paste(image, face, given, crop)
    kept, new = (slice(60, 150), slice(60, 240)), (slice(200, 240), slice(60, 240))
    assert np.abs(made[kept].astype(int) - image[kept]).max() <= 1
    assert np.abs(made[new].astype(int) - 128).max() <= 30 < image[new].std()


def test_the_border_of_a_pasted_face_is_feathered():
    image = np.full((100, 120, 3), 100, np.uint8)
    crop = np.array([[2.0, 0, -40], [0, 2.0, -20]])  # 64 pixels of the crop are 32 of the frame, from (20, 10) on
    face, given = np.full((64, 64, 3), 200, np.float32), np.full((64, 64, 3), 100, np.uint8)
    made = paste(image, face, given, crop)[..., 0].astype(int)
    outside = np.ones((100, 120), bool)
    outside[10:42, 20:52] = False
    assert (made[outside] == 100).all() and made[26, 36] == 200
    step = np.abs(np.diff(made[26, 18:56]))
    assert step.max() < 60 and (np.diff(made[26, 18:36]) >= 0).all()
    half = paste(image, face, given, crop, 0.5)
    assert half[26, 36, 0] == 150
    assert cover(96)[0].max() < 0.02 < FEATHER and cover(96)[48, 48] == 1
    gone = paste(image, face, given, np.array([[2.0, 0, 400], [0, 2.0, 0]]))
    assert (gone == image).all()


def test_weights_that_are_not_there_or_not_its_own(monkeypatch, tmp_path):
    monkeypatch.delenv(FOLDER_VARIABLE)
    monkeypatch.setattr("vultus.methods.emogen.weights.ASSETS", tmp_path)
    for ask in (lambda: chosen_face_maker(), lambda: get_method("emogen").driver(Controls(), FPS, None, None)):
        with pytest.raises(MissingPartError, match=r"no weights of emogen are installed.*vultus train emogen"):
            ask()
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "nowhere"))
    with pytest.raises(InputError, match="no weights here"):
        chosen_face_maker()
    with pytest.raises(InputError, match="of emoface, not of emogen"):
        load_face_maker(save_tiny(tmp_path, method="emoface"))


def test_weights_that_do_not_fit_are_refused(tmp_path):
    from vultus.core.weights import load_weights, save_weights

    tensors, card = load_weights(save_tiny(tmp_path))
    tensors.pop("generator.mix.body.0.bias")
    with pytest.raises(InputError, match="do not fit"):
        load_face_maker(save_weights(tmp_path / "torn", tensors, replace(card, sha256="")))
