"""Lay the head model onto FaceMesh's points: damped Gauss-Newton over pose, identity and expression.

Only the points' x and y are matched. The unknowns are kept plausible by penalties (`face.priors`), and expression
stays within 0-1 by an active set. All lengths inside are those of a face crop scaled to 512 pixels, so the same
penalties serve every picture size.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from vultus.core.bases import ARKIT52, index_of
from vultus.core.pose import degrees_from_matrix
from vultus.core.types import Fit
from vultus.face import priors
from vultus.face.gaze import gaze_degrees
from vultus.face.head import FLIP, HeadModel, project
from vultus.face.points import face_box, lip_opening

CROP_SCALE = 2.3
"""Side of the face crop in face boxes."""
FOCAL_PER_CROP = 2.2
"""Focal length in crop sides: a portrait lens."""

_CROP_PX = 512.0
_IDENTITY_FRAMES = 8
_REST_PERCENTILE = 40
_NEVER_REST = ("jawOpen", "mouthSmileLeft", "mouthSmileRight", "eyeBlinkLeft", "eyeBlinkRight", "mouthClose")
"""Expressions that people keep up for seconds: never taken for the build of a face."""
_OPEN_LIPS_DEG = 60.0
"""Lips as far open as the mouth is wide tell as little of a face at rest as a turn by this much."""
_ROBUST_PX = 6.0
_POSE_ONLY = 4


@dataclass(frozen=True)
class Camera:
    """Where a face crop sits in the picture, in pixels: its side, and its middle, which is the principal point."""

    crop_px: float
    center_px: np.ndarray

    @property
    def focal_px(self) -> float:
        return FOCAL_PER_CROP * self.crop_px

    @staticmethod
    def around(landmarks: np.ndarray) -> Camera:
        """The camera whose crop holds the face at points (478, 3) as every fit expects it."""
        center_px, side_px = face_box(landmarks)
        return Camera(CROP_SCALE * side_px, center_px)

    def to_crop(self, points: np.ndarray) -> np.ndarray:
        """Pixels (N, 2) of the picture as offsets from the principal point in a crop scaled to 512."""
        return (points - self.center_px) * (_CROP_PX / self.crop_px)


@dataclass(frozen=True)
class Person:
    """What stays the same through a video of somebody."""

    identity: np.ndarray
    """(60,) as in `Fit`."""
    camera: Camera
    rest: np.ndarray
    """(52,) expression weights that the face keeps at rest: no frame is fitted below them."""
    offset: np.ndarray
    """(468, 3) head units from the model's points to where FaceMesh sees them on this face."""


@dataclass
class State:
    """The unknowns: head-frame rotation (3, 3), camera-frame translation (3,), identity (I,), expression (52,)."""

    rotation: np.ndarray
    translation: np.ndarray
    identity: np.ndarray
    expression: np.ndarray
    rest: np.ndarray
    """(52,) where the expression is drawn to by its priors, and its lower bound."""
    offset: np.ndarray | float = 0.0


class Fitter:
    """Fits one head model; build it once for many pictures. Model points are (468, 3), with their linear modes."""

    def __init__(self, head: HeadModel) -> None:
        self.head = head
        self.mean = head.landmarks478(head.mean).astype(float)
        self.identity_modes = _modes(head, head.identity_basis)
        self.expression_modes = _modes(head, head.expression_basis)
        self.weights = priors.landmark_weights(head.landmark478_spread)
        self.active = np.array([i for i, name in enumerate(ARKIT52) if name not in priors.FIXED])
        self.prior = priors.expression_penalty(self.active)

    def fit(self, landmarks: np.ndarray, camera: Camera | None = None, iterations: int = 25) -> Fit:
        """Identity, expression, pose and gaze of the face at points (478, 3): about 40 ms."""
        camera = camera or Camera.around(landmarks)
        target = camera.to_crop(landmarks[:468, :2].astype(float))
        state = self._start(landmarks, camera)
        for step in range(iterations):
            self._improve(state, target, step >= _POSE_ONLY, step >= _POSE_ONLY)
        return self._result(state, landmarks, camera)

    def follow(self, landmarks: np.ndarray, previous: Fit | None, person: Person) -> Fit:
        """The same person in another frame of one video: pose and expression only, from the previous fit (5 ms)."""
        target = person.camera.to_crop(landmarks[:468, :2].astype(float))
        state, iterations = self._start(landmarks, person.camera), 15
        if previous is not None:
            state.rotation, state.translation, iterations = previous.rotation, previous.translation, 4
        state.expression = (person.rest if previous is None else previous.expression).astype(float)
        state.identity, state.rest, state.offset = person.identity, person.rest, person.offset
        for step in range(iterations):
            self._improve(state, target, False, previous is not None or step >= _POSE_ONLY)
        return self._result(state, landmarks, person.camera)

    def meet(self, faces: list[np.ndarray]) -> Person:
        """The person and the camera behind points (478, 3) of several frames; faces at rest give the identity.

        Builds differ more than the identity basis knows, and FaceMesh has habits of its own. What is left over in most
        frames is no expression: it goes into the person's `rest` and `offset`.
        """
        cameras = [Camera.around(points) for points in faces]
        camera = Camera(
            float(np.median([c.crop_px for c in cameras])), np.median([c.center_px for c in cameras], axis=0)
        )
        picked = faces[:: max(1, len(faces) // (2 * _IDENTITY_FRAMES))]
        pairs = [(points, self.fit(points, camera)) for points in picked]
        pairs.sort(key=lambda pair: _unrest_deg(*pair))
        fits = [fit for _, fit in pairs[:_IDENTITY_FRAMES]]
        identity = np.mean([fit.identity for fit in fits], 0).astype(float)
        rest = np.percentile([fit.expression for fit in fits], _REST_PERCENTILE, axis=0)
        rest[[index_of(name) for name in _NEVER_REST]] = 0
        person = Person(identity, camera, rest, np.zeros_like(self.mean))
        kept = pairs[:_IDENTITY_FRAMES]
        views = [self.follow(points, None, person) for points, _ in kept]
        offsets = [self.departure(view, self.points(view.identity, view.expression)) for view in views]
        return replace(person, offset=np.mean(offsets, 0))

    def departure(self, fit: Fit, model: np.ndarray) -> np.ndarray:
        """Head-frame vectors (468, 3), in the picture plane, from a model's points (468, 3) to those of a fit."""
        seen = project(model, fit.rotation, fit.translation, fit.focal_px, fit.center_px)
        camera = np.zeros_like(model)
        camera[:, :2] = (fit.landmarks[:468, :2] - seen[:, :2]) * seen[:, 2:] / fit.focal_px
        return camera @ (FLIP @ fit.rotation)

    def points(self, identity: np.ndarray, expression: np.ndarray) -> np.ndarray:
        """FaceMesh's skin points (468, 3) of the model, head frame."""
        return self.mean + self.identity_modes[..., : len(identity)] @ identity + self.expression_modes @ expression

    def _start(self, landmarks: np.ndarray, camera: Camera) -> State:
        """Rotation and distance by aligning the mean face to the points with FaceMesh's own depth."""
        seen = landmarks[:468].astype(float) * (1, -1, -1)
        model, weights = self.mean, self.weights[:, None]
        seen_mean, model_mean = ((weights * x).sum(0) / weights.sum() for x in (seen, model))
        u, sizes, vt = np.linalg.svd((weights * (seen - seen_mean)).T @ (model - model_mean))
        flip = np.array([1, 1, np.sign(np.linalg.det(u @ vt))])
        rotation = (u * flip) @ vt
        scale = (sizes * flip).sum() / (weights * (model - model_mean) ** 2).sum()  # pixels a head unit
        depth = camera.focal_px / scale
        middle = np.append((seen_mean[:2] * (1, -1) - camera.center_px) / scale, depth)
        translation = middle - FLIP @ rotation @ model_mean
        identity, expression = np.zeros(self.identity_modes.shape[-1]), np.zeros(len(ARKIT52))
        return State(rotation, translation, identity, expression, rest=np.zeros(len(ARKIT52)))

    def _improve(self, state: State, target: np.ndarray, with_identity: bool, with_expression: bool) -> None:
        """One Gauss-Newton step, in place. `target` (468, 2) in 512-crop pixels."""
        residual, jacobian = self._linearise(state, target, with_identity, with_expression)
        robust = 1 / (1 + (residual**2).sum(-1) / _ROBUST_PX**2)
        rows, values = _weighted_rows(jacobian, residual, self.weights * robust)
        hessian, gradient = rows.T @ rows, rows.T @ values
        identities = self.identity_modes.shape[-1] if with_identity else 0
        step = self._regularised_step(state, hessian, gradient, identities, with_expression)
        turn = _rotation_from_vector(step[:3])
        state.rotation = turn @ state.rotation
        state.translation = state.translation + step[3:6]
        state.identity = state.identity + step[6 : 6 + identities] if with_identity else state.identity
        if with_expression:
            wanted = state.expression[self.active] + step[6 + identities :]
            state.expression[self.active] = np.clip(wanted, state.rest[self.active], 1)

    def _linearise(
        self, state: State, target: np.ndarray, with_identity: bool, with_expression: bool
    ) -> tuple[np.ndarray, np.ndarray]:
        """Residual (468, 2) and jacobian (468, 2, P) of the projection in turn, shift, identity, expression."""
        focal = FOCAL_PER_CROP * _CROP_PX
        turned = (self.points(state.identity, state.expression) + state.offset) @ state.rotation.T
        camera = turned * np.diag(FLIP) + state.translation
        x, y, z = camera.T
        residual = target - focal * camera[:, :2] / camera[:, 2:]
        by_camera = np.zeros((len(z), 2, 3))
        by_camera[:, 0, 0] = by_camera[:, 1, 1] = focal / z
        by_camera[:, 0, 2], by_camera[:, 1, 2] = -focal * x / z**2, -focal * y / z**2
        by_turn = (by_camera * np.diag(FLIP)) @ -_cross_matrices(turned)
        columns = [by_turn, by_camera]
        by_head = by_camera @ (FLIP @ state.rotation)
        if with_identity:
            columns.append(by_head @ self.identity_modes)
        if with_expression:
            columns.append(by_head @ self.expression_modes[..., self.active])
        return residual, np.concatenate(columns, 2)

    def _regularised_step(
        self, state: State, hessian: np.ndarray, gradient: np.ndarray, identities: int, with_expression: bool
    ) -> np.ndarray:
        """Solve for the step with the priors added, expression weights at a bound that push outwards held there."""
        hessian[np.diag_indices_from(hessian)] += 1e-4
        start = 6 + identities
        if identities:
            hessian[np.arange(6, start), np.arange(6, start)] += priors.IDENTITY_RIDGE
            gradient[6:start] -= priors.IDENTITY_RIDGE * state.identity
        free = np.ones(len(gradient), bool)
        if with_expression:
            expression, rest = state.expression[self.active], state.rest[self.active]
            hessian[start:, start:] += self.prior
            gradient[start:] -= self.prior @ (expression - rest) + priors.SPARSE
            pull = gradient[start:]
            free[start:] = ~(((expression <= rest) & (pull < 0)) | ((expression >= 1) & (pull > 0)))
        step = np.zeros(len(gradient))
        step[free] = np.linalg.solve(hessian[np.ix_(free, free)], gradient[free])
        return step

    def _result(self, state: State, landmarks: np.ndarray, camera: Camera) -> Fit:
        target = camera.to_crop(landmarks[:468, :2].astype(float))
        residual, _ = self._linearise(state, target, False, False)
        mean_square = (self.weights * (residual**2).sum(-1)).sum() / self.weights.sum()
        fit = Fit(
            rotation=state.rotation,
            translation=state.translation,
            focal_px=camera.focal_px,
            center_px=np.asarray(camera.center_px, float),
            identity=state.identity.astype(np.float32),
            expression=state.expression.astype(np.float32),
            landmarks=landmarks.astype(np.float32),
            gaze_deg=np.zeros(2, np.float32),
            rms_px=float(np.sqrt(mean_square)),
        )
        points = self.points(state.identity, state.expression) + state.offset
        return replace(fit, gaze_deg=gaze_degrees(fit, self.head, points))


def fit_face(landmarks: np.ndarray, head: HeadModel) -> Fit:
    """Lay `head` onto the face at FaceMesh points (478, 3) in pixels of its picture (about .1 s).

    The camera looks at the middle of the face with a focal length of 2.2 crop sides, a crop being 2.3 face boxes.
    """
    return Fitter(head).fit(landmarks)


def _unrest_deg(points: np.ndarray, fit: Fit) -> float:
    """How far a face is from frontal, in degrees, each part of open lips counting as so many of them."""
    return float(np.abs(degrees_from_matrix(fit.rotation)[:2]).max()) + _OPEN_LIPS_DEG * lip_opening(points)


def _modes(head: HeadModel, basis: np.ndarray) -> np.ndarray:
    """Modes (468, 3, K) of the FaceMesh points under a basis (K, V, 3)."""
    return np.moveaxis(head.landmarks478(basis), 0, -1).astype(float)


def _weighted_rows(jacobian: np.ndarray, residual: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Least-squares rows (R, P) and values (R,): every point, then the differences of `priors.GAPS`."""
    upper, lower, gap_weights = (np.array(column) for column in zip(*priors.GAPS, strict=True))
    roots = np.sqrt(weights)[:, None]
    gap_roots = np.sqrt(gap_weights)[:, None]
    rows = np.concatenate([jacobian * roots[..., None], (jacobian[upper] - jacobian[lower]) * gap_roots[..., None]])
    values = np.concatenate([residual * roots, (residual[upper] - residual[lower]) * gap_roots])
    return rows.reshape(-1, jacobian.shape[-1]), values.reshape(-1)


def _cross_matrices(vectors: np.ndarray) -> np.ndarray:
    """Matrices (N, 3, 3) that take the cross product with vectors (N, 3) from the left."""
    x, y, z = vectors.T
    zero = np.zeros_like(x)
    return np.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).reshape(-1, 3, 3)


def _rotation_from_vector(vector: np.ndarray) -> np.ndarray:
    """Rotation matrix (3, 3) about `vector` (3,) by its length in radians (Rodrigues)."""
    angle = float(np.linalg.norm(vector))
    if angle < 1e-12:
        return np.eye(3)
    axis = _cross_matrices(vector[None] / angle)[0]
    return np.eye(3) + np.sin(angle) * axis + (1 - np.cos(angle)) * axis @ axis
