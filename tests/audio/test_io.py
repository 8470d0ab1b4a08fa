"""Voices from files: every kind comes out as mono 16 kHz at the right time; what is no voice is refused."""

from __future__ import annotations

import sys
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from vultus.audio.io import open_speech, read_speech
from vultus.core.errors import InputError
from vultus.core.types import SAMPLE_RATE


def tone(seconds: float, rate: int, hz: float = 440.0) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def dominant_hz(samples: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum) * SAMPLE_RATE / len(samples))


def write_container(path: Path, codec: str, rate: int, samples: np.ndarray, *, audio_from_s: float = 0.0,
                    video_s: float = 0.0) -> Path:  # fmt: skip
    """An audio file, with a grey video beside it when `video_s` > 0; the audio stream starts at `audio_from_s`."""
    with av.open(str(path), "w") as out:
        if video_s:
            picture = out.add_stream("mpeg4", rate=25)
            picture.width = picture.height = 32
            picture.pix_fmt = "yuv420p"
        sound = out.add_stream(codec, rate=rate, layout="mono") if len(samples) else None
        if video_s:
            for _ in range(round(video_s * 25)):
                out.mux(picture.encode(av.VideoFrame.from_ndarray(np.full((32, 32, 3), 99, np.uint8), format="rgb24")))
            out.mux(picture.encode(None))
        if sound is not None:
            for at in range(0, len(samples), 1024):
                frame = av.AudioFrame.from_ndarray(samples[None, at : at + 1024].copy(), format="fltp", layout="mono")
                frame.rate, frame.pts = rate, round(audio_from_s * rate) + at
                out.mux(sound.encode(frame))
            out.mux(sound.encode(None))
    return path


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 44_100, 48_000])
def test_any_rate_becomes_16_khz_of_the_same_length_and_pitch(tmp_path: Path, rate: int) -> None:
    path = tmp_path / "tone.wav"
    soundfile.write(path, tone(1.3, rate), rate)
    waveform = read_speech(path).waveform
    assert waveform.dtype == np.float32
    assert len(waveform) == pytest.approx(1.3 * SAMPLE_RATE, abs=40)
    assert dominant_hz(waveform) == pytest.approx(440, abs=2)
    assert np.abs(waveform).max() == pytest.approx(0.5, abs=0.03)


def test_stereo_is_averaged_and_float_beyond_full_scale_is_clipped(tmp_path: Path) -> None:
    left = tone(1, SAMPLE_RATE)
    soundfile.write(tmp_path / "left.wav", np.stack([left, 0 * left], 1), SAMPLE_RATE)
    np.testing.assert_allclose(read_speech(tmp_path / "left.wav").waveform, left / 2, atol=1e-3)
    soundfile.write(tmp_path / "loud.wav", 4 * left, SAMPLE_RATE, subtype="FLOAT")
    assert np.abs(read_speech(tmp_path / "loud.wav").waveform).max() == 1.0


ENCODERS = {"a.mp3": "libmp3lame", "a.m4a": "aac", "a.webm": "libopus", "a.mkv": "aac", "a.ogg": None, "a.flac": None}


@pytest.mark.parametrize("name", ENCODERS)
def test_every_usual_container_is_read(tmp_path: Path, name: str) -> None:
    samples, codec = tone(1.5, 48_000), ENCODERS[name]
    path = tmp_path / name
    if codec is None:
        soundfile.write(path, samples, 48_000)
    else:
        write_container(path, codec, 48_000, samples)
    waveform = read_speech(path).waveform
    assert len(waveform) / SAMPLE_RATE == pytest.approx(1.5, abs=0.06)
    assert dominant_hz(waveform[4000:20000]) == pytest.approx(440, abs=3)


def test_a_stream_that_starts_late_is_padded_with_silence(tmp_path: Path) -> None:
    path = write_container(tmp_path / "late.mkv", "aac", 16_000, tone(1, 16_000), audio_from_s=0.5, video_s=1.0)
    waveform = read_speech(path).waveform
    loud = np.flatnonzero(np.abs(waveform) > 0.1)[0] / SAMPLE_RATE
    assert loud == pytest.approx(0.5, abs=0.07)
    assert not waveform[: int(0.4 * SAMPLE_RATE)].any()


def test_a_part_is_cut_to_the_sample(tmp_path: Path) -> None:
    path = tmp_path / "noise.wav"
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 3 * SAMPLE_RATE).astype(np.float32)
    soundfile.write(path, noise, SAMPLE_RATE, subtype="FLOAT")
    part = read_speech(path, 0.75, 2.25).waveform
    np.testing.assert_array_equal(part, noise[12_000:36_000])
    assert open_speech(path, 0.75, 2.25).duration_s == pytest.approx(1.5)
    assert open_speech(path, 0.75).duration_s == pytest.approx(2.25)


def test_decoding_is_lazy_and_chunks_stay_small(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    with soundfile.SoundFile(path, "w", SAMPLE_RATE, 1, "PCM_16") as file:
        for _ in range(600):
            file.write(np.zeros(SAMPLE_RATE, np.float32))
    stream = open_speech(path)
    total, largest = 0, 0
    for chunk in stream:
        total, largest = total + len(chunk), max(largest, len(chunk))
        assert sys.getsizeof(chunk.base if chunk.base is not None else chunk) < 2**20
    assert total == 600 * SAMPLE_RATE
    assert largest <= SAMPLE_RATE


def test_silence_and_a_single_sample_are_allowed(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "silent.wav", np.zeros(SAMPLE_RATE), SAMPLE_RATE)
    assert not read_speech(tmp_path / "silent.wav").waveform.any()
    soundfile.write(tmp_path / "click.wav", np.full(1, 0.5), SAMPLE_RATE)
    assert len(read_speech(tmp_path / "click.wav").waveform) == 1


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("rate", [SAMPLE_RATE, 44_100])
def test_samples_that_are_no_numbers_are_refused(tmp_path: Path, value: float, rate: int) -> None:
    samples = tone(3, rate)
    samples[2 * rate] = value
    soundfile.write(tmp_path / "broken.wav", samples, rate, subtype="FLOAT")
    with pytest.raises(InputError, match=r"NaN or infinite samples about [12]\.\d s in"):
        read_speech(tmp_path / "broken.wav")


def test_what_is_no_voice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.wav").touch()
    (tmp_path / "text.wav").write_text("this is not audio " * 100)
    (tmp_path / "list.m3u8").write_text("#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:10,\nother.ts\n#EXT-X-ENDLIST\n")
    soundfile.write(tmp_path / "zero.wav", np.zeros(0), SAMPLE_RATE)
    write_container(tmp_path / "mute.mp4", "aac", 16_000, np.zeros(0, np.float32), video_s=0.4)
    for name, reason in {"missing.wav": "no such file", ".": "a folder", "x" * 400: "not a usable file name",
                         "empty.wav": "the file is empty",
                         "text.wav": "not an audio or video file", "zero.wav": "empty", "mute.mp4": "no audio track",
                         "list.m3u8": "playlist|not an audio"}.items():  # fmt: skip
        with pytest.raises(InputError, match=reason) as caught:
            open_speech(tmp_path / name)
        assert str(caught.value).count(". ") == 0 and str(caught.value).endswith(".")


@pytest.mark.parametrize(("start_s", "end_s"), [(-1, None), (2, 1), (0, float("nan")), (0, float("inf"))])
def test_an_empty_part_is_refused(tmp_path: Path, start_s: float, end_s: float | None) -> None:
    soundfile.write(tmp_path / "tone.wav", tone(1, SAMPLE_RATE), SAMPLE_RATE)
    with pytest.raises(InputError, match="is empty"):
        open_speech(tmp_path / "tone.wav", start_s, end_s)


def test_a_start_beyond_the_end_is_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "tone.wav", tone(1, SAMPLE_RATE), SAMPLE_RATE)
    with pytest.raises(InputError, match="ends before the start at 5 s"):
        open_speech(tmp_path / "tone.wav", 5)


def test_hours_on_end_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vultus.audio.io.MAX_DURATION_S", 2.0)
    soundfile.write(tmp_path / "long.wav", tone(3, SAMPLE_RATE), SAMPLE_RATE)
    with pytest.raises(InputError, match="too much"):
        open_speech(tmp_path / "long.wav")
    assert len(read_speech(tmp_path / "long.wav", 0, 1.5).waveform) == 24_000


def test_a_truncated_file_gives_what_is_there(tmp_path: Path) -> None:
    path = write_container(tmp_path / "cut.mp3", "libmp3lame", 16_000, tone(4, 16_000))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert 1 < read_speech(path).duration_s < 3


def test_damage_is_named_with_its_time_and_can_be_cut_off(tmp_path: Path) -> None:
    path = write_container(tmp_path / "damaged.m4a", "aac", 16_000, tone(4, 16_000))
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 500] = np.random.default_rng(1).bytes(500)
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"damaged about [12]\.\d s in"):
        read_speech(path)
    assert len(read_speech(path, 0, 0.8).waveform) == 0.8 * SAMPLE_RATE
