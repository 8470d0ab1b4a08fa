"""The parametric head: identity, expression, landmarks, normals and light, over our own asset or a user's BFM-09 file.

Axes are those of `core.pose` (x image right, y up, z out of the face); one unit is about 1 cm.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from vultus.core.bases import ARKIT52
from vultus.core.errors import InputError, MissingPartError

ASSET = Path(__file__).parent.parent / "assets" / "head.npz"
PARTS = ("skin", "gums", "tongue", "upper_teeth", "lower_teeth", "left_eye", "right_eye", "socket")
"""Names of the values of `HeadModel.part`; left and right are the subject's."""
FLIP = np.diag([1.0, -1.0, -1.0])
"""From head axes (y up, z towards the viewer) to camera axes (y down, z away)."""


@dataclass(frozen=True)
class HeadModel:
    """A linear head: mean + identity + expression, with what renderers and fitters need to know of its surface."""

    mean: np.ndarray
    """(V, 3) float32."""
    triangles: np.ndarray
    """(T, 3) int32; corners run anticlockwise seen from outside."""
    identity_basis: np.ndarray
    """(I, V, 3) float32, one standard deviation each."""
    expression_basis: np.ndarray
    """(K, V, 3) float32."""
    expression_names: tuple[str, ...]
    landmark68: np.ndarray
    """(68,) vertex indices of the Multi-PIE points."""
    part: np.ndarray | None = None
    """(V,) uint8 index into `PARTS`; None for a model that is skin only."""
    uv: np.ndarray | None = None
    """(V, 2) texture coordinates 0-1."""
    mirror: np.ndarray | None = None
    """(V,) index of each vertex's mirror image."""
    landmark478_vertices: np.ndarray | None = None
    """(468, 3) corners of the triangles on which FaceMesh's skin points lie."""
    landmark478_weights: np.ndarray | None = None
    """(468, 3) barycentric weights."""
    landmark478_spread: np.ndarray | None = None
    """(468,) how far the estimates of that place lay apart, head units: a measure of a point's reliability."""
    mouth_rim: np.ndarray | None = None
    """(M,) vertices around the mouth opening, where the lips' inner skin meets the mouth socket, in order."""
    left_eye_rim: np.ndarray | None = None
    """(E,) vertices around the subject's left eye opening, in order."""
    right_eye_rim: np.ndarray | None = None
    texture_basis: np.ndarray | None = None
    """(80, V, 3) albedo modes of a BFM file; our own head has none."""
    texture_mean: np.ndarray | None = None
    """(V, 3) mean albedo 0-255 of a BFM file."""

    def vertices(self, identity: np.ndarray | None = None, expression: np.ndarray | None = None) -> np.ndarray:
        """Vertex positions (V, 3) float32 for identity weights (<= I,) and expression weights (K,)."""
        result = self.mean
        if identity is not None:
            result = result + np.tensordot(np.float32(identity), self.identity_basis[: len(identity)], 1)
        if expression is not None:
            result = result + np.tensordot(np.float32(expression), self.expression_basis, 1)
        return result

    def landmarks478(self, vertices: np.ndarray) -> np.ndarray:
        """FaceMesh's 468 skin points (..., 468, 3) on vertices (..., V, 3). The ten iris points are not skin."""
        if self.landmark478_vertices is None or self.landmark478_weights is None:
            raise MissingPartError("this head model has no FaceMesh correspondence", fix="use the embedded head")
        corners = vertices[..., self.landmark478_vertices, :]
        return (corners * self.landmark478_weights[..., None]).sum(-2)

    def landmarks68(self, vertices: np.ndarray) -> np.ndarray:
        """The 68 Multi-PIE points (..., 68, 3) on vertices (..., V, 3)."""
        return vertices[..., self.landmark68, :]

    def vertices_of(self, *parts: str) -> np.ndarray:
        """Indices of the vertices that belong to the named parts."""
        if self.part is None:
            raise MissingPartError("this head model is skin only", fix="use the embedded head")
        return np.nonzero(np.isin(self.part, [PARTS.index(p) for p in parts]))[0]

    def triangles_of(self, *parts: str) -> np.ndarray:
        """Triangles (T', 3) whose corners all belong to the named parts."""
        inside = np.zeros(len(self.mean), bool)
        inside[self.vertices_of(*parts)] = True
        return self.triangles[inside[self.triangles].all(1)]

    def eye_centres(self, vertices: np.ndarray) -> np.ndarray:
        """Centres (2, 3) of the subject's left and right eyeballs in vertices (V, 3)."""
        return np.stack([vertices[self.vertices_of(side)].mean(0) for side in ("left_eye", "right_eye")])


@lru_cache(maxsize=1)
def embedded_head() -> HeadModel:
    """The head that ships with vultus (about 6 k vertices, 60 identity components, ARKit's 52 shapes)."""
    if not ASSET.exists():
        raise MissingPartError("the head model is missing from the installation", ASSET.name, "reinstall vultus")
    data = np.load(ASSET, allow_pickle=False)
    floats = {k: data[k].astype(np.float32) for k in ("mean", "identity_basis", "expression_basis", "uv")}
    index_names = ("landmark68", "mirror", "landmark478_vertices", "mouth_rim", "left_eye_rim", "right_eye_rim")
    indices = {k: data[k].astype(np.int64) for k in index_names}
    return HeadModel(
        **floats,
        **indices,
        triangles=data["triangles"].astype(np.int32),
        part=data["part"],
        expression_names=ARKIT52,
        landmark478_weights=data["landmark478_weights"],
        landmark478_spread=data["landmark478_spread"],
    )


def load_bfm(path: Path) -> HeadModel:
    """A Basel Face Model 2009 file in the layout of D3DFR (`BFM_model_front.mat`): 80 + 64 + 80 components.

    Expects idBase (3V, 80), exBase (3V, 64), texBase (3V, 80), meanshape (1, 3V), meantex (1, 3V), tri (T, 3) and
    keypoints (68,), both index arrays one-based, shape in decimetres. Raises InputError naming what is missing.
    """
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    if not path.is_file():
        raise InputError("no such file", path)
    try:
        data = loadmat(path)
    except (ValueError, NotImplementedError, OSError, MatReadError) as error:
        raise InputError("not a MATLAB 5 file", path, "give D3DFR's BFM_model_front.mat") from error
    needed = ("idBase", "exBase", "texBase", "meanshape", "meantex", "tri", "keypoints")
    missing = [name for name in needed if name not in data]
    if missing:
        raise InputError(f"the arrays {', '.join(missing)} are missing", path, "give D3DFR's BFM_model_front.mat")
    to_units = 10.0  # decimetres to centimetres

    def basis(name: str, scale: float) -> np.ndarray:
        return np.ascontiguousarray(data[name].T.reshape(data[name].shape[1], -1, 3) * scale, np.float32)

    mean = data["meanshape"].reshape(-1, 3).astype(np.float32) * to_units
    expression = basis("exBase", to_units)
    return HeadModel(
        mean=mean - mean.mean(0),
        triangles=np.ascontiguousarray(data["tri"].astype(np.int32) - 1),
        identity_basis=basis("idBase", to_units),
        expression_basis=expression,
        expression_names=tuple(f"bfm{i:02d}" for i in range(len(expression))),
        landmark68=data["keypoints"].reshape(-1).astype(np.int64) - 1,
        texture_basis=basis("texBase", 1.0),
        texture_mean=data["meantex"].reshape(-1, 3).astype(np.float32),
    )


def project(
    points: np.ndarray, rotation: np.ndarray, translation: np.ndarray, focal_px: float, center_px: np.ndarray
) -> np.ndarray:
    """Pixels and depth (..., 3) of head points (..., 3) under the camera of `core.types.Fit`."""
    camera = points @ (FLIP @ rotation).astype(points.dtype).T + translation.astype(points.dtype)
    xy = camera[..., :2] * (focal_px / camera[..., 2:]) + center_px.astype(points.dtype)
    return np.concatenate([xy, camera[..., 2:]], -1)


def spherical_harmonics(normals: np.ndarray) -> np.ndarray:
    """The nine real SH basis values (..., 9) of unit normals (..., 3), bands 0-2 (Ramamoorthi and Hanrahan 2001)."""
    x, y, z = np.moveaxis(normals, -1, 0)
    return np.stack(
        [
            np.full_like(x, 0.282095),
            0.488603 * y, 0.488603 * z, 0.488603 * x,
            1.092548 * x * y, 1.092548 * y * z, 0.315392 * (3 * z * z - 1), 1.092548 * x * z,
            0.546274 * (x * x - y * y),
        ],
        -1,
    )  # fmt: skip


def fit_light(normals: np.ndarray, colours: np.ndarray, ridge: float = 1e-2) -> np.ndarray:
    """SH illumination gamma (9, C) under which white normals (N, 3) best show colours (N, C), by least squares."""
    basis = spherical_harmonics(normals)
    damping = ridge * len(normals) * np.diag([0.0] + [1.0] * 8)
    return np.linalg.solve(basis.T @ basis + damping, basis.T @ colours)


def shade(normals: np.ndarray, gamma: np.ndarray) -> np.ndarray:
    """Irradiance (..., C) on unit normals (..., 3) under SH illumination gamma (9, C)."""
    return spherical_harmonics(normals) @ gamma
