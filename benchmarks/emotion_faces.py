"""Which emotion does the judge of faces see in clips of people it never saw?

    vultus synthesize SYNTHETIC --people 30 --clips-per-person 6 --seconds 2 --seed 9417
    vultus prepare synthetic SYNTHETIC PREPARED
    python -m benchmarks.emotion_faces PREPARED [--real FOLDER] [--weights FOLDER] [--role ROLE] [--json FILE]

PREPARED: its clips of splits val and test, or with --all every one; a clip's emotion is that of the largest mean
probability over its frames, of which one in `EVERY` is looked at. The interval draws speakers anew. FOLDER: videos
named after the emotion that is shown, as MEAD's.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from vultus.core.controls import EMOTIONS
from vultus.data.clips import PreparedClip
from vultus.data.manifest import prepared_clips
from vultus.face import mediapipe_graphs
from vultus.face.landmarks import process_mesh
from vultus.metrics.emotion import clip_emotion
from vultus.perception.judges import ROLES
from vultus.perception.judges.emotion_image import EmotionImage, load_emotion_image
from vultus.video.read import open_video

EVERY, MOST_FRAMES = 3, 40
RESAMPLES = 2000

Figures = dict[str, float]


def shares_of(judge: EmotionImage, frames: Iterable[np.ndarray]) -> np.ndarray:
    """Probabilities (n, 8) of the sampled frames (H, W, 3) in which there is a face."""
    mesh = mediapipe_graphs.face_mesh(stream=False)
    rows = []
    try:
        for number, frame in enumerate(frames):
            if number % EVERY == EVERY // 2:
                for points in process_mesh(mesh, np.ascontiguousarray(frame))[:1]:
                    rows.append(judge.probabilities(frame[None], points[None])[0])
            if len(rows) == MOST_FRAMES:
                break
    finally:
        mesh.close()
    return np.array(rows)


def synthetic_figures(judge: EmotionImage, clips: list[PreparedClip]) -> Figures:
    """Shares of clips and frames that are right, by level and emotion too, and the 95 % interval of the first."""
    right, frames = [], []
    for clip in clips:
        shares = shares_of(judge, clip.frames().images)
        wanted = EMOTIONS.index(clip.facts.emotion or "neutral")
        right.append(clip_emotion(shares) == wanted)
        frames.append(np.mean(shares.argmax(1) == wanted))
    found, speakers = np.array(right), np.array([clip.facts.speaker for clip in clips])
    levels = np.array([0 if clip.facts.emotion == "neutral" else clip.facts.level for clip in clips])
    emotions = np.array([clip.facts.emotion for clip in clips])
    low, high = interval(found, speakers)
    figures = {
        "clips": len(clips),
        "people": len(set(speakers)),
        "right": found.mean(),
        "frames_right": np.mean(frames),
    }
    figures |= {"low95": low, "high95": high}
    for level in sorted(set(levels)):
        chosen = levels == level
        figures |= {f"level_{level}_right": found[chosen].mean(), f"level_{level}_clips": chosen.sum()}
    figures |= {f"{name}_right": found[emotions == name].mean() for name in EMOTIONS if name in emotions}
    return {name: float(value) for name, value in figures.items()}


def interval(right: np.ndarray, speakers: np.ndarray) -> tuple[float, float]:
    """Ends of the 95 % interval of a mean, speakers drawn anew with replacement."""
    rng, names, found = np.random.default_rng(0), np.unique(speakers), []
    rows = {name: right[speakers == name] for name in names}
    for _ in range(RESAMPLES):
        found.append(np.concatenate([rows[name] for name in rng.choice(names, len(names))]).mean())
    low, high = np.percentile(found, [2.5, 97.5])
    return float(low), float(high)


def real_figures(judge: EmotionImage, folder: Path) -> Figures:
    """How many videos of a folder show what they are named after."""
    videos = sorted(path for path in folder.glob("*.mp4") if path.stem in EMOTIONS)
    right = 0
    for video in videos:
        shares = shares_of(judge, open_video(video).frames().images)
        seen = EMOTIONS[clip_emotion(shares)]
        right += seen == video.stem
        print(f"{video.stem:10s} seen as {seen:10s} {shares.mean(0).max():.2f}")
    return {"real_clips": len(videos), "real_clips_right": right}


def main() -> None:
    """Print, and write if asked, the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("prepared", type=Path)
    parser.add_argument("--all", action="store_true", help="clips of the split train, too")
    parser.add_argument("--real", type=Path)
    parser.add_argument("--weights", type=Path, help="not the shipped ones")
    parser.add_argument("--role", choices=ROLES, default="judge")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    judge = load_emotion_image(arguments.role, arguments.weights)
    clips = [clip for clip in prepared_clips(arguments.prepared) if arguments.all or clip.split != "train"]
    figures = synthetic_figures(judge, clips)
    if arguments.real is not None:
        figures |= real_figures(judge, arguments.real)
    for name, value in figures.items():
        print(f"{name:<24} {value:.3g}")
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
