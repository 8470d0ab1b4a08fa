"""The stuff people are made of: numbers that the rasteriser writes and the shader understands."""

from __future__ import annotations

import numpy as np

from vultus.rendering.person.appearance import Appearance, linear

NOTHING, SKIN, CLOTH, HEADWEAR, MATTE, GLOSSY, LEFT_EYE, RIGHT_EYE = range(8)
"""Skin and cloths are painted on the chart; matte and glossy things have a colour a vertex."""
OF_PART = {
    "skin": SKIN, "gums": GLOSSY, "tongue": GLOSSY, "upper_teeth": GLOSSY, "lower_teeth": GLOSSY, "socket": MATTE,
    "left_eye": LEFT_EYE, "right_eye": RIGHT_EYE,
}  # fmt: skip
INNER_RIM = np.array([0.46, 0.20, 0.17], np.float32)
"""Linear colour of a lid's wet edge."""


def cut_materials() -> np.ndarray:
    """(256,) bool: materials that end where their third attribute falls to zero."""
    cut = np.zeros(256, np.bool_)
    cut[[CLOTH, HEADWEAR]] = True
    return cut


def mouth_colours(person: Appearance) -> dict[str, np.ndarray]:
    """Linear colours (3,) of what shows between the lips."""
    dark = 1 - 0.35 * person.skin.melanin
    age = person.skin.age
    tooth = linear((240 - 8 * age, 227 - 14 * age, 208 - 28 * age))
    return {
        "socket": linear((120, 48, 44)),
        "gums": linear((196, 108, 104)) * dark,
        "tongue": linear((196, 100, 98)) * dark,
        "upper_teeth": tooth,
        "lower_teeth": 0.9 * tooth,
    }
