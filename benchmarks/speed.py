"""Speed of every part: set-up, a frame stage by stage, work per second of voice, tracking."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from benchmarks.material import portraits
from benchmarks.stages import Stages
from benchmarks.voices import SAMPLE
from vultus.animate import open_portrait
from vultus.audio.io import read_speech
from vultus.core.controls import Controls
from vultus.core.method import Look
from vultus.core.types import SAMPLE_RATE, Frames, Performance, Portrait
from vultus.face.track import track
from vultus.methods.portrait.infer import PortraitDriver
from vultus.methods.portrait.model import PhotoRenderer
from vultus.rendering import mouth, portrait
from vultus.video.encode import ContainerEncoder

FPS, SIZE_PX = 25.0, 512
LOOK = Look(fps=FPS, crop="face", size=SIZE_PX)
COLD_START = """
from skimage.data import astronaut
from vultus.animate import open_portrait
from vultus.core.method import Look
from vultus.core.types import Performance
from vultus.methods.portrait.model import PhotoRenderer
renderer = PhotoRenderer(open_portrait(astronaut()), Look(crop="face", size=512))
next(iter(renderer.play([Performance.neutral(1, 25.0)])))
"""


def spent(call: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    """Seconds that a call takes by a clock."""
    began = clock()
    call()
    return clock() - began


def first_frame(picture: np.ndarray) -> None:
    """Open a portrait, set its renderer up and draw one frame."""
    renderer = PhotoRenderer(open_portrait(picture), LOOK)
    next(iter(renderer.play([Performance.neutral(1, FPS)])))


def speaking(controls: Controls, waveform: np.ndarray) -> Performance:
    """What the driver makes of a voice that arrives in chunks of half a second."""
    driver = PortraitDriver(controls, FPS)
    pieces = [driver.push(waveform[at : at + SAMPLE_RATE // 2]) for at in range(0, len(waveform), SAMPLE_RATE // 2)]
    return Performance.concatenate([piece for piece in (*pieces, driver.finish()) if piece is not None])


def drawn(subject: Portrait, performance: Performance) -> tuple[list[np.ndarray], dict[str, float]]:
    """All frames, and milliseconds a frame by stage; "other" is what no named stage took."""
    photo = PhotoRenderer(subject, LOOK)
    list(photo.play([performance[:3]]))  # compiled code is loaded at its first call
    renderer, stages = photo.renderer, Stages()
    began = time.thread_time()
    with stages.watching(
        (renderer, "_paint_eyes", "eyes"),
        (renderer.surface, "moved", "surface"),
        (renderer.relight, "ratio", "light"),
        (portrait, "draw_surface", "raster"),
        (renderer.backdrop, "flow", "backdrop flow"),
        (renderer._texture, "look_up", "look-up"),
        (renderer.mouth, "draw", "mouth"),
        (mouth, "draw_surface", "mouth"),
    ):
        frames = list(photo.play([performance]))
    total = time.thread_time() - began
    by_stage = dict(stages.seconds) | {"other": total - sum(stages.seconds.values())}
    return frames, {name: 1000 * seconds / len(frames) for name, seconds in by_stage.items()}


def encoded(frames: list[np.ndarray]) -> float:
    """Milliseconds of processor time, over all of the encoder's threads, to encode a frame."""
    with tempfile.TemporaryDirectory() as folder:
        encoder = ContainerEncoder(Path(folder) / "out.mp4", Frames(frames, FPS, SIZE_PX, SIZE_PX), None)

        def work() -> None:
            for frame in frames:
                encoder.add(frame)
            encoder.finish()

        return 1000 * spent(work, time.process_time) / len(frames)


def main() -> None:
    picture = next(iter(portraits(()).values()))
    waveform = read_speech(SAMPLE).waveform
    voice_s = len(waveform) / SAMPLE_RATE
    print("Set-up: portrait to first frame, wall-clock seconds")
    cold_s = spent(lambda: subprocess.run([sys.executable, "-c", COLD_START], check=True))
    print(f"  {'a new process':<24}{cold_s:8.2f}")
    print(f"  {'the same process, again':<24}{spent(lambda: first_frame(picture)):8.2f}")

    cv2.setNumThreads(1)
    controls = Controls.parse(emotion="0:neutral 4:happy@2")
    speaking(controls, waveform[:SAMPLE_RATE])
    driver_ms = 1000 * spent(lambda: speaking(controls, waveform), time.process_time) / voice_s
    performance = speaking(controls, waveform)
    frames, stage_ms = drawn(open_portrait(picture), performance)
    encoder_ms, frame_ms = encoded(frames), sum(stage_ms.values())
    print(f"\nA frame of {SIZE_PX} x {SIZE_PX}, milliseconds on one thread ({len(frames)} frames)")
    for name, ms in stage_ms.items():
        print(f"  {name:<24}{ms:8.2f}{ms / frame_ms:8.0%}")
    print(f"  {'renderer':<24}{frame_ms:8.2f}{1e6 * frame_ms / SIZE_PX**2:8.1f} ns a pixel")
    print(f"  {'encoder':<24}{encoder_ms:8.2f}  over all its threads")

    print("\nWork for a second of voice at 25 fps, milliseconds on one core")
    parts = {"driver": driver_ms, "renderer": FPS * frame_ms, "encoder": FPS * encoder_ms}
    for name, ms in (parts | {"together": sum(parts.values())}).items():
        print(f"  {name:<24}{ms:8.0f}{1000 / ms:8.1f} times real time")

    stream = Frames(frames[:125], FPS, SIZE_PX, SIZE_PX)
    track_ms = 1000 * spent(lambda: track(stream), time.process_time) / 125
    print(f"\nTracking: {track_ms:.1f} ms of work a frame, {1000 / track_ms:.0f} frames a second on one core")
