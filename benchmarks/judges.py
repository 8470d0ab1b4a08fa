"""What our judges can tell on real clips and pictures, which none of them has learned from.

    python -m benchmarks.judges sync PREPARED [--weights FOLDER --role ROLE] [--json FILE]
    python -m benchmarks.judges identity PREPARED ...
    python -m benchmarks.judges perceptual PREPARED ...

PREPARED is a folder of `vultus prepare` with real clips.

sync: in sync against 200 ms off, by the rule of `training.judges.sync_trials`; beside it the plain cross-correlation of
the mouth's aperture with loudness, under the same rule, and the same clips with the voices of others, which must be .5.

identity: pairs of pictures, and of clips (mean vectors), of the same and of different people; pairs within one clip,
which share camera and tracking, apart.

perceptual: does the distance grow with each distortion, and is a shift by a pixel nearer than a blur though PSNR says
otherwise? On frames of the real clips.
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from vultus.data.clips import PreparedClip
from vultus.data.manifest import prepared_clips
from vultus.face import mediapipe_graphs
from vultus.face.landmarks import process_mesh
from vultus.methods.portrait.data import speaker_of
from vultus.perception.judges import ROLES, Role
from vultus.perception.judges.identity import load_identity
from vultus.perception.judges.mouth_numbers import RATE_HZ
from vultus.perception.judges.perceptual import load_perceptual
from vultus.perception.judges.sync import load_sync
from vultus.training.judges.distortions import KINDS, distorted_picture
from vultus.training.judges.sync_clips import SyncClip, sync_clips
from vultus.training.judges.sync_trials import TRIAL_ROWS, area_under_roc, separation, window_scores

WINDOWS_S = (1.0, 2.0, 3.0, 4.0, None)
PICTURES = 6
"""Of each clip."""
AMOUNTS = (0.25, 0.5, 1.0, 2.0, 4.0)
RESAMPLES = 1000

Figures = dict[str, float]
Products = list[tuple[str, np.ndarray]]
"""Speaker, and similarity by offset and moment, of each clip."""


def sync_figures(prepared: Path, weights: Path | None, roles: Sequence[Role]) -> Figures:
    """AUC by length of the windows, mean of the roles, and of plain cross-correlation."""
    real = [clip for clip in sync_clips(prepared) if not clip.synthetic]
    others = [_another_voice(clip, real) for clip in real]
    plain = [loudness_products(clip) for clip in real]
    rows = []
    for role in roles:
        judge = load_sync(role, weights)
        judged = [judge.products(clip.mouth, clip.mel, TRIAL_ROWS) for clip in real]
        swapped = [judge.products(clip.mouth, other.mel, TRIAL_ROWS) for clip, other in zip(real, others, strict=True)]
        lags = [abs(int(products.mean(1).argmax()) - TRIAL_ROWS) for products in judged]
        row: Figures = {"clips": len(real), "clips_whose_peak_is_within_40ms": int(sum(lag <= 1 for lag in lags))}
        for window_s in WINDOWS_S:
            name = "auc_whole_clips" if window_s is None else f"auc_{window_s:g}s"
            row[name] = separation(judged, window_s)
            row[f"{name}_loudness"] = separation(plain, window_s)
        row["auc_3s_swapped_voices"] = separation(swapped, 3.0)
        speakers = [_speaker(clip) for clip in real]
        row["auc_3s_low95"], row["auc_3s_high95"] = interval_of(list(zip(speakers, judged, strict=True)), 3.0)
        rows.append(row)
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}


def _another_voice(clip: SyncClip, clips: Sequence[SyncClip]) -> SyncClip:
    """A clip of another person that is at least as long, or else the longest."""
    at = [other.name for other in clips].index(clip.name)
    rest = [other for other in (*clips[at + 1 :], *clips[:at]) if _speaker(other) != _speaker(clip)]
    return next((other for other in rest if len(other.mouth) >= len(clip.mouth)), max(rest, key=lambda c: len(c.mouth)))


def interval_of(judged: Products, window_s: float | None) -> tuple[float, float]:
    """Ends of the 95 % interval of the AUC, speakers drawn anew with replacement."""
    scores = [(speaker, *window_scores(products, window_s)) for speaker, products in judged]
    speakers = sorted({speaker for speaker, _, _ in scores})
    rng, found = np.random.default_rng(0), []
    for _ in range(RESAMPLES):
        drawn = [row for name in rng.choice(speakers, len(speakers)) for row in scores if row[0] == name]
        found.append(area_under_roc(*(np.concatenate([row[k] for row in drawn]) for k in (1, 2))))
    low, high = np.percentile(found, [2.5, 97.5])
    return float(low), float(high)


def loudness_products(clip: SyncClip) -> np.ndarray:
    """The baseline: the aperture times the loudness, both of mean 0 and spread 1, less drift, by offset and moment."""
    from scipy.ndimage import gaussian_filter1d

    aperture = clip.mouth[:, 24] - clip.mouth[:, 25]  # middle of the upper and of the lower inner lip
    loudness = np.log(np.exp(clip.mel).sum(1).reshape(len(aperture), -1).mean(1) + 1e-3)
    loudness = loudness - gaussian_filter1d(loudness, RATE_HZ)
    a, b = ((series - series.mean()) / series.std() for series in (aperture, loudness))
    padded = np.pad(b, TRIAL_ROWS)
    return np.stack([a * padded[2 * TRIAL_ROWS - k : 2 * TRIAL_ROWS - k + len(a)] for k in range(2 * TRIAL_ROWS + 1)])


def _speaker(clip: SyncClip) -> str:
    return speaker_of(clip.name)


def identity_figures(prepared: Path, weights: Path | None, roles: Sequence[Role]) -> Figures:
    """AUC of the same person against others, mean of the roles."""
    faces = {clip.facts.name: _pictures(clip) for clip in prepared_clips(prepared) if _is_seen(clip)}
    figures: Figures = {"clips": len(faces), "people": len({speaker_of(name) for name in faces})}
    rows = []
    for role in roles:
        judge = load_identity(role, weights)
        rows.append(same_person({name: judge.embed(*pair) for name, pair in faces.items()}))
    return figures | {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}


def same_person(vectors: dict[str, np.ndarray]) -> Figures:
    """AUC by cosines: pictures of two clips, pictures of one clip, and mean vectors of two clips."""
    same, other, same_clips, other_clips = [], [], [], []
    for one, two in itertools.combinations(vectors, 2):
        alike = speaker_of(one) == speaker_of(two)
        (same if alike else other).append((vectors[one] @ vectors[two].T).ravel())
        means = _unit(np.stack([vectors[one].mean(0), vectors[two].mean(0)]))
        (same_clips if alike else other_clips).append(means[0] @ means[1])
    within = [(found @ found.T)[np.triu_indices(len(found), 1)] for found in vectors.values()]
    different = np.concatenate(other)
    return {
        "auc_pictures": area_under_roc(np.concatenate(same), different),
        "auc_pictures_of_one_clip": area_under_roc(np.concatenate(within), different),
        "auc_clips": area_under_roc(np.array(same_clips), np.array(other_clips)),
        "pairs_of_clips_same": len(same_clips),
        "pairs_of_clips_different": len(other_clips),
    }


def _unit(vectors: np.ndarray) -> np.ndarray:
    unit: np.ndarray = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


def _is_seen(clip: PreparedClip) -> bool:
    return clip.has_pictures and not clip.facts.synthetic and clip.facts.dataset != "emoface"


def _pictures(clip: PreparedClip) -> tuple[np.ndarray, np.ndarray]:
    """Some pictures of a clip and FaceMesh's points in them."""
    mesh = mediapipe_graphs.face_mesh(stream=False, min_detection=0.4)
    frames, points = [], []
    for at in np.linspace(1, min(len(clip), 500) - 2, PICTURES).astype(int):
        frame = np.ascontiguousarray(next(iter(clip.frames(int(at), int(at) + 1))))
        found = process_mesh(mesh, frame)
        if found:
            frames.append(frame)
            points.append(found[0])
    mesh.close()
    return np.stack(frames), np.stack(points)


def perceptual_figures(prepared: Path, weights: Path | None, roles: Sequence[Role]) -> Figures:
    """Shares of real frames on which the distance ranks as it should, the worse of the roles."""
    import torch

    clips = [clip for clip in prepared_clips(prepared) if _is_seen(clip)]
    frames = np.stack([next(iter(clip.frames(10, 11))) for clip in clips])
    tensors = torch.from_numpy(frames).permute(0, 3, 1, 2).float() / 255

    def worse(kind: str, amount: float) -> np.ndarray:
        made = torch.stack([distorted_picture(kind, one, amount, 3) for one in tensors])
        return (255 * made).round().byte().permute(0, 2, 3, 1).contiguous().numpy()

    rows = []
    for role in roles:
        judge = load_perceptual(role, weights)
        row = {}
        for kind in KINDS:
            by_amount = np.stack([judge.distance(frames, worse(kind, amount)) for amount in AMOUNTS])
            row[f"in_order_{kind}"] = float((np.diff(by_amount, axis=0) > 0).all(0).mean())
        rows.append(row | _shift_against_blur(judge.distance, frames))
    return {"frames": len(frames)} | {name: min(row[name] for row in rows) for name in rows[0]}


def _shift_against_blur(distance: Callable[[np.ndarray, np.ndarray], np.ndarray], frames: np.ndarray) -> Figures:
    """Share of frames whose shift by a pixel is nearer than their blur by 1.5 pixels: by our distance, by PSNR."""
    import cv2

    plain, shifted = frames[:, :, :-1], frames[:, :, 1:]
    blurred = np.stack([cv2.GaussianBlur(np.ascontiguousarray(frame), (0, 0), 1.5) for frame in plain])
    errors = [np.square(part.astype(float) - plain).mean((1, 2, 3)) for part in (shifted, blurred)]
    near, far = (distance(plain, part) for part in (shifted, blurred))
    return {
        "shift_nearer_than_blur": float((near < far).mean()),
        "shift_nearer_than_blur_by_psnr": float((errors[0] < errors[1]).mean()),
    }


FIGURES: dict[str, Callable[[Path, Path | None, Sequence[Role]], Figures]] = {
    "sync": sync_figures,
    "identity": identity_figures,
    "perceptual": perceptual_figures,
}


def main() -> None:
    """Print, and write if asked, the figures of a judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("judge", choices=FIGURES)
    parser.add_argument("prepared", type=Path)
    parser.add_argument("--weights", type=Path, help="not the shipped ones; give --role too")
    parser.add_argument("--role", choices=ROLES)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    roles = ROLES if arguments.role is None else (arguments.role,)
    figures = FIGURES[arguments.judge](arguments.prepared, arguments.weights, roles)
    figures = {name: round(value, 4) for name, value in figures.items()}
    for name, value in figures.items():
        print(f"{name:<40} {value:g}")
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
