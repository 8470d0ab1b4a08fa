"""Clips of which everything is known, for `benchmarks.tracking`: what is seen of the face in them, and the truth.

Photos played by the portrait renderer; rendered people who speak, and who act; and the head model's own points without
any picture, which leave FaceMesh out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter1d

from vultus.animate import open_portrait
from vultus.core.bases import ARKIT52, index_of
from vultus.core.controls import Controls
from vultus.core.method import Look
from vultus.core.pose import matrix_from_degrees
from vultus.core.types import Frames, Performance
from vultus.data.synthetic.clips import rendered_clip
from vultus.data.synthetic.people import random_person
from vultus.face.colours import BROWS, LIPS, Colours
from vultus.face.fit import Fitter
from vultus.face.gaze import IRIS_GAIN, IRIS_RADIUS
from vultus.face.head import embedded_head, project
from vultus.face.points import LEFT_EYE_CORNERS, LEFT_IRIS, RIGHT_EYE_CORNERS, RIGHT_IRIS
from vultus.face.stream import FaceSeen, FaceStream
from vultus.methods.portrait.model import PhotoRenderer
from vultus.motion.blink import FULL, lid_motion
from vultus.rendering.person.renderer import PersonRenderer

FPS, TURN_S, PERSON_TURN_S = 25.0, 4.0, 2.0
"""Frames per second, and for how long a movement has its turn: on photos and the model, and on rendered people."""
GROUPS = (
    ("jawOpen", "mouthSmile", "mouthPucker"), ("browInnerUp", "browOuterUp", "browDown"),
    ("mouthFunnel", "mouthUpperUp", "mouthLowerDown"), ("mouthFrown", "mouthStretch", "noseSneer"),
    ("mouthLeft", "mouthRight", "mouthRollLower"), ("eyeWide", "eyeSquint", "cheekSquint"),
    ("mouthPress", "mouthRollUpper", "mouthShrugLower"),
)  # fmt: skip
"""Movements that have their turn one after the other; each is judged over the three turns of its group."""
_PEAK = {"jawOpen": 0.45, "mouthSmile": 0.7, "mouthPucker": 0.6}
_DEFAULT_PEAK = 0.8
_NOISE_SHARE = 0.004
"""Wandering of the points made without a picture, in inter-ocular distances, as FaceMesh's do."""
VISIBLE = 0.01
"""Motion in inter-ocular distances from which a movement counts as visible: twice what FaceMesh's points wander."""


@dataclass(frozen=True)
class Clip:
    """FaceMesh's points (T, 478, 3), not a number where it saw none, what was true, and `face.colours` of
    every frame, unless there is no picture."""

    points: np.ndarray
    truth: Performance
    colours: Colours | None = None


def columns(movement: str) -> list[int]:
    """Columns of a movement's ARKit weights: one, or left and right."""
    return [i for i, name in enumerate(ARKIT52) if name in (movement, movement + "Left", movement + "Right")]


def motion(movement: str, expression: np.ndarray) -> float:
    """How far a movement moves the point that it moves most, in the picture of a face seen from the front.

    The root mean square over weights (T, 52), about the point's mean place, in distances of the outer eye corners; of
    the head model's mean face. Nothing of what tracking finds goes into it.
    """
    chosen = columns(movement)
    modes, eyes = _front_view()
    moved = (expression[:, chosen] - expression[:, chosen].mean(0)) @ modes[chosen].reshape(len(chosen), -1)
    shifts = moved.reshape(len(moved), -1, 2)
    return float(np.sqrt((shifts**2).sum(2).mean(0)).max() / eyes)


@lru_cache(maxsize=1)
def _front_view() -> tuple[np.ndarray, float]:
    """How each weight moves FaceMesh's skin points across and up, (52, 468, 2), and the outer eye corners' distance."""
    fitter = Fitter(embedded_head())
    modes = np.moveaxis(fitter.expression_modes, -1, 0)[..., :2]
    return modes, float(np.linalg.norm(fitter.mean[RIGHT_EYE_CORNERS[0]] - fitter.mean[LEFT_EYE_CORNERS[0]]))


def turns(seed: int, turn_s: float = TURN_S) -> Performance:
    """Every movement of `GROUPS` in its turn; blinks, eyes that jump and a head that wanders all the time."""
    rng = np.random.default_rng(seed)
    length = round(turn_s * FPS)
    movements = [movement for group in GROUPS for movement in group]
    base = Performance.neutral(length * len(movements), FPS)
    count = len(base)
    assert base.expression is not None
    expression = base.expression.copy()
    for k, movement in enumerate(movements):
        pace_s = 0.07 if movement == "jawOpen" else 0.25
        noise = gaussian_filter1d(rng.normal(size=length + 100), pace_s * FPS)[50:-50]
        signal = np.clip(noise / np.abs(noise).max() + 0.3, 0, 1)
        edge = np.clip(np.minimum(np.arange(length), length - 1 - np.arange(length)) / 6, 0, 1)
        curve = _PEAK.get(movement, _DEFAULT_PEAK) * signal / signal.max() * edge
        expression[np.ix_(range(k * length, (k + 1) * length), columns(movement))] = curve[:, None]
    lids = lid_motion(Controls().blink, FPS, seed, 25.0, None).frames(count)
    expression[:, [index_of("eyeBlinkLeft"), index_of("eyeBlinkRight")]] = lids
    wander = gaussian_filter1d(rng.normal(size=(count, 3)), 0.5 * FPS, axis=0, mode="wrap")
    gaze, frame = np.zeros((count, 2)), 0
    while frame < count:
        pause = int(rng.integers(10, 40))
        gaze[frame : frame + pause] = rng.uniform(-1, 1, 2) * (20, 11) * (rng.random() > 0.25)
        frame += pause
    return replace(
        base,
        expression=expression.astype(np.float32),
        rotation=(wander / np.abs(wander).max(0) * (15, 12, 12)).astype(np.float32),
        gaze=gaze.astype(np.float32),
        au45=(FULL * lids.mean(1)).astype(np.float32),
    )


def seen(frames: Frames) -> tuple[np.ndarray, Colours]:
    """FaceMesh's points (T, 478, 3) and the colours of lips and brows, each (T, 2, samples), in a video."""
    dark = Colours(*(np.zeros((2, region.samples), np.float32) for region in (LIPS, BROWS)))
    missing = FaceSeen(np.full((478, 3), np.nan, np.float32), dark)
    with FaceStream() as stream:
        faces = [face or missing for face in map(stream.see, frames)]
    coloured = [face.colours for face in faces if face.colours is not None]
    return np.stack([face.points for face in faces]), Colours(*map(np.stack, zip(*coloured, strict=True)))


def of_portrait(picture: Path | np.ndarray, seed: int) -> Clip:
    """A photo that does `turns`: weights, gaze and AU45 count from the photo's own, rotation is absolute."""
    renderer = PhotoRenderer(open_portrait(picture), Look(crop="face", size=512))
    asked = turns(seed)
    points, colours = seen(renderer.play([asked], len(asked)))
    shown = np.stack([renderer.state(asked, k)[1] for k in range(len(asked))])
    return Clip(points, replace(asked, rotation=(renderer.own_deg + shown).astype(np.float32)), colours)


def of_person(seed: int) -> Clip:
    """A rendered person who speaks with some emotion, 5 s."""
    clip = rendered_clip(seed, seconds=5.0, size=256)
    points, colours = seen(clip.frames)
    return Clip(points, clip.truth, colours)


def of_acting_person(seed: int) -> Clip:
    """A rendered person who does `turns`."""
    renderer, asked = PersonRenderer(random_person(seed, seed), 256), turns(seed, PERSON_TURN_S)
    expression, rotation, gaze = asked.expression, asked.rotation, asked.gaze
    assert expression is not None and rotation is not None and gaze is not None
    still, count = np.zeros(3, np.float32), len(asked)
    images = (renderer.frame(expression[k], rotation[k], still, gaze[k]) for k in range(count))
    points, colours = seen(Frames(images, FPS, renderer.size, renderer.size, count))
    return Clip(points, asked, colours)


def of_model(seed: int) -> Clip:
    """A strange build of the head model that does `turns`: its points, unsteady; irises lag as FaceMesh's."""
    head, rng, truth = embedded_head(), np.random.default_rng(seed), turns(seed)
    assert truth.expression is not None and truth.rotation is not None and truth.gaze is not None
    fitter, identity = Fitter(head), rng.normal(0, 0.7, 60)
    centres, depth = head.eye_centres(head.vertices(identity)), np.array([0.3, -0.5, 85.0])
    points = np.zeros((len(truth), 478, 3))
    for k, rotation in enumerate(matrix_from_degrees(truth.rotation)):
        across, upward = np.radians(truth.gaze[k] / IRIS_GAIN)
        sight = np.array([np.sin(across) * np.cos(upward), np.sin(upward), np.cos(across) * np.cos(upward)])
        points[k, :468] = fitter.points(identity, truth.expression[k])
        points[k, LEFT_IRIS, :], points[k, RIGHT_IRIS, :] = centres + IRIS_RADIUS * sight
        points[k] = project(points[k], rotation, depth, 1126.0, np.array([256.0, 256.0]))
    points[..., 2] = (points[..., 2] - depth[2]) * 1126.0 / depth[2]
    apart = float(np.linalg.norm(points[0, 33, :2] - points[0, 263, :2]))
    noise = gaussian_filter1d(rng.normal(size=points.shape), 1.5, axis=0)
    return Clip((points + _NOISE_SHARE * apart * noise / noise.std()).astype(np.float32), truth)
