"""A small scan-line rasteriser: triangles in pixel coordinates to texture flow, colours and labels.

Points are (V, 3) float32: x, y in pixels (pixel (0, 0) is centred on (0.5, 0.5)) and depth, larger is farther.
A triangle whose corners run anticlockwise on screen (y up) faces the viewer. Spans of each row are found by solving
the three edge inequalities, so the inner loop only steps and tests depth. Attributes are interpolated affinely: the
triangles of a head are too small for perspective to show.
"""

from __future__ import annotations

import numba as nb
import numpy as np

FAR = np.float32(1e30)

_jit = nb.njit(cache=True, fastmath=True, nogil=True, boundscheck=False)


@nb.njit(cache=True, fastmath=True, nogil=True, inline="always")
def _narrow(value: float, slope: float, low: float, high: float) -> tuple[float, float]:
    """Shrink [low, high] to where value + slope * x >= 0."""
    if slope > 1e-12:
        low = max(low, -value / slope)
    elif slope < -1e-12:
        high = min(high, -value / slope)
    elif value < 0.0:
        high = low - 1.0
    return low, high


@nb.njit(cache=True, fastmath=True, nogil=True, inline="always")
def triangle_rows(
    points: np.ndarray, i: int, j: int, k: int, width: int, height: int, cull: bool
) -> tuple[int, int, float, float, float, float, float, float, float, float]:
    """Where a triangle lies: first and last row, first and last column, and its barycentric weights.

    The weights of corners j and k are affine in the pixel: (at pixel (0, 0), per column, per row). A triangle that is
    empty, outside, or culled has its last row before its first.
    """
    ax, ay, bx, by, cx, cy = points[i, 0], points[i, 1], points[j, 0], points[j, 1], points[k, 0], points[k, 1]
    area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay)
    top, bottom, left, right = 0, -1, 0.0, 0.0
    b_0, b_x, b_y, c_0, c_x, c_y = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    if abs(area) >= 1e-8 and not (cull and area > 0.0):
        left = max(0.0, np.ceil(min(ax, bx, cx) - 0.5))
        right = min(width - 1.0, np.floor(max(ax, bx, cx) - 0.5))
        if left <= right:
            top = max(0, int(np.ceil(min(ay, by, cy) - 0.5)))
            bottom = min(height - 1, int(np.floor(max(ay, by, cy) - 0.5)))
        inverse = 1.0 / area
        b_x, b_y = (cy - ay) * inverse, -(cx - ax) * inverse
        c_x, c_y = -(by - ay) * inverse, (bx - ax) * inverse
        b_0 = (0.5 - ax) * b_x + (0.5 - ay) * b_y + 1e-5
        c_0 = (0.5 - ax) * c_x + (0.5 - ay) * c_y + 1e-5
    return top, bottom, left, right, b_0, b_x, b_y, c_0, c_x, c_y


@nb.njit(cache=True, fastmath=True, nogil=True, inline="always")
def row_span(b_row: float, b_x: float, c_row: float, c_x: float, left: float, right: float) -> tuple[int, int]:
    """First and last column of a row that lie inside the triangle, given both weights at the row's first pixel."""
    low, high = _narrow(b_row, b_x, left, right)
    low, high = _narrow(c_row, c_x, low, high)
    low, high = _narrow(1.00003 - b_row - c_row, -b_x - c_x, low, high)
    return int(np.ceil(low)), int(np.floor(high))


@_jit
def draw_surface(
    points: np.ndarray, triangles: np.ndarray, attributes: np.ndarray, flow: np.ndarray, shade: np.ndarray,
    label: np.ndarray, depth: np.ndarray, cull: bool, value: int,
) -> None:  # fmt: skip
    """Draw a textured skin over a flow that is already there.

    Args:
        points: (V, 3) float32.
        triangles: (T, 3) int32.
        attributes: (V, 4) float32: texture x, y, shade, and how much the surface replaces what lies under it (0-1).
        flow: (H, W, 2) float32 in and out: texture x, y. Where the last attribute is below 1 the surface's texture
            position is blended with the one found here: blending positions, not colours, hides the seam.
        shade: (H, W) float32 in and out, likewise.
        label: (H, W) uint8, set to `value` where the surface is drawn.
        depth: (H, W) float32, nearest depth so far.
        cull: whether triangles that face away are left out.
    """
    height, width = depth.shape
    for t in range(triangles.shape[0]):
        i, j, k = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        top, bottom, left, right, b_0, b_x, b_y, c_0, c_x, c_y = triangle_rows(points, i, j, k, width, height, cull)
        if top > bottom:
            continue
        za, zb, zc = points[i, 2], points[j, 2], points[k, 2]
        ua, ub, uc = attributes[i, 0], attributes[j, 0], attributes[k, 0]
        va, vb, vc = attributes[i, 1], attributes[j, 1], attributes[k, 1]
        sa, sb, sc = attributes[i, 2], attributes[j, 2], attributes[k, 2]
        ma, mb, mc = attributes[i, 3], attributes[j, 3], attributes[k, 3]
        opaque = ma >= 1.0 and mb >= 1.0 and mc >= 1.0
        for y in range(top, bottom + 1):
            b_row, c_row = b_0 + b_y * y, c_0 + c_y * y
            first, last = row_span(b_row, b_x, c_row, c_x, left, right)
            for x in range(first, last + 1):
                b = b_row + b_x * x
                c = c_row + c_x * x
                a = 1.0 - b - c
                z = a * za + b * zb + c * zc
                if z >= depth[y, x]:
                    continue
                depth[y, x] = z
                label[y, x] = value
                u = a * ua + b * ub + c * uc
                v = a * va + b * vb + c * vc
                s = a * sa + b * sb + c * sc
                if opaque:
                    flow[y, x, 0], flow[y, x, 1], shade[y, x] = u, v, s
                else:
                    m = min(1.0, max(0.0, a * ma + b * mb + c * mc))
                    flow[y, x, 0] += (u - flow[y, x, 0]) * m
                    flow[y, x, 1] += (v - flow[y, x, 1]) * m
                    shade[y, x] += (s - shade[y, x]) * m


@_jit
def draw_colours(
    points: np.ndarray, triangles: np.ndarray, colours: np.ndarray, image: np.ndarray, label: np.ndarray,
    depth: np.ndarray, wanted: int,
) -> None:  # fmt: skip
    """Draw Gouraud-shaded triangles, both sides, where `label` equals `wanted`.

    Args:
        points: (V, 3) float32; triangles: (T, 3) int32; colours: (V, 3) float32, any range.
        image: (H, W, 3) float32 in and out; label: (H, W) uint8; depth: (H, W) float32 in and out.
    """
    height, width = depth.shape
    for t in range(triangles.shape[0]):
        i, j, k = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        top, bottom, left, right, b_0, b_x, b_y, c_0, c_x, c_y = triangle_rows(points, i, j, k, width, height, False)
        if top > bottom:
            continue
        za, zb, zc = points[i, 2], points[j, 2], points[k, 2]
        for y in range(top, bottom + 1):
            b_row, c_row = b_0 + b_y * y, c_0 + c_y * y
            first, last = row_span(b_row, b_x, c_row, c_x, left, right)
            for x in range(first, last + 1):
                if label[y, x] != wanted:
                    continue
                b = b_row + b_x * x
                c = c_row + c_x * x
                a = 1.0 - b - c
                z = a * za + b * zb + c * zc
                if z < depth[y, x]:
                    depth[y, x] = z
                    for channel in range(3):
                        image[y, x, channel] = (
                            a * colours[i, channel] + b * colours[j, channel] + c * colours[k, channel]
                        )


@nb.njit(cache=True, fastmath=True, nogil=True, inline="always")
def _texel(texture: np.ndarray, x: float, y: float, channel: int) -> float:
    """Texture at a position in pixels (whole numbers are centres), bilinear, clamped to its border."""
    height, width = texture.shape[0], texture.shape[1]
    x, y = min(max(x, 0.0), width - 1.001), min(max(y, 0.0), height - 1.001)
    i, j = int(y), int(x)
    v, u = y - i, x - j
    above = texture[i, j, channel] * (1 - u) + texture[i, j + 1, channel] * u
    below = texture[i + 1, j, channel] * (1 - u) + texture[i + 1, j + 1, channel] * u
    return above * (1 - v) + below * v


@_jit
def resolve_texture(
    texture: np.ndarray, flow: np.ndarray, shade: np.ndarray, label: np.ndarray, background: np.ndarray,
    image: np.ndarray,
) -> None:  # fmt: skip
    """Look up a drawn surface in its texture and shrink it by two, in one pass.

    Four pixels that lie close together in the texture are looked up once, at their middle.

    Args:
        texture: (h, w, 3) uint8; flow: (2H, 2W, 2) float32 texture x, y; shade: (2H, 2W) float32 factor.
        label: (2H, 2W) uint8, 0 where nothing is drawn; background: (3,) float32; image: (H, W, 3) uint8 out.
    """
    height, width = image.shape[0], image.shape[1]
    reach = 3.0
    for y in range(height):
        for x in range(width):
            drawn, u, v, s = 0, 0.0, 0.0, 0.0
            low_u, high_u, low_v, high_v = 1e9, -1e9, 1e9, -1e9
            for k in range(4):
                i, j = 2 * y + k // 2, 2 * x + k % 2
                if label[i, j] != 0:
                    drawn += 1
                    a, b = flow[i, j, 0], flow[i, j, 1]
                    u, v, s = u + a, v + b, s + shade[i, j]
                    low_u, high_u = min(low_u, a), max(high_u, a)
                    low_v, high_v = min(low_v, b), max(high_v, b)
            near = drawn > 0 and high_u - low_u < reach and high_v - low_v < reach
            for c in range(3):
                total = (4 - drawn) * background[c]
                if near:
                    total += s * _texel(texture, u / drawn, v / drawn, c)
                elif drawn > 0:
                    for k in range(4):
                        i, j = 2 * y + k // 2, 2 * x + k % 2
                        if label[i, j] != 0:
                            total += shade[i, j] * _texel(texture, flow[i, j, 0], flow[i, j, 1], c)
                image[y, x, c] = np.uint8(min(max(0.25 * total + 0.5, 0.0), 255.0))


@nb.njit(cache=True, nogil=True)
def vertex_normals(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Area-weighted unit normals (V, 3) float32 of a mesh; zero where a vertex has no triangle."""
    normals = np.zeros_like(vertices)
    for t in range(triangles.shape[0]):
        i, j, k = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        px, py, pz = (
            vertices[j, 0] - vertices[i, 0],
            vertices[j, 1] - vertices[i, 1],
            vertices[j, 2] - vertices[i, 2],
        )
        qx, qy, qz = (
            vertices[k, 0] - vertices[i, 0],
            vertices[k, 1] - vertices[i, 1],
            vertices[k, 2] - vertices[i, 2],
        )
        nx, ny, nz = py * qz - pz * qy, pz * qx - px * qz, px * qy - py * qx
        for corner in (i, j, k):
            normals[corner, 0] += nx
            normals[corner, 1] += ny
            normals[corner, 2] += nz
    for v in range(vertices.shape[0]):
        length = np.sqrt(normals[v, 0] ** 2 + normals[v, 1] ** 2 + normals[v, 2] ** 2)
        if length > 0:
            normals[v] /= length
    return normals
