"""Are lips and sound together? Real clips against their known offsets, rendered videos against their own sound.

    python -m benchmarks.av_offset [--real | --rendered] [--data FOLDER]

Real clips: the offsets that the clips' README lists (frames counted), found anew; one clip is known not to be in sync.
The lips that ship learned from all the others, with these offsets; recognised phones learned from none. Both are also
given the voices of other people, which must not be found in sync.

Rendered: the astronaut speaks the sample at every usual frame rate, from voices of every usual form, and from files
whose tracks begin late. The written file is opened again: its mouth is tracked, its sound taken by presentation time.
A frame stands for the middle of the time it is shown; who takes it at the moment it appears finds half a frame less
(the column "at onset").
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import soundfile
from scipy.signal import resample_poly
from skimage.data import astronaut

from benchmarks.material import SHARED
from benchmarks.voices import SAMPLE
from vultus.animate import open_portrait, speak
from vultus.audio.io import read_speech
from vultus.core.types import SAMPLE_RATE, Frames
from vultus.face.mouth import mouth, performed_mouth
from vultus.face.rig import load_performance
from vultus.face.stream import FaceStream
from vultus.methods.portrait.data import OFFSETS_MS, talk_clips
from vultus.motion.av_offset import AvOffset, MouthSeries, av_offset, offset_between
from vultus.motion.learned_lips import default_lips
from vultus.motion.lips import LipMotion, PhoneLips
from vultus.video.read import open_video

APART = "voxceleb2/pose_00473"
"""The clip whose voice is not that of its picture."""
ALLOWED_REAL_MS, ALLOWED_RENDERED_MS = 40, 20
WRONG_VOICES = 4
"""Voices of others that every clip is tried with."""
LIPS: dict[str, Callable[[], LipMotion]] = {"learned lips": lambda: default_lips(50), "phones": lambda: PhoneLips(50)}
SPOKEN_S = 8.0


def seen_mouth(images: Frames) -> MouthSeries:
    """The mouth in a stream of pictures, the first of which is shown at 0 s."""
    with FaceStream() as stream:
        points = [stream.next(image) for image in images]
    rows = np.array([mouth(p) if p is not None else (np.nan, np.nan) for p in points])
    return MouthSeries(rows, images.fps, ~np.isnan(rows[:, 0]))


@dataclass(frozen=True)
class RealClip:
    """A real clip as numbers; `counted` is its mouth with frame k at k over the rate, whatever its time says."""

    name: str
    waveform: np.ndarray
    presented: MouthSeries
    counted: MouthSeries


def real_clips(folder: Path) -> Iterator[RealClip]:
    """The clips of `OFFSETS_MS`, from the cache of `methods.portrait.data`, and the one that is not in sync."""
    for clip in talk_clips(folder):
        path = folder / f"{clip.name}.mp4"
        presented = MouthSeries(clip.mouth, clip.fps, clip.valid)
        yield RealClip(clip.name, clip.waveform, presented, presented if _is_even(path) else _counted(path))
    path = folder / f"{APART}.mp4"
    if path.is_file():
        seen = seen_mouth(open_video(path).frames())
        yield RealClip(APART, read_speech(path).waveform, seen, seen)


def _is_even(path: Path) -> bool:
    """Whether frame k is presented at k over the rate."""
    fps = open_video(path).fps
    with av.open(str(path)) as container:
        times_s = sorted(float(p.pts * p.time_base) for p in container.demux(video=0) if p.pts is not None)
    return bool(np.abs(np.array(times_s) - np.arange(len(times_s)) / fps).max() < 0.002)


def _counted(path: Path) -> MouthSeries:
    video = open_video(path)

    def images() -> Iterator[np.ndarray]:
        with av.open(str(path)) as container:
            for frame in container.decode(video=0):
                yield frame.to_ndarray(format="rgb24")

    return seen_mouth(Frames(images(), video.fps, video.width, video.height))


def show_real(folder: Path) -> None:
    """Every clip with its own voice, by both lips; then how often voices of others pass."""
    clips = list(real_clips(folder))
    print(f"{'':28s}{'listed':>8s}" + "".join(f"{name + ': counted, presented, confidence':>50s}" for name in LIPS))
    acted: dict[str, dict[str, MouthSeries]] = {name: {} for name in LIPS}
    errors: dict[str, list[int]] = {name: [] for name in LIPS}
    for clip in clips:
        cells = []
        for name, make in LIPS.items():
            acted[name][clip.name] = _performed(make(), clip.waveform)
            counted, shown = (offset_between(acted[name][clip.name], s) for s in (clip.counted, clip.presented))
            verdict = f"{shown.confidence:.2f}" + (" in sync" if shown.in_sync else " no offset")
            cells.append(f"{counted.offset_ms:20d}{shown.offset_ms:12d}{verdict:>18s}")
            if clip.name in OFFSETS_MS:
                errors[name].append(counted.offset_ms - OFFSETS_MS[clip.name])
        print(f"{clip.name:28s}{OFFSETS_MS.get(clip.name, '-'):>8}" + "".join(cells), flush=True)
    for name in LIPS:
        off = np.array(errors[name])
        within = int((np.abs(off) <= ALLOWED_REAL_MS).sum())
        print(f"{name}: {within} of {len(off)} within {ALLOWED_REAL_MS} ms, mean error {off.mean():+.0f} ms")
        passing = _passing(clips, acted[name])
        print(f"{name}: {passing} of {len(clips) * WRONG_VOICES} wrong voices pass for in sync", flush=True)


def _performed(lips: LipMotion, waveform: np.ndarray) -> MouthSeries:
    return MouthSeries(performed_mouth(np.concatenate([lips.push(waveform), lips.finish()])), lips.fps)


def _passing(clips: list[RealClip], acted: dict[str, MouthSeries]) -> int:
    """How many of the clips' mouths with voices of others, drawn by a fixed seed and cut at random, seem in sync."""
    rng, passing = np.random.default_rng(0), 0
    for clip in clips:
        strangers = [other for other in clips if other.name[:12] != clip.name[:12] or "vox" in other.name]
        strangers = [other for other in strangers if other is not clip]
        for k in rng.choice(len(strangers), WRONG_VOICES, replace=False):
            voice = acted[strangers[k].name]
            room = len(voice.mouth) - len(clip.presented.mouth) / clip.presented.fps * voice.fps
            cut = replace(voice, mouth=voice.mouth[rng.integers(max(1, int(room))) :])
            passing += offset_between(cut, clip.presented).in_sync
    return passing


def voices(folder: Path) -> Iterator[tuple[str, Path]]:
    """The sample in every form: sample rates, stereo, containers whose tracks begin late or have a hole."""
    sample = read_speech(SAMPLE, end_s=SPOKEN_S).waveform
    for rate, channels in ((8_000, 1), (22_050, 1), (44_100, 2), (48_000, 2)):
        path = folder / f"{rate}-{channels}.wav"
        sound = resample_poly(sample, rate // 50, SAMPLE_RATE // 50)
        soundfile.write(path, np.stack([sound * (1 if k == 0 else 0.6) for k in range(channels)], 1), rate)
        yield f"{rate} Hz, {'stereo' if channels == 2 else 'mono'}", path
    for form, picture_s, sound_s, hole in (
        ("mp4", 0, 0.08, False), ("mp4", 0, 0.3, False), ("mkv", 0, 0.5, False), ("mp4", 0.32, 0, False),
        ("mkv", 0.08, 0, False), ("mp4", 0.2, 0.12, False), ("ts", 0, 0.3, False), ("mp4", 0, 0, True),
    ):  # fmt: skip
        path = folder / f"{picture_s}-{sound_s}-{hole}.{form}"
        _write_late(path, sample, picture_s, sound_s, (3.0, 3.5) if hole else (0, 0))
        late = f"picture at {picture_s:g} s, sound at {sound_s:g} s" if not hole else "half a second of sound missing"
        yield f"{form}, {late}", path


def _write_late(path: Path, sound: np.ndarray, picture_s: float, sound_s: float, hole_s: tuple[float, float]) -> None:
    """A grey video whose tracks begin at these times; sound between the times of `hole_s` has no packets."""
    fps, block = 25, 1024
    frames: list[tuple[float, av.VideoFrame | av.AudioFrame]] = []
    for k in range(round(picture_s * fps), round((len(sound) / SAMPLE_RATE + sound_s) * fps)):
        picture = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 99, np.uint8), format="rgb24")
        picture.pts, picture.time_base = k, Fraction(1, fps)
        frames.append((k / fps, picture))
    for at in range(0, len(sound), block):
        if hole_s[0] <= at / SAMPLE_RATE < hole_s[1]:
            continue
        piece = av.AudioFrame.from_ndarray(sound[None, at : at + block].copy(), format="fltp", layout="mono")
        piece.sample_rate, piece.time_base = SAMPLE_RATE, Fraction(1, SAMPLE_RATE)
        piece.pts = round(sound_s * SAMPLE_RATE) + at
        frames.append((sound_s + at / SAMPLE_RATE, piece))
    with av.open(str(path), "w") as container:
        pictures = container.add_stream("libx264", rate=fps)
        pictures.width, pictures.height, pictures.pix_fmt = 64, 64, "yuv420p"
        voice = container.add_stream("aac", rate=SAMPLE_RATE, layout="mono")
        for _, frame in sorted(frames, key=lambda timed: timed[0]):
            container.mux((pictures if isinstance(frame, av.VideoFrame) else voice).encode(frame))
        container.mux(pictures.encode())
        container.mux(voice.encode())


def show_rendered() -> None:
    """One line a video: its mouth against its own sound, and against the performance that was asked for."""
    portrait = open_portrait(astronaut())
    print(f"\n{'':46s}{'own sound':>10s}{'confidence':>12s}{'at onset':>10s}{'performance':>13s}")
    worst = 0
    with tempfile.TemporaryDirectory(prefix="vultus-offset-") as temporary:
        folder = Path(temporary)
        jobs = [(f"{fps:.5g} fps", SAMPLE, fps, "mp4") for fps in (24, 25, 30000 / 1001, 30, 50, 60)]
        jobs += [(what, path, 25.0, "mp4") for what, path in voices(folder)] + [("webm", SAMPLE, 25.0, "webm")]
        for what, voice, fps, form in jobs:
            video, acted = folder / f"out.{form}", folder / "acted.npz"
            speak(portrait, voice, video, end_s=SPOKEN_S, fps=fps, crop="face", size=512, save_performance=acted)
            own, asked = _judged(video, acted)
            worst = max(worst, abs(own.offset_ms), abs(asked.offset_ms))
            onset_ms = own.offset_ms - 500 / fps
            print(
                f"{what:46s}{own.offset_ms:10d}{own.confidence:12.2f}{onset_ms:10.0f}{asked.offset_ms:13d}", flush=True
            )
    print(f"worst: {worst} ms, {ALLOWED_RENDERED_MS} allowed")


def _judged(video: Path, acted: Path) -> tuple[AvOffset, AvOffset]:
    """The offset of a written video's mouth against its own sound and against the performance."""
    seen = seen_mouth(open_video(video).frames())
    performance = load_performance(acted)
    assert performance.expression is not None
    asked = MouthSeries(performed_mouth(performance.expression), performance.fps)
    return av_offset(read_speech(video).waveform, seen), offset_between(asked, seen)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument("--real", action="store_true", help="only the real clips")
    chosen.add_argument("--rendered", action="store_true", help="only the rendered videos")
    parser.add_argument("--data", type=Path, default=SHARED)
    given = parser.parse_args()
    if not given.rendered:
        show_real(given.data)
    if not given.real:
        show_rendered()


if __name__ == "__main__":
    main()
