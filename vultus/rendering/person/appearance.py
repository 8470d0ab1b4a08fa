"""What a rendered person looks like, as plain numbers: everything that `rendering.person` draws is said here.

Colours are sRGB 0-255 as one names them; lengths are head units (about cm).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

Colour = tuple[float, float, float]

HairStyle = Literal[
    "bald", "shaved", "crew", "short", "side_part", "swept_back", "bob", "long", "wavy", "curly", "afro", "bun",
    "balding",
]  # fmt: skip
HAIR_STYLES: tuple[HairStyle, ...] = (
    "bald", "shaved", "crew", "short", "side_part", "swept_back", "bob", "long", "wavy", "curly", "afro", "bun",
    "balding",
)  # fmt: skip
BeardStyle = Literal["none", "stubble", "moustache", "goatee", "short", "full"]
BEARD_STYLES: tuple[BeardStyle, ...] = ("none", "stubble", "moustache", "goatee", "short", "full")
Headwear = Literal["none", "headscarf", "beanie"]
Garment = Literal["crew", "v_neck", "shirt", "polo_neck", "hoodie"]
GARMENTS: tuple[Garment, ...] = ("crew", "v_neck", "shirt", "polo_neck", "hoodie")
Scene = Literal["plain", "gradient", "wall", "room", "bokeh", "green"]
SCENES: tuple[Scene, ...] = ("plain", "gradient", "wall", "room", "bokeh", "green")


@dataclass(frozen=True)
class Skin:
    """Skin: `melanin` 0 (pale) to 1 (very dark), `blood` -1 to 1, and what time and sun have left on it, 0-1 each."""

    melanin: float = 0.3
    blood: float = 0.0
    warmth: float = 0.0
    """-1 rosy to 1 olive."""
    freckles: float = 0.0
    moles: int = 2
    age: float = 0.3
    gloss: float = 0.5
    lip_colour: Colour | None = None
    """Lipstick."""
    lip_redness: float = 0.5
    eye_shadow: float = 0.0


@dataclass(frozen=True)
class Eyes:
    """Irises and lids' hair."""

    iris: Colour = (96, 66, 44)
    lash_length: float = 0.55
    lash_darkness: float = 0.8


@dataclass(frozen=True)
class Hair:
    """Hair of the head, the brows and the face."""

    style: HairStyle = "short"
    colour: Colour = (60, 42, 30)
    grey: float = 0.0
    length: float = 1.0
    """Factor on the style's own length."""
    parting: float = 0.3
    """-1 subject's right to 1 left."""
    brow_thickness: float = 0.5
    beard: BeardStyle = "none"
    recession: float = 0.0


@dataclass(frozen=True)
class Wear:
    """Clothes, glasses and what covers the hair."""

    garment: Garment = "crew"
    colour: Colour = (70, 90, 120)
    second: Colour = (235, 235, 235)
    stripes: float = 0.0
    glasses: Colour | None = None
    glasses_round: float = 0.4
    headwear: Headwear = "none"
    headwear_colour: Colour = (120, 60, 70)


@dataclass(frozen=True)
class Light:
    """One main light and what comes from all around."""

    key_deg: tuple[float, float] = (-30.0, 30.0)
    """Direction the main light comes from: degrees towards image right, and up."""
    key: Colour = (1.0, 0.97, 0.92)
    """Linear intensity a channel; 1 lights a white wall fully."""
    sky: Colour = (0.42, 0.44, 0.48)
    ground: Colour = (0.22, 0.2, 0.18)


@dataclass(frozen=True)
class Camera:
    """How the person is taken: head units that the frame's height shows, where the head is in it, lens and sensor."""

    view_height: float = 34.0
    middle: tuple[float, float] = (0.0, -1.5)
    """Point of the resting head (x, y) in the middle of the frame."""
    focal: float = 2.2
    """Focal length in frame heights."""
    blur_px: float = 0.3
    noise: float = 1.2
    """Standard deviation in grey levels."""
    exposure: float = 1.0


@dataclass(frozen=True)
class Backdrop:
    """What is behind."""

    scene: Scene = "gradient"
    colour: Colour = (150, 160, 170)
    second: Colour = (90, 95, 105)


@dataclass(frozen=True)
class Appearance:
    """A whole person before a camera. `seed` decides about the small things: every freckle and hair."""

    identity: np.ndarray = field(default_factory=lambda: np.zeros(60, np.float32))
    skin: Skin = Skin()
    eyes: Eyes = Eyes()
    hair: Hair = Hair()
    wear: Wear = Wear()
    light: Light = Light()
    camera: Camera = Camera()
    backdrop: Backdrop = Backdrop()
    seed: int = 0


def linear(colour: Colour) -> np.ndarray:
    """Linear light (3,) float32 0-1 of an sRGB colour 0-255."""
    return (np.asarray(colour, np.float32) / 255) ** np.float32(2.2)
