"""The head itself playing a performance, in studio light: to look at curves without anybody's photo, in real time.

The neutral rendered person (`rendering.person`), drawn simply: one texture holds the painted skin, an iris and a cell
of colour for each other part; light is worked out a vertex and drawn with the texture in one pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from vultus.core.bases import ARKIT52
from vultus.core.errors import InputError
from vultus.core.types import Frames, Performance
from vultus.face.head import project
from vultus.face.rig_map import with_expression
from vultus.rendering.head_atlas import build_atlas
from vultus.rendering.person import occlusion
from vultus.rendering.person.appearance import Appearance, Hair, Skin
from vultus.rendering.person.body import EYE_SIDES, body_normals, build_body, head_rotation
from vultus.rendering.person.gbuffer import ATTRIBUTES
from vultus.rendering.person.lids import lid_edges
from vultus.rendering.person.mouth import mouth_light
from vultus.rendering.raster import FAR, draw_surface, resolve_texture

DEFAULT_SIZE = 512
SUPERSAMPLE = 2
"""What `resolve_texture` takes for one pixel, each way."""
MODEL = Appearance(skin=Skin(melanin=0.22, age=0.1, moles=0, gloss=0.3), hair=Hair(style="bald", brow_thickness=0.8))
"""Whose head it is: nobody's, the mean of the head model."""
BROW_GAIN = 2.5
"""The head model draws brows down by 4 mm only, and anger looks like worry: they are shown so much farther (by eye)."""
_BACKDROP = np.array([58, 62, 70], np.float32)
VIEW_HEIGHT, MIDDLE_Y, FOCAL = 32.0, -0.7, 2.4
"""Head units that the frame shows, the height in its middle, and the focal length in frame heights."""
KEY = np.array([-0.35, 0.44, 0.83], np.float32)
"""Direction of the main light."""
KEY_LIGHT, SKY_LIGHT, GROUND_LIGHT = 0.78, 0.40, 0.16


class HeadPreview:
    """A renderer (`core.method.Renderer`) of performances on the bare head, square frames of `size` pixels."""

    needs = ("expression",)

    def __init__(self, fps: float, size: int = DEFAULT_SIZE) -> None:
        self.fps, self.size = fps, size
        self.side = size * SUPERSAMPLE
        self._body = build_body(MODEL)
        count = self._body.rim_copies[1].stop  # the head and the rims of its lids: no clothes
        self._triangles = self._body.triangles[(self._body.triangles < count).all(1)]
        self._count = count
        self._texture, self._places = build_atlas(MODEL, self._body, count)
        self._openness = self._bake()
        side = self.side
        self._flow, self._shade = np.empty((side, side, 2), np.float32), np.empty((side, side), np.float32)
        self._label, self._depth = np.empty((side, side), np.uint8), np.empty((side, side), np.float32)
        self._gain = np.where([name.startswith("browDown") for name in ARKIT52], np.float32(BROW_GAIN), 1)
        self._base = np.array([0, MIDDLE_Y, VIEW_HEIGHT * FOCAL], np.float32)

    def play(self, performances: Iterable[Performance], count: int | None = None) -> Frames:
        """Frames of consecutive pieces; MetaHuman controls are shown as the ARKit weights they resemble."""

        def images() -> Iterator[np.ndarray]:
            for piece in performances:
                acted = with_expression(piece)
                if acted.expression is None or acted.basis != "arkit52":
                    raise InputError("the performance has neither ARKit weights nor controls to show")
                still = np.zeros((len(acted), 3), np.float32)
                rotation = still if acted.rotation is None else acted.rotation
                shift = still if acted.translation is None or acted.reference == "camera" else acted.translation
                gaze = still[:, :2] if acted.gaze is None else acted.gaze
                for pose in zip(acted.expression, rotation, shift, gaze, strict=True):
                    yield self.frame(*pose)

        return Frames(images(), self.fps, self.size, self.size, count)

    def frame(
        self, expression: np.ndarray, rotation_deg: np.ndarray, shift: np.ndarray, gaze_deg: np.ndarray
    ) -> np.ndarray:
        """One picture (size, size, 3) uint8 RGB of weights (52,), a pose (3,), (3,) and a gaze (2,)."""
        body, rotation = self._body, head_rotation(rotation_deg)
        unposed = body.moved(np.clip(expression, 0, 1) * self._gain)
        self._turn_eyes(unposed, gaze_deg)
        vertices = body.turned(unposed, body.follow, rotation, shift)
        light = self._light(unposed, body_normals(body, vertices))
        seen = project(vertices[: self._count], np.eye(3), self._base, FOCAL * self.side, np.full(2, self.side / 2))
        surface = np.concatenate([self._places, light[:, None], np.ones((self._count, 1), np.float32)], 1)
        self._label.fill(0)
        self._depth.fill(FAR)
        draw_surface(
            seen.astype(np.float32),
            self._triangles,
            surface,
            self._flow,
            self._shade,
            self._label,
            self._depth,
            False,
            1,
        )
        picture = np.empty((self.size, self.size, 3), np.uint8)
        resolve_texture(self._texture, self._flow, self._shade, self._label, _BACKDROP, picture)
        return picture

    def _turn_eyes(self, vertices: np.ndarray, gaze_deg: np.ndarray) -> None:
        turn = head_rotation(np.array([gaze_deg[0], gaze_deg[1], 0.0])).T
        for side in EYE_SIDES:
            ball = self._body.head.vertices_of(side)
            points = vertices[ball]
            centre = (points.min(0) + points.max(0)) / 2
            vertices[ball] = (points - centre) @ turn + centre

    def _light(self, unposed: np.ndarray, normals: np.ndarray) -> np.ndarray:
        """Brightness (V,) float32, a factor on sRGB colour, of the vertices that are drawn."""
        attributes = np.ones((len(unposed), ATTRIBUTES), np.float32)
        attributes[: self._count, 6] = self._openness
        mouth_light(self._body, unposed, attributes)
        self._shade_eyes(unposed, attributes)
        normals = normals[: self._count]
        openness, reached = attributes[: self._count, 6], attributes[: self._count, 7]
        above = 0.5 + 0.5 * normals[:, 1]
        linear = openness * (GROUND_LIGHT + (SKY_LIGHT - GROUND_LIGHT) * above)
        linear += KEY_LIGHT * reached * np.clip(normals @ KEY, 0, None) * np.clip(openness * 1.4, 0, 1)
        return np.power(np.clip(linear, 0, 1.15), np.float32(1 / 2.2)).astype(np.float32)

    def _shade_eyes(self, unposed: np.ndarray, attributes: np.ndarray) -> None:
        """Eyeballs are darker under the upper lid."""
        for eye, side in enumerate(EYE_SIDES):
            ball = self._body.head.vertices_of(side)
            upper, _ = lid_edges(self._body, unposed, eye)
            order = np.argsort(upper[:, 0])
            lid = np.interp(unposed[ball, 0], upper[order, 0], upper[order, 1])
            attributes[ball, 6:8] = (0.35 + 0.65 * np.clip((lid - unposed[ball, 1]) / 0.5, 0, 1))[:, None]

    def _bake(self) -> np.ndarray:
        """How open (count,) 0-1 each vertex lies: in the hollows of ears and nostrils it is darker."""
        vertices = self._body.moved(np.zeros(52, np.float32))[: self._count]
        normals = body_normals(self._body, self._body.moved(np.zeros(52, np.float32)))[: self._count]
        none = np.zeros((0, 3), np.float32)
        openness = occlusion.bake(vertices, self._triangles, vertices, normals, none)[1]
        return np.clip(0.25 + 0.75 * openness, 0, 1)
