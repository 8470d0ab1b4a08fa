"""Drawing what a rendered person is made of: attributed triangles first, then strands of hair over the shaded picture.

Points are as in `rendering.raster`: x, y in pixels, depth growing away from the camera.
"""

from __future__ import annotations

import numba as nb
import numpy as np

from vultus.rendering.raster import row_span, triangle_rows

ATTRIBUTES = 8
"""Per vertex: three of the surface (u, v, cut; or a colour), the normal in the camera's frame, openness, key light."""


@nb.njit(cache=True, fastmath=True, nogil=True, boundscheck=False)
def draw_attributes(
    points: np.ndarray, triangles: np.ndarray, material: np.ndarray, attributes: np.ndarray, cut: np.ndarray,
    out: np.ndarray, label: np.ndarray, depth: np.ndarray,
) -> None:  # fmt: skip
    """Draw triangles, both sides, nearest wins.

    Args:
        points: (V, 3) float32; triangles: (T, 3) int32; material: (T,) uint8, written to `label`.
        attributes: (V, ATTRIBUTES) float32, interpolated affinely into `out` (H, W, ATTRIBUTES).
        cut: (256,) bool: materials of which only the part with a positive third attribute is there.
        label: (H, W) uint8; depth: (H, W) float32; both in and out.
    """
    height, width = depth.shape
    for t in range(triangles.shape[0]):
        i, j, k = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        top, bottom, left, right, b_0, b_x, b_y, c_0, c_x, c_y = triangle_rows(points, i, j, k, width, height, False)
        if top > bottom:
            continue
        za, zb, zc = points[i, 2], points[j, 2], points[k, 2]
        kind = material[t]
        partial = cut[kind]
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
                if partial and a * attributes[i, 2] + b * attributes[j, 2] + c * attributes[k, 2] <= 0.0:
                    continue
                depth[y, x] = z
                label[y, x] = kind
                for n in range(ATTRIBUTES):
                    out[y, x, n] = a * attributes[i, n] + b * attributes[j, n] + c * attributes[k, n]


@nb.njit(cache=True, fastmath=True, nogil=True, boundscheck=False)
def draw_strands(
    points: np.ndarray, starts: np.ndarray, colours: np.ndarray, width_px: np.ndarray, opacity: np.ndarray,
    bias: np.float32, image: np.ndarray, depth: np.ndarray,
) -> None:  # fmt: skip
    """Draw hair over a shaded picture: soft-edged polylines that hide what lies behind them.

    Args:
        points: (P, 3) float32 pixels and depth; starts: (S + 1,) where each strand's points begin.
        colours: (P, 3) float32 linear light; width_px: (P,) float32; opacity: (S,) 0-1.
        bias: how much nearer than the surface a strand counts, in units of depth.
        image: (H, W, 3) float32; depth: (H, W) float32; both in and out.
    """
    height, width = depth.shape
    for s in range(starts.shape[0] - 1):
        for p in range(starts[s], starts[s + 1] - 1):
            x0, y0, x1, y1 = points[p, 0], points[p, 1], points[p + 1, 0], points[p + 1, 1]
            half = 0.25 * (width_px[p] + width_px[p + 1])
            thin = min(1.0, 2.0 * half)
            half = max(half, 0.5)
            flat = abs(x1 - x0) >= abs(y1 - y0)
            if not flat:
                x0, y0, x1, y1 = y0, x0, y1, x1
            length = x1 - x0
            if abs(length) < 1e-6:
                length = 1e-6
            slope = (y1 - y0) / length
            stretch = np.sqrt(1.0 + slope * slope)
            low, high = (x0, x1) if x0 <= x1 else (x1, x0)
            along_limit, across_limit = (width, height) if flat else (height, width)
            reach = half * stretch
            for u in range(max(0, int(np.floor(low))), min(along_limit - 1, int(np.floor(high))) + 1):
                # How much of this pixel's column the segment covers: consecutive segments share one.
                part = min(high, u + 1.0) - max(low, float(u))
                if part <= 0.0:
                    continue
                t = min(1.0, max(0.0, (u + 0.5 - x0) / length))
                middle = y0 + t * (y1 - y0)
                z = points[p, 2] + t * (points[p + 1, 2] - points[p, 2])
                first, last = int(np.floor(middle - reach)), int(np.floor(middle + reach))
                for v in range(max(0, first), min(across_limit - 1, last) + 1):
                    cover = min(v + 1.0, middle + reach) - max(float(v), middle - reach)
                    alpha = min(1.0, cover) * part * thin * opacity[s]
                    y, x = (v, u) if flat else (u, v)
                    if z - bias > depth[y, x]:
                        continue
                    for c in range(3):
                        value = colours[p, c] + t * (colours[p + 1, c] - colours[p, c])
                        image[y, x, c] += alpha * (value - image[y, x, c])
                    if alpha > 0.5 and z < depth[y, x]:
                        depth[y, x] = z
