"""Light inside a mouth: what the lips let in, less the farther back."""

from __future__ import annotations

import numpy as np

from vultus.rendering.person.body import Body

FULLY_LIT = 1.1
"""Gap between the lips in head units that lets all light in."""


def mouth_light(body: Body, unposed: np.ndarray, attributes: np.ndarray) -> None:
    """Set openness and key light of teeth, tongue, gums and socket, in place: attributes (V, ATTRIBUTES)."""
    head = body.head
    upper, lower = unposed[head.landmark68[62]], unposed[head.landmark68[66]]
    gap = max(0.0, float(upper[1] - lower[1]))
    entering = 0.30 + 0.70 * min(1.0, gap / FULLY_LIT)
    inner = head.vertices_of("gums", "tongue", "upper_teeth", "lower_teeth", "socket")
    front = (upper[2] + lower[2]) / 2
    behind = np.clip((front - 0.4 - unposed[inner, 2]) / 5.0, 0, 1)
    below_lip = np.clip((upper[1] - unposed[inner, 1]) / 0.5, 0.25, 1)
    light = entering * (0.07 + 0.93 * (1 - behind) ** 2.0) * below_lip
    attributes[inner, 6] = light
    attributes[inner, 7] = 0.8 * light
