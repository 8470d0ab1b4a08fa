"""Which emotion does the judge of faces see in clips of people it never saw?

    python -m benchmarks.emotion_faces [PREPARED] [--real FOLDER] [--weights FOLDER] [--role ROLE] [--json FILE]

Without PREPARED, the clips are those of `vultus synthesize --people 30 --clips-per-person 6 --seconds 2 --seed 9417`,
of which only the frames that are looked at are drawn, and none is coded as video. PREPARED holds prepared clips: those
of splits val and test are looked at, or with --all every one. A clip's emotion is that of the largest mean probability
over its frames, of which one in `EVERY` is looked at. The interval draws speakers anew. FOLDER: videos named after the
emotion that is shown, as MEAD's.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from vultus.core.controls import EMOTIONS
from vultus.data.manifest import prepared_clips
from vultus.data.synthetic.making import actor_of, performed
from vultus.data.synthetic.plan import SynthesisOptions, plan_clips
from vultus.face import mediapipe_graphs
from vultus.face.landmarks import process_mesh
from vultus.metrics.emotion import clip_emotion
from vultus.perception.judges import ROLES
from vultus.perception.judges.emotion_image import EmotionImage, load_emotion_image
from vultus.video.read import open_video

EVERY, MOST_FRAMES = 3, 40
RESAMPLES = 2000
UNSEEN = SynthesisOptions(people=30, clips_per_person=6, seconds=2.0, seed=9417)
"""Clips of people who taught no role anything."""

Figures = dict[str, float]


@dataclass(frozen=True)
class Clip:
    """The sampled frames (H, W, 3) of a clip, and what is shown by whom; neutral has level 0."""

    frames: Iterable[np.ndarray]
    emotion: str
    level: int
    speaker: str


def drawn(options: SynthesisOptions) -> Iterator[Clip]:
    """The clips of a synthetic set, clip by clip."""
    for plan in plan_clips(options):
        actor, performance = actor_of(options, plan), performed(options, plan)[-1]
        shown = actor.absolute(performance)
        expression, rotation, shift, gaze = shown.expression, shown.rotation, shown.translation, shown.gaze
        assert expression is not None and rotation is not None and shift is not None and gaze is not None
        frames = (
            actor.frame(expression[k], rotation[k], shift[k], gaze[k])
            for k in range(EVERY // 2, len(performance), EVERY)
        )
        level = 0 if plan.emotion == "neutral" else plan.level
        yield Clip(frames, plan.emotion, level, str(plan.person))


def prepared(folder: Path, everything: bool) -> Iterator[Clip]:
    """Prepared clips, those of the split train only if asked for."""
    for clip in prepared_clips(folder):
        if everything or clip.split != "train":
            emotion = clip.facts.emotion or "neutral"
            level = 0 if emotion == "neutral" else int(clip.facts.level or 0)
            yield Clip(islice(clip.frames().images, EVERY // 2, None, EVERY), emotion, level, clip.facts.speaker)


def shares_of(judge: EmotionImage, frames: Iterable[np.ndarray]) -> np.ndarray:
    """Probabilities (n, 8) of those of the frames (H, W, 3) in which there is a face."""
    mesh = mediapipe_graphs.face_mesh(stream=False)
    rows = []
    try:
        for frame in frames:
            for points in process_mesh(mesh, np.ascontiguousarray(frame))[:1]:
                rows.append(judge.probabilities(frame[None], points[None])[0])
            if len(rows) == MOST_FRAMES:
                break
    finally:
        mesh.close()
    return np.array(rows)


def synthetic_figures(judge: EmotionImage, clips: Iterable[Clip]) -> Figures:
    """Shares of clips and frames that are right, by level and emotion too, and the 95 % interval of the first."""
    looked = [(clip, shares_of(judge, clip.frames)) for clip in clips]
    wanted = [EMOTIONS.index(clip.emotion) for clip, _ in looked]
    found = np.array([clip_emotion(shares) == at for (_, shares), at in zip(looked, wanted, strict=True)])
    frames = [np.mean(shares.argmax(1) == at) for (_, shares), at in zip(looked, wanted, strict=True)]
    speakers, levels, emotions = (
        np.array([getattr(clip, name) for clip, _ in looked]) for name in ("speaker", "level", "emotion")
    )
    low, high = interval(found, speakers)
    figures = {
        "clips": len(looked),
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
        shares = shares_of(judge, islice(open_video(video).frames().images, EVERY // 2, None, EVERY))
        seen = EMOTIONS[clip_emotion(shares)]
        right += seen == video.stem
        print(f"{video.stem:10s} seen as {seen:10s} {shares.mean(0).max():.2f}")
    return {"real_clips": len(videos), "real_clips_right": right}


def main() -> None:
    """Print, and write if asked, the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("prepared", type=Path, nargs="?")
    parser.add_argument("--all", action="store_true", help="clips of the split train, too")
    parser.add_argument("--real", type=Path)
    parser.add_argument("--weights", type=Path, help="not the shipped ones")
    parser.add_argument("--role", choices=ROLES, default="judge")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    judge = load_emotion_image(arguments.role, arguments.weights)
    clips = drawn(UNSEEN) if arguments.prepared is None else prepared(arguments.prepared, arguments.all)
    figures = synthetic_figures(judge, clips)
    if arguments.real is not None:
        figures |= real_figures(judge, arguments.real)
    for name, value in figures.items():
        print(f"{name:<24} {value:.3g}")
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
