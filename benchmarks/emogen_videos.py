"""EmoGen from end to end: videos dubbed, photos made to speak, and how their lips follow the voice they were given.

    python -m benchmarks.emogen_videos SUBJECT ... --voices VOICE ... [--emotions happy,sad] [--judge RUN] [--keep DIR]

Subject k (a video, or a picture: section 9) gets voice k. For each file made: `in_sync`, the similarity of
`sync_vultus` where lips and voice stand less the median over shifts, with the voice given and with the next one; how
far the nose travels in inter-ocular distances a second; and the emotion that a judge (`benchmarks.emogen`) sees.
Nothing that shows people is to be committed. Set OMP_NUM_THREADS=1.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import vultus
from benchmarks.emogen_judges import Judge, house_judge, load_judge
from vultus.audio.io import read_speech
from vultus.data.crops import SIZES, cut
from vultus.face.points import NOSE, OVAL, interocular_px
from vultus.face.stream import FaceStream
from vultus.methods.emogen.config import EMOTIONS
from vultus.methods.emogen.paste import crops_of_boxes
from vultus.perception.judges.sync import load_sync
from vultus.video.read import open_video

PICTURES = (".png", ".jpg", ".jpeg", ".webp")


@dataclass(frozen=True)
class Made:
    """Figures of one file."""

    name: str
    asked: str
    in_sync: float
    swapped: float
    """The same with another voice."""
    travel: float
    seen: str
    """The emotion that the judge sees; "" where it sees none."""


def watched(path: Path) -> tuple[np.ndarray, np.ndarray, float]:
    """Pictures (T, H, W, 3), FaceMesh's points (T, 478, 3), NaN where no face is seen, and frames a second."""
    frames = open_video(path).frames()
    pictures = np.stack(list(frames))
    with FaceStream() as stream:
        found = [stream.next(image) for image in pictures]
    points = np.stack([np.full((478, 3), np.nan) if face is None else face for face in found])
    return pictures, points.astype(np.float32), frames.fps


def travel(points: np.ndarray, fps: float) -> float:
    """Inter-ocular distances that the nose moves a second, over the frames (T, 478, 3) with a face."""
    seen = points[np.isfinite(points).all((1, 2))]
    nose = seen[:, list(NOSE), :2].mean(1)
    step_px = np.linalg.norm(np.diff(nose, axis=0), axis=1).mean()
    return float(step_px * fps / np.mean([interocular_px(face) for face in seen]))


def faces_in(pictures: np.ndarray, points: np.ndarray, side: int, fps: float) -> np.ndarray:
    """Crops (T, side, side, 3) as the generator's, of the frames with a face."""
    kept = np.isfinite(points).all((1, 2))
    outline = points[kept][:, list(OVAL), :2]
    boxes = np.concatenate([outline.min(1), outline.max(1)], 1)
    size = (pictures.shape[2], pictures.shape[1])
    maps = crops_of_boxes(boxes, np.zeros(len(boxes), int), side, size, fps)
    return np.stack([cut(image, crop, side, side) for image, crop in zip(pictures[kept], maps, strict=True)])


def make(subject: Path, voice: Path, emotion: str, target: Path, method: str) -> Path:
    """Dub a video, or make a picture speak."""
    if subject.suffix.lower() in PICTURES:
        return vultus.speak(subject, voice, target, method=method, emotion=emotion)
    vultus.dub(subject, voice, target, method=method, emotion=emotion, extend="bounce")
    return target


def figures(path: Path, asked: str, voices: tuple[Path, Path], judge: tuple[Judge, int]) -> Made:
    """Those of a file with the voice it was given, and with another."""
    pictures, points, fps = watched(path)
    sync = load_sync("judge")
    own, other = (sync.curve(points, fps, read_speech(voice).waveform).in_sync for voice in voices)
    told = judge[0](faces_in(pictures, points, judge[1], fps))
    return Made(path.stem, asked, own, other, travel(points, fps), EMOTIONS[told] if told >= 0 else "")


def summary(made: Sequence[Made]) -> dict[str, float]:
    """Means, and shares of files in which the own voice wins, and in which the emotion asked for is seen."""
    return {
        "files": float(len(made)),
        "in_sync": float(np.mean([one.in_sync for one in made])),
        "swapped": float(np.mean([one.swapped for one in made])),
        "own_voice_wins": float(np.mean([one.in_sync > one.swapped for one in made])),
        "travel": float(np.mean([one.travel for one in made])),
        "emo_acc": float(np.mean([one.seen == one.asked for one in made])),
    }


def main() -> None:
    """Print a line for each file, then the summary."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("subjects", type=Path, nargs="+")
    parser.add_argument("--voices", type=Path, nargs="+", required=True)
    parser.add_argument("--emotions", default="neutral")
    parser.add_argument("--judge", type=Path)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--method", default="emogen")
    chosen = parser.parse_args()
    judge = (house_judge(), SIZES["wav2lip"]) if chosen.judge is None else load_judge(chosen.judge)
    made = []
    with tempfile.TemporaryDirectory(prefix="vultus-emogen-") as scratch:
        folder = chosen.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        for number, subject in enumerate(chosen.subjects):
            own, other = (chosen.voices[(number + k) % len(chosen.voices)] for k in (0, 1))
            for emotion in chosen.emotions.split(","):
                target = folder / f"{number:02d}-{subject.stem}-{emotion}.mp4"
                made.append(figures(make(subject, own, emotion, target, chosen.method), emotion, (own, other), judge))
                print(made[-1], flush=True)
    for name, value in summary(made).items():
        print(f"{name:<24} {value:.4g}")


if __name__ == "__main__":
    main()
