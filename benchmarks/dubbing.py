"""Does a dub hold? Real people with other people's voices: every figure that dubbing promises, one row a clip.

    python -m benchmarks.dubbing [CLIP ...] [--keep FOLDER] [--sheet FOLDER] [--seconds S] [--data FOLDER]

CLIPs are names as `voxceleb2/00015`; all of `VOICES` unless given, each of which gets the voice of the clip beside it.
Of each the first --seconds are taken. Nothing goes through an encoder: the frames are those of `dubbing.dub_frames`,
and FaceMesh looks at them anew.

  passed     frames that are left as they are: no face, from the side, or something in front of the mouth
  outside    pixels that changed, in all frames, outside the face's outline enlarged by the renderer's reach
  around     mean change in grey levels between the face's outline and that reach: collar, hair, background
  r ap, wid  aperture and width of the re-tracked lips against those of the performance, 50 Hz
  gain       spread of the re-tracked aperture over that of the performance's
  clos.      share of the performance's closures that are made, less what chance meets
  sync       sync_vultus (role judge) at offset 0 with the new voice, with the clip's own, with a third one
  silent     share of frames (but those that pass or fade) with lips apart under a silent voice, and in the same frames
             of the original
  sharp      Laplacian energy in the mouth box, dubbed / original; then the same at equal opening of the lips
  flicker    at equal motion, dubbed / original: in the mouth box, mean |frame - frame before moved by optical flow|,
             averaged over bins of lip speed that weigh the same in both videos
  jump       the same of |frame - mean of its neighbours|
  own, null  LMD of the mouth, % of the inter-ocular distance, dubbed with the clip's own voice (its known offset taken
             out) and with the other one

What --sheet writes shows people of shared data and is not to be committed. In --keep lie tracked clips (delete it when
tracking changes).
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

import av
import numpy as np
import soundfile

from benchmarks.dubbing_measures import Comparison
from benchmarks.dubbing_sheets import Sheet, liveliest, write_blind
from benchmarks.material import SHARED
from vultus.audio.io import read_speech
from vultus.core.types import SAMPLE_RATE, FaceTrack, Performance
from vultus.dubbing import Scene, dub_frames, follow, voice_performance
from vultus.face.mouth import performed_mouth
from vultus.face.stream import FaceStream
from vultus.methods.portrait.data import OFFSETS_MS
from vultus.perception.judges.sync import load_sync
from vultus.video.original import open_original
from vultus.video.read import open_video

VOICES = {
    "person/anchor_71s": ("talk/andrew_clip_1", "talk/Obama_clip2"),
    "hdtf/WDA_KatieHill_000": ("person/anchor_71s", "talk/andrew_clip_1"),
    "voxceleb2/00015": ("talk/andrew_clip_1", "person/anchor_71s"),
    "voxceleb2/00086": ("hdtf/WDA_KatieHill_000", "talk/andrew_clip_1"),
    "voxceleb2/pose_741400163": ("person/anchor_71s", "talk/andrew_clip_1"),
    "talk/andrew_clip_1": ("person/anchor_71s", "talk/Obama_clip2"),
    "talk/face_1": ("voxceleb2/pose_741400163", "person/anchor_71s"),
    "talk/face_2": ("voxceleb2/00015", "talk/andrew_clip_1"),
}
"""Clip -> the voice that it gets, and a third one."""
SECONDS = 20.0
SILENCE_S = 3.0
"""Length of the silent voice."""


@dataclass(frozen=True)
class Row:
    """One clip; see the module."""

    frames: int
    passed: int
    outside: int
    around: float
    aperture_r: float
    width_r: float
    gain: float
    closures: float
    sync_new: float
    sync_own: float
    sync_third: float
    silent: float
    silent_original: float
    sharp: float
    sharp_alike: float
    flicker: float
    jump: float
    own: float
    null: float


def cut(path: Path, seconds: float, folder: Path) -> Path:
    """The first seconds of a video's picture track in a file of its own, not encoded anew."""
    video = open_video(path)
    if video.duration_s is not None and video.duration_s <= seconds:
        return path
    target = folder / f"{path.stem}-{seconds:g}s.mp4"
    if not target.is_file():
        partial = target.with_suffix(".part.mp4")
        with av.open(str(path)) as source, av.open(str(partial), "w") as sink:
            stream = source.streams.video[0]
            copy = sink.add_stream_from_template(stream)
            for packet in source.demux(stream):
                if packet.dts is None or packet.dts * packet.time_base >= seconds:
                    break
                packet.stream = copy
                sink.mux(packet)
        partial.replace(target)
    return target


def followed(path: Path, folder: Path) -> tuple[Scene, np.ndarray]:
    """The scene of a video and FaceMesh's points (T, 478, 3) of its largest face, from the folder if they are there."""
    kept = folder / f"{path.stem}.npz"
    if not kept.is_file():
        scene = follow(path)
        track, acted = scene.tracks[0], scene.tracks[0].performance
        numbers = {f"track_{f.name}": getattr(track, f.name) for f in fields(track) if f.name != "performance"}
        numbers |= {f"acted_{name}": getattr(acted, name) for name in (*acted.channels, "valid")}
        partial = kept.with_suffix(".part.npz")
        np.savez(partial, fps=acted.fps, mesh=mesh(scene), **numbers)
        partial.replace(kept)
    with np.load(kept, allow_pickle=False) as data:
        channels = {name[6:]: data[name] for name in data.files if name.startswith("acted_")}
        performance = Performance(fps=float(data["fps"]), reference="camera", **channels)
        track = FaceTrack(performance, **{n[6:]: data[n] for n in data.files if n.startswith("track_")})
        return Scene(open_original(path), (track,)), data["mesh"]


def mesh(scene: Scene) -> np.ndarray:
    """FaceMesh's points (T, 478, 3) of every frame, NaN where no face is seen."""
    with FaceStream() as stream:
        found = [stream.next(image) for image in scene.video.frames()]
    return np.stack([np.full((478, 3), np.nan) if points is None else points for points in found]).astype(np.float32)


def shown_at(scene: Scene) -> np.ndarray:
    """When (T,) each frame is shown."""
    frames = scene.video.frames()
    return np.arange(len(scene)) / frames.fps if frames.times_s is None else frames.times_s[: len(scene)]


def compared(
    scene: Scene, seen: np.ndarray, performance: Performance, sheet: Sheet, last_s: float = np.inf
) -> tuple[Comparison, np.ndarray]:
    """The scene's first face under a performance beside the original up to a time, and how much (T,) of it shows."""
    video, times_s = scene.video.frames(), shown_at(scene)
    dubbed, shown = dub_frames(scene, {1: performance})
    assert (dubbed.fps, dubbed.width, dubbed.height, dubbed.count) == (video.fps, video.width, video.height, len(scene))
    count = int((times_s < last_s).sum())
    found = Comparison(1 / float(np.diff(times_s).mean()))
    nowhere = np.full((478, 3), np.nan, np.float32)
    with FaceStream() as stream:
        for t, images in zip(range(count), zip(video, dubbed, strict=True), strict=False):
            points = stream.next(images[1])
            found.add(images, (seen[t], nowhere if points is None else points))
            sheet.add(t, images, seen[t])
    assert len(found.touched) == count
    return found, shown[1][:count]


def own_voice(path: Path, name: str, scene: Scene) -> Performance:
    """The performance of a clip's own voice, moved by the offset that is known between its lips and its sound."""
    performance = voice_performance(path, scene.video.frames().fps)
    times_s = np.arange(len(performance)) / performance.fps
    return performance.sampled(times_s - OFFSETS_MS[name] / 1000)


def in_sync(found: Comparison, voice: Path) -> float:
    """sync_vultus of the dubbed lips with a voice, as they stand."""
    return load_sync("judge").curve(found.series()[1], found.fps, read_speech(voice).waveform).in_sync


def silent_performance(fps: float) -> Performance:
    """What lips make of silence."""
    with tempfile.TemporaryDirectory(prefix="vultus-dubbing-") as folder:
        path = Path(folder) / "silence.wav"
        soundfile.write(path, np.zeros(round(SILENCE_S * SAMPLE_RATE)), SAMPLE_RATE)
        return voice_performance(path, fps)


def row_of(name: str, data: Path, keep: Path, seconds: float, sheets: Path | None) -> Row:
    """All figures of a clip."""
    own, voice, third = (data / f"{clip}.mp4" for clip in (name, *VOICES[name]))
    scene, seen = followed(cut(own, seconds, keep), keep)
    fps = scene.video.frames().fps
    performance = voice_performance(voice, fps)
    acted = performance.sampled(shown_at(scene)).expression
    assert acted is not None
    asked = performed_mouth(acted)
    folder = keep if sheets is None else sheets
    speaking, given = Sheet(folder / f"{own.stem}.png", liveliest(asked[:, 0])), Sheet(folder / "given.png", range(0))
    quiet = Sheet(folder / f"{own.stem}-silent.png", range(0, round(SILENCE_S * fps), round(SILENCE_S * fps / 12)))
    new, shown = compared(scene, seen, performance, speaking)
    given_back, _ = compared(scene, seen, own_voice(own, name, scene), given)
    silent, silenced = compared(scene, seen, silent_performance(fps), quiet, SILENCE_S)
    if sheets is not None:
        speaking.write_mouths()
        speaking.write_heads()
        quiet.write_mouths()
    aperture_r, width_r, gain, closed = new.followed(asked, shown > 0.99)
    outside = new.changed_outside + given_back.changed_outside + silent.changed_outside
    made = (aperture_r, width_r, gain, closed.recall - closed.chance)
    sync = [in_sync(new, sound) for sound in (voice, own, third)]
    after = (*new.sharpness(), *new.flicker(), given_back.distance(), new.distance())
    passed, around = int((shown == 0).sum()), float(np.mean(new.around))
    return Row(len(scene), passed, outside, around, *made, *sync, *silent.apart(silenced > 0.99)[::-1], *after)


def lines(rows: dict[str, Row]) -> Iterator[str]:
    """The table."""
    names = [f.name.replace("silent_original", "(orig)").replace("_", " ") for f in fields(Row)]
    yield f"{'clip':26s}" + "".join(f"{name:>12s}" for name in names)
    for clip, row in rows.items():
        yield f"{clip:26s}" + "".join(_cell(getattr(row, f.name)) for f in fields(Row))
    if rows:
        means = [float(np.nanmean([getattr(row, f.name) for row in rows.values()])) for f in fields(Row)]
        yield f"{'mean':26s}" + "".join(map(_cell, means))


def _cell(value: float) -> str:
    return f"{value:12d}" if isinstance(value, int) else f"{value:12.2f}"


def main() -> None:
    """Print the table, row by row as clips are done."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", nargs="*", metavar="CLIP")
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--keep", type=Path, default=Path("out/dubbing"))
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    given = parser.parse_args()
    for folder in filter(None, (given.keep, given.sheet)):
        folder.mkdir(parents=True, exist_ok=True)
    rows: dict[str, Row] = {}
    for name in given.clips or VOICES:
        before = len(list(lines(rows))) - (1 if rows else 0)
        rows[name] = row_of(name, given.data, given.keep, given.seconds, given.sheet)
        print(*itertools.islice(lines(rows), before if before > 1 else 0, len(rows) + 1), sep="\n", flush=True)
    print(list(lines(rows))[-1])
    if given.sheet is not None:
        write_blind(given.sheet)


if __name__ == "__main__":
    main()
