"""Sizes and training of the radiance field: the paper's, and one that trains in minutes on one core; table III."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

from vultus.core.errors import ControlError
from vultus.methods.blink_nerf.driver import config as driver
from vultus.methods.blink_nerf.driver.config import DriverConfig
from vultus.methods.blink_nerf.hearing import EarName


@dataclass(frozen=True)
class GridConfig:
    """Sizes of a multi-resolution hash encoding (`methods.blink_nerf.encoding`)."""

    levels: int = 14
    base: int = 64
    """Vertices a side of the coarsest level; the others grow geometrically up to `finest`."""
    finest: int = 512
    features: int = 1
    """Of each vertex."""
    log2_table: int = 14
    """Binary logarithm of T, the most vertices a level keeps."""

    def __post_init__(self) -> None:
        if self.levels < 1 or not 2 <= self.base <= self.finest or self.features < 1 or self.log2_table < 1:
            raise ControlError(f"{self} is no encoding", "grid", "give levels >= 1 and 2 <= base <= finest")

    @property
    def resolutions(self) -> tuple[int, ...]:
        """Vertices a side of each level."""
        if self.levels == 1:
            return (self.base,)
        growth = (self.finest / self.base) ** (1 / (self.levels - 1))
        return tuple(round(self.base * growth**level) for level in range(self.levels))


@dataclass(frozen=True)
class FieldConfig:
    """The radiance field and what it is told (figure 1); the switches are table III's."""

    encoder: Literal["triplane", "volume"] = "triplane"
    """Three planes (equation 4), or one grid of space."""
    landmarks: bool = True
    """D: landmarks tell what the face does, and the voice what they leave open; otherwise the voice alone does."""
    blink: bool = True
    """E: AU45 tells what the lids do."""
    canonical: bool = False
    """Samples are carried to the resting face by the landmarks (ours) before they are looked up; part of D."""
    blended: int = 0
    """Features that each of the mouth's shapes has at every place of the lower face (ours); part of D."""
    space: GridConfig = field(default_factory=GridConfig)
    landmark_grid: GridConfig = field(default_factory=lambda: GridConfig(4, 4, 32, 2, 14))
    """Of the hash-encoded landmarks."""
    mouth_shapes: int = 12
    """Principal components that stand for mouth and jaw."""
    brow_shapes: int = 2
    face_code: int = 32
    eye_code: int = 4
    hidden: int = 64
    """Width of the density and colour networks."""
    geometry: int = 16
    """What the density network tells the colour network."""
    attention: int = 32
    """Width of the network that says where in space the face's and the eyes' codes count (as ER-NeRF)."""

    @property
    def lower_face(self) -> int:
        """Features of the lower face that the mouth's shapes make; none where no landmarks tell of a mouth."""
        return self.blended if self.landmarks else 0

    def __post_init__(self) -> None:
        if self.face_code < self.mouth_shapes + self.brow_shapes or self.eye_code < 3:
            shapes = self.mouth_shapes + self.brow_shapes
            raise ControlError("codes are too narrow", "head", f"give face_code >= {shapes} and eye_code >= 3")


@dataclass(frozen=True)
class LayerConfig:
    """The picture behind the head: torso over background."""

    grid: GridConfig = field(default_factory=lambda: GridConfig(8, 16, 512, 2, 18))
    motions: int = 6
    """Principal motions of the torso, its own signal; 0 leaves it to the head's pose."""
    motion_grid: int = 16
    """Cells a side of these motions."""
    hidden: int = 48


@dataclass(frozen=True)
class TrainConfig:
    """How it is trained: steps of `frames` x `rays` rays, then of patches of the mouth."""

    coarse_steps: int = 200_000
    fine_steps: int = 25_000
    frames: int = 1
    """Frames in a step: the released code takes one and thousands of rays; many frames show many mouths."""
    rays: int = 65_536
    """Of each frame."""
    blinking: float = 0.0
    """Share of the frames that is drawn among those with lids on their way (ours): a tenth of a video teaches little.
    """
    wide: float = 0.0
    """Share that is drawn among the quarter with the widest mouths (ours): most are nearly shut."""
    samples: int = 16
    """Along a ray."""
    patch_frames: int = 1
    patch: int = 64
    """Side of a mouth patch in pixels; at least 8."""
    perceptual: float = 1e-3
    """Lambda of equation 9."""
    perceptual_by: Literal["lpips", "teacher"] = "lpips"
    """LPIPS, whose weights must have been fetched, or our own network that ships."""
    grid_lr: float = 1e-2
    net_lr: float = 1e-3
    final_lr: float = 0.1
    """Share of the rates at the end; they are held for half of the steps."""
    opaque: float = 0.0
    """Weight of (1 - opacity)^2 on the face's rays (ours): fog cannot stand for a face."""
    silhouette: float = 0.0
    """Weight of opacity^2 on rays beside the head (ours)."""
    full: float = 0.0
    """Weight of log(1 + density) anywhere, from half of the steps on (ours): what no frame shows gets empty, or else a
    turned jaw has rags."""
    compile: bool = False
    """Have torch.compile make kernels of the head's networks (`methods.blink_nerf.numerics`)."""
    validation_frames: int = 20

    def __post_init__(self) -> None:
        if self.patch < 8:
            raise ControlError(f"patches of {self.patch} pixels are too small", "train.patch", "give 8 or more")


@dataclass(frozen=True)
class BlinkNerfConfig:
    """Everything a person is made of."""

    size: int = 512
    """Side of the pictures it is made for: the person's are resized to it."""
    ear: EarName = "sounds"
    """Whose features the voice's residual is made of."""
    head: FieldConfig = field(default_factory=FieldConfig)
    layer: LayerConfig = field(default_factory=LayerConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    """Of the renderer."""
    driver: DriverConfig = field(default_factory=DriverConfig)


PAPER = BlinkNerfConfig(driver=driver.PAPER)
"""512 pixels (section IV.A); what the text leaves open as in ER-NeRF's released code. Wants a GPU."""
SMALL = BlinkNerfConfig(
    96,
    "sounds",
    FieldConfig(canonical=True, blended=8, space=GridConfig(8, 16, 192, 2, 16)),
    LayerConfig(GridConfig(6, 16, 192, 2, 16)),
    TrainConfig(
        coarse_steps=2000, fine_steps=60, frames=64, rays=32, blinking=0.25, wide=0.25, samples=8, patch_frames=3,
        patch=24, perceptual_by="teacher", net_lr=2e-3, final_lr=0.03, opaque=0.02, silhouette=0.02,
        full=0.002,
    ),
    driver.SMALL,
)  # fmt: skip
"""96 pixels, three minutes on one core."""
TINY = BlinkNerfConfig(
    32,
    "sounds",
    FieldConfig(
        canonical=True, blended=2, space=GridConfig(3, 8, 32, 2, 12), mouth_shapes=4, face_code=8, hidden=16,
        attention=8,
    ),
    LayerConfig(GridConfig(3, 8, 32, 2, 12), motions=2, motion_grid=4, hidden=16),
    TrainConfig(
        coarse_steps=2, fine_steps=2, frames=4, rays=16, blinking=0.25, wide=0.25, samples=4, patch_frames=1, patch=8,
        perceptual_by="teacher", net_lr=2e-3, validation_frames=2,
    ),
    driver.TINY,
)  # fmt: skip
"""For tests."""

PRESETS: dict[str, BlinkNerfConfig] = {"small": SMALL, "paper": PAPER, "tiny": TINY}

ABLATIONS: dict[str, dict[str, Any]] = {
    "w/o D w/o E": {"landmarks": False, "blink": False, "encoder": "volume"},
    "w/o E w D": {"blink": False, "encoder": "volume"},
    "w E w D": {"encoder": "volume"},
    "w Tri-Hash w E w D": {},
}
"""Table III, which is cumulative: row -> what differs in `FieldConfig`."""


def ablated(config: BlinkNerfConfig, row: str) -> BlinkNerfConfig:
    """The configuration of a row of table III. Raises KeyError for one that is not there."""
    return replace(config, head=replace(config.head, **ABLATIONS[row]))
