"""The sound of a dub: the old voice goes down, the music stays where it can be told apart, nothing clips or slips."""

from __future__ import annotations

import inspect
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from vultus.core.errors import InputError
from vultus.core.types import Frames
from vultus.video import dub_sound as rules
from vultus.video.dub_sound import CEILING, RATE, DubSound, dub_sound, stands_out
from vultus.video.sound import SoundTrack
from vultus.video.write import write_video

SECONDS = 12


def time_s(seconds: float = SECONDS) -> np.ndarray:
    return np.arange(round(seconds * RATE)) / RATE


def talk(pitch_hz: float, pauses: bool = True, seconds: float = SECONDS) -> np.ndarray:
    """Something like speech: harmonics in syllables of a quarter second, with a pause of 1.5 s in every 4 s."""
    at = time_s(seconds)
    tone = sum(np.sin(2 * np.pi * pitch_hz * k * at) / k for k in range(1, 25))
    syllables = np.clip(np.sin(2 * np.pi * 4 * at), 0, 1)
    spoken = at % 4 < 2.5 if pauses else np.ones(len(at), bool)
    return (0.15 * tone * syllables * spoken).astype(np.float32)


def chord(*pitches_hz: float) -> np.ndarray:
    at = time_s()
    return sum(0.08 * np.sin(2 * np.pi * hertz * at) for hertz in pitches_hz).astype(np.float32)


OLD, NEW = talk(131), talk(197)
LEFT, RIGHT, BASS = chord(330, 415, 1245), chord(392, 523, 1568), chord(55)


@pytest.fixture
def file(tmp_path):
    def make(name: str, *channels: np.ndarray) -> Path:
        path = tmp_path / f"{name}.wav"
        soundfile.write(path, np.stack(channels, 1), RATE, subtype="FLOAT")
        return path

    return make


def heard(sound) -> np.ndarray:
    return np.concatenate(list(sound.blocks()), 1)


def gain_db(sound: np.ndarray, part: np.ndarray) -> float:
    """How loud a part is in a sound, re what it was (by least squares)."""
    count = min(len(sound), len(part))
    return float(20 * np.log10(abs(sound[:count] @ part[:count]) / (part[:count] @ part[:count]) + 1e-9))


def test_one_voice_alone_is_not_touched(file):
    sound = dub_sound([file("new", NEW)])
    assert isinstance(sound, SoundTrack) and sound.rate == RATE
    np.testing.assert_array_equal(heard(sound)[0], NEW)


def test_voices_are_summed_from_time_zero(file):
    late = np.where(time_s() > 3, talk(260), 0).astype(np.float32)
    both = heard(dub_sound([file("a", NEW), file("b", late, late)], start_s=1, end_s=11))
    expected = (NEW + late)[RATE : 11 * RATE]
    assert both.shape == (2, 10 * RATE)
    np.testing.assert_allclose(both[0], expected, atol=1e-6)


def test_a_stereo_track_keeps_its_sides_and_bass_and_loses_the_voice(file):
    silent = np.zeros(RATE, np.float32)
    old = file("old", OLD + LEFT + BASS, OLD + RIGHT + BASS)
    left, right = heard(dub_sound([file("new", silent)], old))[:, : len(OLD)]
    assert gain_db(left, OLD) < -14 and gain_db(right, OLD) < -14
    assert gain_db(left - right, LEFT - RIGHT) > -0.5  # and with it all is in step to the sample
    assert gain_db(left, BASS) > -1 and gain_db(right, BASS) > -1
    assert gain_db(left, LEFT) > -6.5


def test_a_stereo_track_goes_down_a_little_under_the_new_voice(file):
    old, new = file("old", LEFT, RIGHT), file("new", NEW)
    left, right = heard(dub_sound([new], old))[:, : len(OLD)]
    speaking = (time_s() % 4 > 0.3) & (time_s() % 4 < 2.4)
    pause = (time_s() % 4 > 3.1) & (time_s() % 4 < 3.7)
    sides, before = left - right, LEFT - RIGHT
    assert gain_db(sides[speaking], before[speaking]) == pytest.approx(rules.STEREO_DUCK_DB, abs=0.5)
    assert gain_db(sides[pause], before[pause]) > -0.5
    assert gain_db(left, NEW) == pytest.approx(0, abs=0.3)


@pytest.mark.parametrize("sides", [1, 2])
def test_a_mono_track_is_ducked_where_the_old_voice_speaks(file, sides):
    old = file("old", *[OLD + 0.3 * LEFT] * sides)
    made = heard(dub_sound([file("new", np.zeros(RATE, np.float32))], old))
    assert len(made) == sides
    assert gain_db(made[0, : len(OLD)], OLD) < -22
    pause = (time_s() % 4 > 3.1) & (time_s() % 4 < 3.7)
    assert gain_db(made[0, : len(OLD)][pause], 0.3 * LEFT[pause]) > -1


def test_steady_music_in_mono_goes_down_under_the_new_voice_only(file):
    made = heard(dub_sound([file("new", NEW)], file("old", LEFT)))[0, : len(LEFT)]
    speaking, pause = time_s() % 4 < 2.4, (time_s() % 4 > 3.1) & (time_s() % 4 < 3.7)
    assert gain_db(made[speaking], LEFT[speaking]) == pytest.approx(rules.MONO_DUCK_DB, abs=1)
    assert gain_db(made[pause], LEFT[pause]) > -0.5


def test_music_goes_on_after_the_voice_and_ends_with_its_own_track(file):
    made = heard(dub_sound([file("new", NEW[: 2 * RATE])], file("old", LEFT, RIGHT)))
    assert SECONDS * RATE <= made.shape[1] < (SECONDS + 0.3) * RATE
    assert np.abs(made[:, 10 * RATE : 11 * RATE]).max() > 0.1


@settings(max_examples=25, deadline=None)
@given(
    peaks=st.lists(st.tuples(st.integers(0, 29_999), st.floats(-6, 6)), max_size=8),
    loud=st.floats(0, 3),
    sizes=st.lists(st.integers(1, 7000), min_size=1, max_size=12),
)
def test_the_limiter_never_lets_a_sample_pass_and_leaves_quiet_sound_alone(peaks, loud, sizes):
    sound = (loud * np.sin(np.arange(sum(sizes)) / 20)).astype(np.float32)[None]
    for at, level in peaks:
        sound[0, at % sound.shape[1]] = level
    blocks = np.split(sound, np.cumsum(sizes)[:-1], axis=1)
    limited = np.concatenate(list(rules._limited(iter(blocks))), 1)
    assert limited.shape == sound.shape and np.abs(limited).max() <= CEILING
    assert (np.abs(limited) <= np.abs(sound) + 1e-6).all()
    if np.abs(sound).max() <= CEILING:
        np.testing.assert_array_equal(limited, sound)


def test_loud_tracks_do_not_clip(file):
    full = np.sign(np.sin(time_s() * 900)).astype(np.float32)
    made = heard(dub_sound([file("a", full), file("b", -full * 0.9 + NEW)], file("c", full, -full)))
    assert np.abs(made).max() <= CEILING


@given(levels=st.lists(st.floats(-100, 0), max_size=400))
def test_what_stands_out_is_audible(levels):
    found = stands_out(np.array(levels))
    assert len(found) == len(levels) and not found[np.array(levels, float) <= rules.AUDIBLE_DB].any()


def test_a_steady_level_does_not_stand_out_and_a_burst_does():
    levels = np.full(2000, -30.0)
    assert not stands_out(levels).any()
    levels[1000:1100] = -15
    assert stands_out(levels)[1005:1095].all() and not stands_out(levels)[:990].any()


def test_silence_and_tracks_without_sound(file, clip):
    silent = np.zeros(RATE, np.float32)
    assert np.abs(heard(dub_sound([file("a", silent)], file("b", silent, silent)))).max() == 0
    with pytest.raises(InputError, match="holds no sound"):
        dub_sound([file("a", silent)], clip([0, 0.04], [10, 60]))


def test_memory_is_flat(file):
    blocks = DubSound((SoundTrack(file("a", NEW), rate=RATE),), SoundTrack(file("b", LEFT, RIGHT), rate=RATE)).blocks()
    assert inspect.isgenerator(blocks)
    assert max(block.nbytes for block in blocks) < 200_000


@pytest.mark.parametrize("suffix", [".mp4", ".webm", ""])
def test_a_dub_is_written_in_every_form(tmp_path, file, grey_frames, suffix):
    sound = dub_sound([file("new", NEW)], file("old", OLD + LEFT, OLD + RIGHT))
    frames: Frames = grey_frames([100] * 50)
    path = write_video(frames, tmp_path / f"out{suffix}", sound)
    written = SoundTrack(path if suffix else path / "audio.wav", rate=RATE)
    made = heard(written)
    assert written.channels == 2 and made.shape[1] == pytest.approx(2 * RATE, abs=0.03 * RATE)
    # the new voice where it was, in the sum of both sides
    count = 2 * RATE - 2000
    lags = [float(made[0, lag : lag + count] @ NEW[:count]) if lag >= 0 else 0.0 for lag in range(0, 400, 4)]
    assert int(np.argmax(lags)) * 4 <= (8 if suffix != ".webm" else 400)
