"""blink_nerf's person data and driver in figures.

    python -m benchmarks.blink_nerf_driver motion DATA [--ear speech|sounds] [--seeds N] [--steps N]
    python -m benchmarks.blink_nerf_driver stream DATA [--ear ...] [--steps N]   as played: own blinks, amplitude, speed
    python -m benchmarks.blink_nerf_driver spoken DATA --weights WEIGHTS         pictures of a voice, tracked again
    python -m benchmarks.blink_nerf_driver pose [--people N] [--seconds S]       head pose on rendered people

DATA is what `vultus train blink_nerf` is given. The ear "speech" has learned from clips of ../shared/data/real with all
they say; "sounds" from nobody's mouth. Set OMP_NUM_THREADS=1.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from benchmarks.held_person import Change, Held, aperture, track
from vultus.core.controls import Controls
from vultus.core.pose import degrees_from_matrix, matrix_from_degrees
from vultus.core.types import SAMPLE_RATE, Performance
from vultus.data.synthetic.clips import rendered_clip
from vultus.face.align import align
from vultus.face.bundle import adjust
from vultus.face.fit import Fitter
from vultus.face.head import embedded_head
from vultus.face.points import LIPS
from vultus.face.stream import FaceStream
from vultus.methods.blink_nerf.data import person_in
from vultus.methods.blink_nerf.driver.config import SMALL, DriverConfig
from vultus.methods.blink_nerf.driver.infer import BlinkNerfDriver
from vultus.methods.blink_nerf.driver.train import Motion, followed
from vultus.methods.blink_nerf.driver.units import lip_gap
from vultus.methods.blink_nerf.hearing import EarName
from vultus.methods.blink_nerf.model import Signals
from vultus.methods.blink_nerf.person import Person
from vultus.methods.blink_nerf.speaking import SpeakingPerson
from vultus.training.loop import LoopConfig, train


def trained(person: Person, config: DriverConfig, seed: int) -> tuple[Motion, dict[str, float]]:
    """The driver's stage after training, and its figures on the held-out end."""
    kept: list[Motion] = []

    def build() -> list[Motion]:
        kept.append(Motion(config, person))
        return kept

    with tempfile.TemporaryDirectory(prefix="vultus-driver-") as folder:
        loop = LoopConfig(seed, accelerator="cpu", validate_every=10**6, save_every=10**6)
        figures = train(build, config, folder, loop)["motion"]
    return kept[0], figures


def motion(person: Person, config: DriverConfig, seeds: int) -> None:
    """Print the stage's figures for every seed."""
    for seed in range(seeds):
        began = time.process_time()
        _, figures = trained(person, config, seed)
        print(f"seed {seed}, {time.process_time() - began:.0f} CPU s:", flush=True)
        print("  " + ", ".join(f"{name} {value:.3f}" for name, value in figures.items()), flush=True)


def stream(person: Person, config: DriverConfig) -> None:
    """Print how the driver follows held-out frames as it is played, and how fast it is."""
    stage, _ = trained(person, config, 0)
    stage.net.eval()
    driver = BlinkNerfDriver(stage.net, person.ear, Controls(), person.fps)  # type: ignore[arg-type]
    began = time.process_time()
    pieces = [driver.push(np.asarray(person.waveform)), driver.finish()]
    spent_s = time.process_time() - began
    landmarks = np.concatenate([piece.landmarks for piece in pieces if piece is not None])[: len(person)]
    made, truth = (lip_gap(points[person.test]) for points in (landmarks, person.landmarks3d))
    print(f"as played: aperture r {followed(made, truth, person.fps):.3f}, spread {made.std() / truth.std():.2f}")
    print(f"{len(person.waveform) / 16_000 / spent_s:.0f} s of voice a CPU second, {driver.lookahead_s:.1f} s ahead")


def spoken(data: Path, weights: Path) -> None:
    """Print how lips follow in pictures that were made from a voice, tracked again: the frames' own, and another.

    They are compared with the frames tracked at the same size, as blurred, and with what was prepared from all pixels;
    and so are the landmarks that they were made from: what is lost on the way from the voice, and in the picture.
    """
    held = Held(data, weights)
    person = held.person
    speaker = SpeakingPerson(weights, "blink_nerf", "")
    frames, true = held.frames, track(held.truth[held.frames])
    prepared = lip_gap(person.landmarks3d[frames])
    apart = len(person) // 2
    for name, shift in (("own voice", 0), ("another's", apart)):
        waveform = np.roll(person.waveform, round(shift / person.fps * SAMPLE_RATE))
        driver = speaker.driver(Controls(), person.fps, None, None)
        made = Performance.concatenate(p for p in (driver.push(waveform), driver.finish()) if p is not None)
        landmarks, au45, voice = (torch.from_numpy(a) for a in (made.landmarks, made.au45, made.voice))
        mine = track(held.pictures(_as_told(iter(frames), landmarks, au45, voice)))
        both = ~np.isnan(mine[:, 0, 0]) & ~np.isnan(true[:, 0, 0])
        a, b = (aperture(points[both]) for points in (mine, true))
        told = lip_gap(made.landmarks[frames][both])
        moved = np.linalg.norm(mine[both][:, :468, :2] - true[both][:, :468, :2], axis=2)
        lips = moved[:, list(LIPS)].mean()
        print(
            f"{name}: landmarks' aperture r {followed(told, b, person.fps):.3f}, "
            f"with the prepared clip {followed(told, prepared[both], person.fps):.3f}; "
            f"pictures' aperture r {followed(a, b, person.fps):.3f}, amplitude {a.std() / b.std():.2f}, "
            f"r with the prepared clip {followed(a, prepared[both], person.fps):.3f}, "
            f"LMD {moved.mean():.2f}, lips {lips:.2f} px at 512, {both.mean():.0%} found"
        )


def _as_told(frames: Iterator[int], landmarks: torch.Tensor, au45: torch.Tensor, voice: torch.Tensor) -> Change:
    """Signals of frame after frame with what a driver says in place of what was tracked."""

    def change(seen: Signals) -> Signals:
        k = next(frames)
        return seen._replace(landmarks=landmarks[k, None], au45=au45[k, None], audio=voice[k, None])

    return change


def pose(people: int, seconds: float) -> None:
    """Print errors of head pose on rendered people about constant turns (`_in_step`), and with all turns scaled too."""
    head = embedded_head()
    for seed in range(1, people + 1):
        clip = rendered_clip(seed, seconds=seconds, size=512)
        pictures, points = [], []
        with FaceStream() as faces:
            for picture in clip.frames:
                seen = faces.next(picture)
                if seen is not None:
                    pictures.append(picture.copy())
                    points.append(seen)
        truth, shot = clip.truth.rotation[: len(points)], np.zeros(len(points), int)
        trail = adjust(np.stack(points), shot, clip.frames.fps, Fitter(head))
        aligned = align(pictures, trail, shot, clip.frames.fps, head)
        for name, rotation in (("FaceMesh, bundle", trail.rotation), ("skin", aligned.rotation)):
            print(f"person {seed}, {name}: {_pose_figures(rotation, truth)}", flush=True)


def _pose_figures(rotation: np.ndarray, truth: np.ndarray) -> str:
    found = degrees_from_matrix(_in_step(rotation, matrix_from_degrees(truth)))
    off, told = found - truth, np.c_[truth, np.ones(len(truth))]
    fit = np.linalg.lstsq(told, found, rcond=None)[0]
    rms, left = (np.sqrt((x**2).mean(0)).round(2) for x in (off, found - told @ fit))
    jitter = np.abs(np.diff(found, 2, axis=0)).mean().round(3)
    return f"rms deg yaw pitch roll {rms}, scaled {left}, gains {np.diag(fit[:3]).round(2)}, jitter {jitter}"


def _in_step(rotation: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Rotations (T, 3, 3) with constant turns of the head and of the camera that bring them closest to the true ones.

    A clip tells neither: the camera's axis is taken to go through the face, and a head model's front is where it is.
    """
    camera = head = np.eye(3)
    for _ in range(50):
        head = _nearest_rotation(np.einsum("tji,tjk->ik", camera @ rotation, truth))
        camera = _nearest_rotation(np.einsum("tij,tkj->ik", truth, rotation @ head))
    turned: np.ndarray = camera @ rotation @ head
    return turned


def _nearest_rotation(matrix: np.ndarray) -> np.ndarray:
    u, _, vt = np.linalg.svd(matrix)
    rotation: np.ndarray = u @ np.diag([1, 1, np.linalg.det(u @ vt)]) @ vt
    return rotation


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("motion", "stream", "spoken", "pose"))
    parser.add_argument("data", nargs="?", type=Path)
    parser.add_argument("--ear", choices=("speech", "sounds"), default="speech")
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--size", type=int, default=96)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--steps", type=int, default=SMALL.train.steps)
    parser.add_argument("--people", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=16.0)
    chosen = parser.parse_args()
    if chosen.what == "pose":
        pose(chosen.people, chosen.seconds)
        return
    if chosen.what == "spoken":
        spoken(chosen.data, chosen.weights)
        return
    ear: EarName = chosen.ear
    config = replace(SMALL, train=replace(SMALL.train, steps=chosen.steps))
    person = person_in(chosen.data, chosen.size, ear)
    if chosen.what == "motion":
        motion(person, config, chosen.seeds)
    else:
        stream(person, config)


if __name__ == "__main__":
    main()
