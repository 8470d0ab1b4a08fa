"""A rendered person before a camera: performances in, frames and exact landmarks out."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from vultus.core.bases import ARKIT52, index_of
from vultus.core.types import Performance
from vultus.face.head import FLIP, project
from vultus.rendering.person import film, materials, occlusion
from vultus.rendering.person.accessories import lens_outline
from vultus.rendering.person.appearance import Appearance, Backdrop, Camera, Light, linear
from vultus.rendering.person.backdrops import paint_backdrop
from vultus.rendering.person.body import EYE_SIDES, Body, body_normals, build_body, head_rotation
from vultus.rendering.person.gbuffer import ATTRIBUTES, draw_attributes, draw_strands
from vultus.rendering.person.hair import grow, light_strands
from vultus.rendering.person.lids import lid_edges
from vultus.rendering.person.mouth import mouth_light
from vultus.rendering.person.shading import LOOK_ROWS, shade
from vultus.rendering.person.skin import paint_skin
from vultus.rendering.raster import FAR

SUPERSAMPLE = 2
"""Each pixel is the mean of this many squared."""
CLOTHS = (materials.CLOTH, materials.HEADWEAR)
STRAND_BIAS = 0.1
"""How much nearer than skin, in head units, a strand counts: those that lie on it are seen."""
OPENED = {"jawOpen": 0.25}
SHUT = {"jawOpen": 0.25, "eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0}
"""Two expressions in which light is baked, so that neither lips nor lids keep the dark of where they touched."""


class PersonRenderer:
    """Draws one person. Building takes about a second; after that frames come from `frame`.

    Args:
        person: what the person looks like.
        size: side of the square frames in pixels.
    """

    def __init__(self, person: Appearance, size: int) -> None:
        rng = np.random.default_rng([person.seed, 0x9E0])
        self.person, self.size = person, size
        self.side = size * SUPERSAMPLE
        self.body = build_body(person)
        self.chart = paint_skin(person, rng)
        self.groom = grow(person, self.body, rng)
        self.backdrop = paint_backdrop(person.backdrop, self.side, rng)
        self.grain = rng.standard_normal((256, 256)).astype(np.float32)
        self._cut = materials.cut_materials()
        self._set_up_camera()
        self.visibility, self.openness = self._baked()

    def take(self, light: Light, camera: Camera, backdrop: Backdrop) -> None:
        """From now on show the person, dressed and combed alike, in another light, camera and place (20 ms)."""
        self.person = replace(self.person, light=light, camera=camera, backdrop=backdrop)
        self.backdrop = paint_backdrop(backdrop, self.side, np.random.default_rng([self.person.seed, 0xBAC]))
        self._set_up_camera()

    def reshape(self, identity: np.ndarray) -> None:
        """From now on draw a face of another build in the same skin and hair (60 ms).

        The baked light stays that of the first build; clothes, which have other vertices, are lit evenly.
        """
        self.person = replace(self.person, identity=identity)
        self.body = build_body(self.person)
        head, count = self.body.head_count, len(self.body.surface)
        self.visibility, self.openness = (
            np.concatenate([baked[:head], np.repeat(baked[head:].mean(0, keepdims=True), count - head, 0)])
            for baked in (self.visibility, self.openness)
        )

    def _set_up_camera(self) -> None:
        camera = self.person.camera
        self.film = film.Film(camera, np.random.default_rng([self.person.seed, 0xF11]))
        self._look = self._light_and_colours()
        self.focal_px = camera.focal * self.side
        # The head's origin stands so far away that view_height units there fill the frame.
        distance = camera.view_height * camera.focal
        self.base = np.array([-camera.middle[0], camera.middle[1], distance], np.float32)

    def absolute(self, performance: Performance) -> Performance:
        """The performance as this person shows it: as it is, for a rendered person rests at zero."""
        return performance

    def frame(
        self, expression: np.ndarray, rotation_deg: np.ndarray, shift: np.ndarray, gaze_deg: np.ndarray
    ) -> np.ndarray:
        """One picture (size, size, 3) uint8 RGB.

        Args:
            expression: (52,) ARKit weights; rotation_deg: (3,) yaw, pitch, roll; signs: `core.pose`.
            shift: (3,) head units, head axes; gaze_deg: (2,) relative to the head, x towards image right, y up.
        """
        body, rotation = self.body, head_rotation(rotation_deg)
        unposed = body.moved(expression)
        vertices = body.turned(unposed, body.follow, rotation, shift)
        normals = body_normals(body, vertices)
        points = self._screen(vertices)
        attributes = self._attributes(unposed, normals, rotation)
        side = self.side
        surface = np.empty((side, side, ATTRIBUTES), np.float32)
        label, depth = np.zeros((side, side), np.uint8), np.full((side, side), FAR, np.float32)
        draw_attributes(points, body.triangles, body.material, attributes, self._cut, surface, label, depth)
        image = self.backdrop.copy()
        shade(
            label, surface, self.chart, self.grain, self._look, _gaze_rotations(gaze_deg), rotation,
            np.float32(self.person.wear.stripes), image,
        )  # fmt: skip
        self._draw_hair(unposed, rotation, shift, image, depth)
        self._draw_lenses(unposed, rotation, shift, image)
        return self.film.develop(image, SUPERSAMPLE)

    def landmarks68(self, expression: np.ndarray, rotation_deg: np.ndarray, shift: np.ndarray) -> np.ndarray:
        """The 68 points (68, 3) of a frame in its pixels; z in pixels too, smaller is nearer."""
        body = self.body
        vertices = body.turned(body.moved(expression), body.follow, head_rotation(rotation_deg), shift)
        chosen = vertices[body.head.landmark68]
        seen = self._screen(chosen) / SUPERSAMPLE
        seen[:, 2] = (
            -(chosen[:, 2] - vertices[: body.head_count, 2].mean()) * self.focal_px / SUPERSAMPLE / self.base[2]
        )
        return seen

    def landmarks478(self, expression: np.ndarray, rotation_deg: np.ndarray, shift: np.ndarray) -> np.ndarray:
        """Where FaceMesh's 468 skin points (468, 2) truly lie in a frame, in its pixels."""
        body = self.body
        vertices = body.turned(body.moved(expression), body.follow, head_rotation(rotation_deg), shift)
        points = body.head.landmarks478(vertices[: body.head_count])
        return self._screen(points.astype(np.float32))[:, :2] / SUPERSAMPLE

    def translation(self, rotation_deg: np.ndarray, shift: np.ndarray) -> np.ndarray:
        """(3,) the head's origin under a pose, camera at zero: x right, y up, z towards the camera."""
        origin = self.body.turned(np.zeros((1, 3), np.float32), np.ones((1, 1)), head_rotation(rotation_deg), shift)[0]
        return origin + FLIP.astype(np.float32) @ self.base

    def _draw_hair(
        self, unposed: np.ndarray, rotation: np.ndarray, shift: np.ndarray, image: np.ndarray, depth: np.ndarray
    ) -> None:
        turned = self.body.turned
        centre = turned(self.groom.centre[None], np.ones((1, 1), np.float32), rotation, shift)[0].astype(np.float32)
        scale = self.focal_px / float(self.base[2])
        for locks in self.groom.posed(unposed):
            strands, count = locks.points.shape[:2]
            points = turned(locks.points.reshape(-1, 3), locks.follow, rotation, shift).astype(np.float32)
            light = light_strands(points.reshape(strands, count, 3), locks.colours, locks.openness, centre, self._look)
            draw_strands(
                self._screen(points), np.arange(strands + 1) * count, light.reshape(-1, 3),
                np.tile(locks.width * np.float32(scale), strands), np.full(strands, locks.opacity, np.float32),
                np.float32(STRAND_BIAS), image, depth,
            )  # fmt: skip

    def _draw_lenses(self, unposed: np.ndarray, rotation: np.ndarray, shift: np.ndarray, image: np.ndarray) -> None:
        """A faint reflection of the sky, stronger above, in the lenses of glasses."""
        wear = self.person.wear
        if wear.glasses is None:
            return
        for side in (1, -1):
            outline = lens_outline(wear, self.body.head, unposed, side).astype(np.float32)
            seen = self._screen(self.body.turned(outline, np.ones((len(outline), 1), np.float32), rotation, shift))
            (x0, y0), (x1, y1) = np.maximum(seen[:, :2].min(0).astype(int), 0), seen[:, :2].max(0).astype(int) + 1
            part = image[y0:y1, x0:x1]
            if part.size == 0:
                continue
            mask = np.zeros(part.shape[:2], np.float32)
            cv2.fillPoly(mask, [np.round((seen[:, :2] - [x0, y0]) * 8).astype(np.int32)], 1.0, cv2.LINE_AA, 3)
            falling = np.linspace(0.06, 0.005, len(part), dtype=np.float32)[:, None]
            part += (mask * falling)[..., None] * self._look[2]

    def _screen(self, points: np.ndarray) -> np.ndarray:
        """Pixels of the supersampled picture, and depth, of body points (N, 3)."""
        return project(points, np.eye(3), self.base, self.focal_px, np.full(2, self.side / 2)).astype(np.float32)

    def _light_and_colours(self) -> np.ndarray:
        light, wear = self.person.light, self.person.wear
        across, up = np.radians(light.key_deg)
        look = np.zeros((LOOK_ROWS, 3), np.float32)
        look[0] = np.sin(across) * np.cos(up), np.sin(up), np.cos(across) * np.cos(up)
        look[1], look[2], look[3] = light.key, light.sky, light.ground
        colours = (self.person.eyes.iris, wear.colour, wear.second, wear.headwear_colour)
        look[4:8] = [linear(colour) for colour in colours]
        return look

    def _baked(self) -> tuple[np.ndarray, np.ndarray]:
        """Visibility and openness of every vertex, the better of lips and lids open or shut."""
        hair = self.groom.occluders()
        baked = []
        for shapes in (OPENED, SHUT):
            weights = np.zeros(len(ARKIT52), np.float32)
            for name, value in shapes.items():
                weights[index_of(name)] = value
            vertices = self.body.moved(weights)
            normals = body_normals(self.body, vertices)
            solid = self.body.triangles[~np.isin(self.body.material, CLOTHS)]
            cloth = self.body.triangles[np.isin(self.body.material, CLOTHS)]
            cloth = cloth[(self.body.surface[cloth, 2] > 0).all(1)]
            baked.append(occlusion.bake(vertices, np.concatenate([solid, cloth]), vertices, normals, hair))
        better = baked[1][1] > baked[0][1]
        visibility = np.where(better[:, None], baked[1][0], baked[0][0])
        return visibility, np.where(better, baked[1][1], baked[0][1])

    def _attributes(self, unposed: np.ndarray, normals: np.ndarray, rotation: np.ndarray) -> np.ndarray:
        body = self.body
        attributes = np.empty((len(unposed), ATTRIBUTES), np.float32)
        attributes[:, :3] = body.surface
        attributes[:, 3:6] = normals
        attributes[:, 6] = self.openness
        # Visibility was baked at rest: what turns with the head is asked for the light as the head sees it.
        key = self._look[0]
        turning = body.follow[:, 0]
        still = occlusion.lit(self.visibility, normals, key)
        seen_by_head = occlusion.lit(self.visibility, normals @ rotation, rotation.T @ key)
        attributes[:, 7] = still + turning * (seen_by_head - still)
        mouth_light(body, unposed, attributes)
        _lid_shadows(body, unposed, attributes)
        return attributes


def _gaze_rotations(gaze_deg: np.ndarray) -> np.ndarray:
    """(2, 3, 3) float32: how the left and right eyeballs are turned in the head."""
    one = head_rotation(np.array([gaze_deg[0], gaze_deg[1], 0.0]))
    return np.stack([one, one])


def _lid_shadows(body: Body, unposed: np.ndarray, attributes: np.ndarray) -> None:
    """Eyeballs are darker under the upper lid, whatever the lid does; attributes are changed in place."""
    for eye, side in enumerate(EYE_SIDES):
        ball = body.head.vertices_of(side)
        upper, _ = lid_edges(body, unposed, eye)
        order = np.argsort(upper[:, 0])
        lid = np.interp(unposed[ball, 0], upper[order, 0], upper[order, 1])
        light = 0.22 + 0.78 * np.clip((lid - unposed[ball, 1]) / 0.5, 0, 1)
        attributes[ball, 6] = light
        attributes[ball, 7] = light
