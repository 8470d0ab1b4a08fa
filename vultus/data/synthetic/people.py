"""Who is rendered: appearances drawn so that every shade of skin and every kind of hair has its turn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vultus.rendering.person.appearance import (
    GARMENTS,
    SCENES,
    Appearance,
    Backdrop,
    BeardStyle,
    Camera,
    Colour,
    Eyes,
    Hair,
    HairStyle,
    Headwear,
    Light,
    Skin,
    Wear,
)  # fmt: skip

IDENTITY_SD = 0.85
"""Of each identity weight: a little less than the model's own spread, which has caricatures at its ends."""
IDENTITY_COMPONENTS = 40
_GOLDEN = 0.6180339887
_HAIR_COLOURS: tuple[tuple[Colour, float], ...] = (
    ((24, 19, 17), 0.0), ((44, 31, 24), 0.15), ((75, 52, 36), 0.35), ((110, 78, 50), 0.55), ((150, 80, 45), 0.7),
    ((166, 130, 84), 0.8), ((205, 172, 122), 0.95),
)  # fmt: skip
"""Colour, and how pale a skin it goes with at the least."""
_IRISES: tuple[tuple[Colour, float], ...] = (
    ((62, 40, 26), 0.0), ((92, 60, 36), 0.1), ((112, 88, 48), 0.5), ((96, 112, 78), 0.65), ((98, 128, 152), 0.65),
    ((122, 140, 152), 0.75),
)  # fmt: skip
_FEMININE: tuple[HairStyle, ...] = ("long", "wavy", "bob", "bun", "curly", "long", "wavy", "afro", "short")
_MASCULINE: tuple[HairStyle, ...] = (
    "short", "side_part", "crew", "swept_back", "shaved", "bald", "curly", "balding", "short", "side_part", "wavy",
)  # fmt: skip
_BEARDS: tuple[BeardStyle, ...] = ("none", "none", "stubble", "moustache", "goatee", "short", "full")
_LIPSTICKS: tuple[Colour, ...] = ((176, 44, 58), (188, 92, 96), (150, 50, 80), (198, 110, 100))
_FRAMES: tuple[Colour, ...] = ((18, 18, 20), (70, 44, 30), (110, 110, 115), (150, 120, 60), (120, 30, 40))


def random_person(seed: int, number: int) -> Appearance:
    """Person `number` of the set `seed`. Numbers run through skin from pale to dark in steps of the golden ratio."""
    rng = np.random.default_rng([seed, number, 0x9E5])
    melanin = float(np.clip((0.35 + _GOLDEN * number) % 1.0, 0.02, 0.98))
    pale = 1 - melanin
    feminine = bool((number + seed) % 2)
    age = float(rng.beta(1.6, 2.2))
    hair = _hair(rng, pale, feminine, age)
    return Appearance(
        identity=_identity(rng),
        skin=_skin(rng, melanin, feminine, age),
        eyes=Eyes(
            _suiting(_IRISES, pale, rng), rng.uniform(0.5, 0.75) if feminine else rng.uniform(0.35, 0.55),
            rng.uniform(0.7, 1.0) if feminine else rng.uniform(0.4, 0.8),
        ),
        hair=hair,
        wear=_wear(rng, feminine),
        light=_light(rng),
        camera=_camera(rng),
        backdrop=_backdrop(rng),
        seed=int(rng.integers(1 << 31)),
    )  # fmt: skip


def is_feminine(seed: int, number: int) -> bool:
    """Whether `random_person` of these arguments was drawn as a woman: the voice goes with it."""
    return bool((number + seed) % 2)


def retaken(person: Appearance, seed: int) -> Appearance:
    """The same person on another day: light, background, camera and clothes change."""
    rng = np.random.default_rng([seed, person.seed, 0x7A4])
    wear = replace(person.wear, colour=_any_colour(rng, 20, 230, 0.7), garment=GARMENTS[rng.integers(len(GARMENTS))])
    backdrop = _backdrop(rng)
    return replace(person, wear=wear, light=_light(rng), camera=_camera(rng), backdrop=backdrop)


def _identity(rng: np.random.Generator) -> np.ndarray:
    weights = np.zeros(60, np.float32)
    weights[:IDENTITY_COMPONENTS] = np.clip(rng.standard_normal(IDENTITY_COMPONENTS), -2, 2) * IDENTITY_SD
    return weights


def _skin(rng: np.random.Generator, melanin: float, feminine: bool, age: float) -> Skin:
    freckles = max(0.0, rng.normal(-0.3, 0.5)) if melanin < 0.4 else 0.0
    painted = feminine and rng.random() < 0.4
    return Skin(
        melanin=melanin,
        blood=float(np.clip(rng.normal(0, 0.5), -1, 1)),
        warmth=float(rng.uniform(-1, 1)),
        freckles=min(1.0, freckles),
        moles=int(rng.integers(0, 5)),
        age=age,
        gloss=float(rng.uniform(0.3, 0.8)),
        lip_colour=_LIPSTICKS[rng.integers(len(_LIPSTICKS))] if painted else None,
        lip_redness=float(rng.uniform(0.2, 0.9)),
        eye_shadow=float(rng.uniform(0.1, 0.5)) if painted else 0.0,
    )


def _hair(rng: np.random.Generator, pale: float, feminine: bool, age: float) -> Hair:
    styles = _FEMININE if feminine else _MASCULINE
    style = styles[rng.integers(len(styles))]
    if style in ("long", "wavy", "bob") and pale < 0.15 and rng.random() < 0.5:
        style = "afro"
    grey = float(np.clip((age - 0.55) * 2.2 + rng.normal(0, 0.15), 0, 0.9))
    return Hair(
        style=style,
        colour=_suiting(_HAIR_COLOURS, pale, rng),
        grey=grey,
        length=float(rng.uniform(0.75, 1.15)),
        parting=float(rng.uniform(-0.6, 1.0)),
        brow_thickness=float(rng.uniform(0.15, 0.6) if feminine else rng.uniform(0.4, 1.0)),
        beard="none" if feminine else _BEARDS[rng.integers(len(_BEARDS))],
        recession=0.0 if feminine else float(rng.beta(1, 3)),
    )


def _wear(rng: np.random.Generator, feminine: bool) -> Wear:
    headwear: Headwear = "none"
    if feminine and rng.random() < 0.12:
        headwear = "headscarf"
    elif rng.random() < 0.06:
        headwear = "beanie"
    return Wear(
        garment=GARMENTS[rng.integers(len(GARMENTS))],
        colour=_any_colour(rng, 20, 230, 0.7),
        second=_any_colour(rng, 60, 245, 0.5),
        stripes=float(rng.choice([0, 0, 0, 30, 55])),
        glasses=_FRAMES[rng.integers(len(_FRAMES))] if rng.random() < 0.22 else None,
        glasses_round=float(rng.uniform(0, 1)),
        headwear=headwear,
        headwear_colour=_any_colour(rng, 20, 210, 0.7),
    )


def _light(rng: np.random.Generator) -> Light:
    warmth = rng.normal(0, 0.09)
    tint = np.array([1 + warmth, 1.0, 1 - warmth])
    key = rng.uniform(0.55, 1.1)
    around = rng.uniform(0.25, 0.55)
    cool = np.array([1 - warmth * 0.6, 1.0, 1 + warmth * 0.6])
    return Light(
        key_deg=(float(np.clip(rng.normal(0, 38), -80, 80)), float(rng.uniform(5, 60))),
        key=_colour(key * tint),
        sky=_colour(around * cool),
        ground=_colour(around * rng.uniform(0.35, 0.7) * tint),
    )


def _camera(rng: np.random.Generator) -> Camera:
    return Camera(
        view_height=float(rng.uniform(28, 38)),
        middle=(float(rng.normal(0, 0.8)), float(rng.uniform(-2.5, 0.5))),
        focal=2.2,
        blur_px=float(rng.uniform(0.0, 0.5)),
        noise=float(rng.uniform(0.4, 2.5)),
        exposure=float(rng.uniform(0.88, 1.12)),
    )


def _suiting(choices: tuple[tuple[Colour, float], ...], pale: float, rng: np.random.Generator) -> Colour:
    fitting = [colour for colour, least in choices if least <= pale]
    chosen = np.array(fitting[rng.integers(len(fitting))]) * np.exp(rng.normal(0, 0.08))
    return _colour(chosen)


def _backdrop(rng: np.random.Generator) -> Backdrop:
    scene = rng.choice(len(SCENES), p=(0.14, 0.2, 0.24, 0.24, 0.12, 0.06))
    return Backdrop(SCENES[scene], _any_colour(rng, 60, 215, 0.5), _any_colour(rng, 30, 190, 0.5))


def _any_colour(rng: np.random.Generator, low: float, high: float, strength: float = 1.0) -> Colour:
    """A colour that one could buy: mostly muted, sometimes strong."""
    grey = rng.uniform(low, high)
    swing = rng.normal(0, 1, 3) * rng.choice([6, 18, 40]) * strength
    return _colour(np.clip(grey + swing - swing.mean(), 8, 245))


def _colour(values: np.ndarray) -> Colour:
    red, green, blue = (float(value) for value in values)
    return red, green, blue
