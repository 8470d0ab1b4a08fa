"""The measures of a report: what each is called, what it means in plain words, and which way is better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Better = Literal["higher", "lower", "as reference"]

ARROWS: dict[Better, str] = {"higher": "↑", "lower": "↓", "as reference": "≈"}
"""How a report shows which way is better; ≈: the nearer to the copied reference."""


@dataclass(frozen=True)
class Measure:
    """One row of a report."""

    name: str
    group: str
    unit: str
    better: Better
    meaning: str
    """One line for somebody who has not read the papers."""
    needs: str | None = None
    """What must be there: "sound", one of our judges ("judge:NAME"), published weights ("weights:NAME"), or nothing."""
    decimals: int = 2


MEASURES: tuple[Measure, ...] = (
    Measure("psnr", "Picture", "dB", "higher", "how close every pixel is; above 30 hard to tell apart"),
    Measure("ssim", "Picture", "", "higher", "how alike edges and textures are; 1 is identical", decimals=3),
    Measure(
        "lpips",
        "Picture",
        "",
        "lower",
        "how different it looks to a network that learned from people; 0 is identical",
        "weights:lpips-alex",
        3,
    ),
    Measure(
        "fid",
        "Picture",
        "",
        "lower",
        "how far the set of pictures is from the set of real ones; one figure for all clips",
        "weights:inception-fid",
        1,
    ),
    Measure(
        "perceptual_vultus",
        "Picture",
        "",
        "lower",
        "how different it looks to our own small network; 0 is identical",
        "judge:perceptual",
        3,
    ),
    Measure(
        "mouth_sharpness",
        "Picture",
        "x real",
        "as reference",
        "fine detail around the mouth against the real clip's; below 1 is blurred",
    ),
    Measure("flicker", "Picture", "grey levels", "as reference", "how much brightness jumps from frame to frame"),
    Measure(
        "lmd_mouth",
        "Face points",
        "px",
        "lower",
        "how far the mouth's points are from where they should be, face scaled to 224 pixels",
    ),
    Measure("lmd_inner_mouth", "Face points", "px", "lower", "the same for the inner line of the lips alone"),
    Measure("lmd_eyes", "Face points", "px", "lower", "the same for the eyes"),
    Measure("lmd_all", "Face points", "px", "lower", "the same for the whole face"),
    Measure(
        "lmd_mouth_share",
        "Face points",
        "% of eye distance",
        "lower",
        "the mouth again, in parts of the distance between the eyes",
    ),
    Measure("lmd_all_share", "Face points", "% of eye distance", "lower", "the whole face again, in the same parts"),
    Measure(
        "pose_error",
        "Face points",
        "degrees",
        "lower",
        "how far the head is turned, nodded or tilted from where it should be",
    ),
    Measure("aperture_r", "Lips", "", "higher", "does the mouth open when the real one does; 1 always, 0 by chance"),
    Measure(
        "width_r", "Lips", "", "higher", "does the mouth widen and narrow when the real one does; 1 always, 0 by chance"
    ),
    Measure(
        "closures_found",
        "Lips",
        "",
        "higher",
        "share of the real mouth's closures (as in b, p, m) that are made, less those met by chance",
    ),
    Measure(
        "lse_c",
        "Lips and sound",
        "",
        "higher",
        "how sure SyncNet is that lips and sound belong together; real clips about 7",
        "weights:syncnet-v2",
    ),
    Measure(
        "lse_d",
        "Lips and sound",
        "",
        "lower",
        "how far apart SyncNet finds lips and sound; real clips about 7",
        "weights:syncnet-v2",
    ),
    Measure(
        "sync_vultus",
        "Lips and sound",
        "",
        "higher",
        "how sure our own network is that lips and sound belong together, if need be shifted",
        "judge:sync",
        3,
    ),
    Measure(
        "sync_vultus_in_step",
        "Lips and sound",
        "",
        "higher",
        "the same, without moving the sound: what a clip whose sound is early or late loses",
        "judge:sync",
        3,
    ),
    Measure(
        "sync_vultus_offset",
        "Lips and sound",
        "ms",
        "lower",
        "by how much it finds lips and sound shifted, either way",
        "judge:sync",
        0,
    ),
    Measure(
        "av_confidence",
        "Lips and sound",
        "",
        "higher",
        "do the lips move as this voice would move them; 1 yes, 0 no",
        "sound",
    ),
    Measure(
        "av_offset",
        "Lips and sound",
        "ms",
        "lower",
        "by how much lips and sound are shifted, either way, where that can be told",
        "sound",
        0,
    ),
    Measure(
        "csim",
        "Person",
        "",
        "higher",
        "is it the same person to a face-recognition network; 1 yes",
        "weights:arcface-r50",
        3,
    ),
    Measure(
        "identity_vultus",
        "Person",
        "",
        "higher",
        "is it the same person to our own small network; 1 yes",
        "judge:identity",
        3,
    ),
    Measure(
        "emo_acc",
        "Emotion",
        "",
        "higher",
        "share of clips in which a published network sees the emotion asked for",
        "weights:emonet-8",
    ),
    Measure(
        "efd",
        "Emotion",
        "",
        "lower",
        "how different the emotion of both faces is to that network",
        "weights:emonet-8",
        3,
    ),
    Measure(
        "emotion_vultus",
        "Emotion",
        "",
        "higher",
        "share of clips in which our own network sees the emotion asked for",
        "judge:emotion_image",
    ),
    Measure(
        "emotion_vultus_distance",
        "Emotion",
        "",
        "lower",
        "how different the emotion of both faces is to our own network",
        "judge:emotion_image",
        3,
    ),
    Measure("au45_error", "Eyes", "0-5", "lower", "how far the lids are from where they should be"),
    Measure(
        "blink_rate", "Eyes", "per minute", "as reference", "blinks a minute; people who speak: about 30", decimals=1
    ),
    Measure("blink_duration", "Eyes", "s", "as reference", "how long a blink lasts", decimals=2),
)
"""In the order of a report."""

BY_NAME: dict[str, Measure] = {measure.name: measure for measure in MEASURES}

SYNC_MEASURES = frozenset(m.name for m in MEASURES if m.group == "Lips and sound")
"""Those that the null of swapped voices is measured by."""
