"""Short videos with a face, without one, silent and broken: what `prepare` is tested on."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

FPS = 25
RATE_HZ = 16_000


def panned(portrait: np.ndarray, count: int = 12, side: int = 160) -> list[np.ndarray]:
    """A portrait (H, W, 3) that drifts to the right, as frames (side, side, 3)."""
    scale = side / 190
    frames = []
    for index in range(count):
        shift = np.float32([[scale, 0, -125 * scale + 0.5 * index], [0, scale, -20 * scale]])
        frames.append(cv2.warpAffine(portrait, shift, (side, side)))
    return frames


def write_clip(path: Path, images: list[np.ndarray], sound: float | None = 0.3) -> Path:
    """An MP4 of frames (H, W, 3) with a 220 Hz tone of amplitude `sound`; None leaves the sound track out."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=FPS, options={"crf": "12", "preset": "ultrafast"})
        video.height, video.width, _ = images[0].shape
        voice = None if sound is None else container.add_stream("aac", rate=RATE_HZ, layout="mono")
        for index, image in enumerate(images):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, FPS)
            container.mux(video.encode(frame))
        container.mux(video.encode())
        if voice is not None:
            time_s = np.arange(len(images) * RATE_HZ // FPS) / RATE_HZ
            tone = ((sound or 0.0) * np.sin(2 * np.pi * 220 * time_s)).astype(np.float32)[None]
            block = av.AudioFrame.from_ndarray(tone, format="fltp", layout="mono")
            block.sample_rate, block.pts = RATE_HZ, 0
            container.mux(voice.encode(block))
            container.mux(voice.encode())
    return path


def write_mixed_bag(root: Path, portrait: np.ndarray) -> None:
    """Two clips with a face, and one each that is silent, faceless, corrupt, and cut off."""
    face = panned(portrait)
    write_clip(root / "ann/a.mp4", face)
    write_clip(root / "ann/b.mp4", face[::-1])
    write_clip(root / "bad/silent.mp4", face, sound=None)
    write_clip(root / "bad/hushed.mp4", face, sound=0.0)
    write_clip(root / "bad/faceless.mp4", [np.full((96, 96, 3), 90, np.uint8)] * 6)
    (root / "bad/corrupt.mp4").write_bytes(b"this is no video")
    whole = (root / "ann/a.mp4").read_bytes()
    (root / "bad/torn.mp4").write_bytes(whole[: len(whole) // 2])
