"""Named expression bases: which coefficient of `Performance.expression` means what."""

from __future__ import annotations

ARKIT52: tuple[str, ...] = (
    "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight",
    "cheekPuff", "cheekSquintLeft", "cheekSquintRight",
    "eyeBlinkLeft", "eyeBlinkRight", "eyeLookDownLeft", "eyeLookDownRight",
    "eyeLookInLeft", "eyeLookInRight", "eyeLookOutLeft", "eyeLookOutRight",
    "eyeLookUpLeft", "eyeLookUpRight", "eyeSquintLeft", "eyeSquintRight",
    "eyeWideLeft", "eyeWideRight",
    "jawForward", "jawLeft", "jawOpen", "jawRight",
    "mouthClose", "mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft", "mouthFrownRight",
    "mouthFunnel", "mouthLeft", "mouthLowerDownLeft", "mouthLowerDownRight",
    "mouthPressLeft", "mouthPressRight", "mouthPucker", "mouthRight",
    "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper",
    "mouthSmileLeft", "mouthSmileRight", "mouthStretchLeft", "mouthStretchRight",
    "mouthUpperUpLeft", "mouthUpperUpRight",
    "noseSneerLeft", "noseSneerRight", "tongueOut",
)  # fmt: skip
"""ARKit's 52 blend shapes in the order in which ARKit lists them; Left and Right are the subject's. Weights 0-1."""

BASES: dict[str, tuple[str, ...]] = {
    "arkit52": ARKIT52,
    "bfm64": tuple(f"bfm{i:02d}" for i in range(64)),
}

_INDEX = {basis: {name: i for i, name in enumerate(names)} for basis, names in BASES.items()}


def index_of(name: str, basis: str = "arkit52") -> int:
    """Column of coefficient `name` in `basis`. Raises KeyError for an unknown name."""
    return _INDEX[basis][name]
