"""Sound and pictures keep together to the millisecond, into files and out of them, whatever container and rate."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from vultus.audio.io import read_speech
from vultus.core.types import SAMPLE_RATE
from vultus.video.read import open_video
from vultus.video.sound import SoundTrack
from vultus.video.write import write_video

EVENTS_S = (1.0, 2.0, 3.0)
"""When there is a click and, in videos, one white picture."""
DURATION_S, VIDEO_FPS, BLOCK = 4.0, 25, 1024
NEAR_MS = 1.1
"""Containers round times to milliseconds, and a codec may be off by one sample of its own."""


def clicks(rate: int) -> np.ndarray:
    """(n,) float32: a short 1 kHz burst, symmetrical in time, about every event."""
    time_s = np.arange(round(DURATION_S * rate)) / rate
    bursts = [np.exp(-(((time_s - at) / 0.002) ** 2)) * np.cos(2000 * np.pi * (time_s - at)) for at in EVENTS_S]
    return (0.5 * np.sum(bursts, 0)).astype(np.float32)


def click_errors_ms(sound: np.ndarray, rate: int) -> np.ndarray:
    """How late each click is: the centre of its energy against its time."""
    time_s = np.arange(len(sound)) / rate
    errors = []
    for at in EVENTS_S:
        near = np.abs(time_s - at) < 0.4
        energy = sound[near].astype(float) ** 2
        errors.append(1000 * ((time_s[near] * energy).sum() / energy.sum() - at))
    return np.array(errors)


def presented_sound(path: Path) -> tuple[np.ndarray, int]:
    """A file's first channel laid out by the presentation times of its decoded blocks alone, without our readers."""
    with av.open(str(path)) as container:
        rate = container.streams.audio[0].sample_rate
        sound = np.zeros(round((DURATION_S + 1) * rate), np.float32)
        for frame in container.decode(audio=0):
            first = round(frame.time * rate)
            block = frame.to_ndarray()[0][: len(sound) - first]
            sound[first : first + len(block)] = block
    return sound, rate


def filmed(path: Path, codec: str, picture_from_s: float = 0, sound_from_s: float = 0, hole_s: tuple = (9, 9)) -> Path:
    """A video of clicks and white pictures whose tracks begin late, or whose sound lacks a piece."""
    rate = 48_000

    def packets() -> Iterator[tuple[float, av.VideoFrame | av.AudioFrame]]:
        for k in range(round(picture_from_s * VIDEO_FPS), round(DURATION_S * VIDEO_FPS)):
            level = 235 if k / VIDEO_FPS in EVENTS_S else 16
            picture = av.VideoFrame.from_ndarray(np.full((64, 64, 3), level, np.uint8), format="rgb24")
            picture.pts, picture.time_base = k, Fraction(1, VIDEO_FPS)
            yield k / VIDEO_FPS, picture
        sound = clicks(rate)
        for at in range(round(sound_from_s * rate), len(sound), BLOCK):
            if hole_s[0] <= at / rate < hole_s[1]:
                continue
            block = av.AudioFrame.from_ndarray(sound[None, at : at + BLOCK].copy(), format="fltp", layout="mono")
            block.sample_rate, block.pts, block.time_base = rate, at, Fraction(1, rate)
            yield at / rate, block

    with av.open(str(path), "w") as container:
        pictures = container.add_stream("libx264", rate=VIDEO_FPS, options={"crf": "5"})
        pictures.width, pictures.height, pictures.pix_fmt = 64, 64, "yuv420p"
        voice = container.add_stream(codec, rate=rate, layout="mono")
        for _, frame in sorted(packets(), key=lambda packet: packet[0]):
            container.mux((pictures if isinstance(frame, av.VideoFrame) else voice).encode(frame))
        container.mux(pictures.encode())
        container.mux(voice.encode())
    return path


def white_at_s(path: Path) -> list[float]:
    """Times at which white pictures begin to be shown, read at 100 frames a second."""
    white = [image.mean() > 120 for image in open_video(path).frames(100)]
    return [k / 100 for k in range(1, len(white)) if white[k] and not white[k - 1]]


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 22_050, 44_100, 48_000])
def test_resampling_for_lips_and_for_the_file_delays_nothing(tmp_path, rate, channels):
    path = tmp_path / "clicks.wav"
    soundfile.write(path, np.repeat(clicks(rate)[:, None], channels, 1), rate)
    heard = read_speech(path).waveform
    assert np.abs(click_errors_ms(heard, SAMPLE_RATE)).max() < 0.05
    track = SoundTrack(path)
    assert np.abs(click_errors_ms(np.concatenate(list(track.blocks()), 1)[0], track.rate)).max() < 0.05


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 48_000])
@pytest.mark.parametrize(("suffix", "near_ms"), [(".mp4", 0.1), (".webm", NEAR_MS)])
def test_the_encoders_own_delay_is_presented_away(tmp_path, grey_frames, suffix, near_ms, rate):
    """AAC begins with 1,024 samples of nothing, Opus with 312: players must be told to drop them."""
    voice = tmp_path / "clicks.wav"
    soundfile.write(voice, clicks(rate), rate)
    path = write_video(grey_frames([100] * 100), tmp_path / f"out{suffix}", voice)
    assert np.abs(click_errors_ms(*presented_sound(path))).max() < near_ms
    assert np.abs(click_errors_ms(read_speech(path).waveform, SAMPLE_RATE)).max() < 0.1


@pytest.mark.parametrize(("name", "codec"), [("a.mp4", "aac"), ("a.mkv", "aac"), ("a.mkv", "libopus"), ("a.ts", "aac")])
@pytest.mark.parametrize(("picture_s", "sound_s"), [(0, 0.08), (0, 0.5), (0.08, 0), (0.32, 0), (0.2, 0.12)])
def test_tracks_that_begin_late_stay_together(tmp_path, name, codec, picture_s, sound_s):
    path = filmed(tmp_path / name, codec, picture_s, sound_s)
    with av.open(str(path)) as container:
        zero_s = container.start_time / 1e6
    if name.endswith(".ts"):  # its times start anywhere; only the distance of click and picture can be right
        zero_s = EVENTS_S[0] - white_at_s(path)[0]
    shown_ms = [1000 * (at + zero_s - event) for at, event in zip(white_at_s(path), EVENTS_S, strict=True)]
    tolerance_ms = NEAR_MS + 5  # half a step of the frames as they are read here
    assert np.abs(shown_ms).max() <= tolerance_ms
    heard_ms = click_errors_ms(read_speech(path).waveform, SAMPLE_RATE) + 1000 * zero_s
    assert np.abs(heard_ms).max() <= (tolerance_ms if name.endswith(".ts") else NEAR_MS)
    track = SoundTrack(path)
    written = click_errors_ms(np.concatenate(list(track.blocks()), 1)[0], track.rate) + 1000 * zero_s
    assert np.abs(written - heard_ms).max() <= NEAR_MS  # what is written is what the lips heard


@pytest.mark.parametrize("name", ["a.mkv", "a.mp4"])
def test_a_hole_in_the_sound_is_silence_for_the_lips_and_in_the_file(tmp_path, grey_frames, name):
    path = filmed(tmp_path / name, "aac", hole_s=(1.3, 1.8))
    assert np.abs(click_errors_ms(read_speech(path).waveform, SAMPLE_RATE)).max() <= NEAR_MS
    written = write_video(grey_frames([100] * 100), tmp_path / "out.mp4", path)
    assert np.abs(click_errors_ms(*presented_sound(written))).max() <= NEAR_MS


@pytest.mark.parametrize("fps", [24, 25, 30000 / 1001, 30, 50, 60])
def test_a_frame_is_presented_at_its_number_over_the_rate(tmp_path, grey_frames, fps):
    voice = tmp_path / "clicks.wav"
    soundfile.write(voice, clicks(44_100), 44_100)
    count = round(DURATION_S * fps)
    path = write_video(grey_frames([50 + k % 2 * 100 for k in range(count)], fps), tmp_path / "out.mp4", voice)
    with av.open(str(path)) as container:
        times_s = [frame.time for frame in container.decode(video=0)]
    assert np.abs(np.array(times_s) - np.arange(count) / fps).max() < 1e-4
    assert np.abs(click_errors_ms(*presented_sound(path))).max() < 0.1
