"""What several rooms' tests need: a signing key of their own, and videos with every property set by hand."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.film import Film, make_film
from vultus.core.types import Frames, Portrait


@pytest.fixture(autouse=True, scope="session")
def own_signing_key(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Tests never touch the user's key."""
    home = tmp_path_factory.mktemp("home")
    patch = pytest.MonkeyPatch()
    patch.setenv("VULTUS_HOME", str(home))
    for name in ("VULTUS_SIGNING_KEY", "VULTUS_SIGNING_CHAIN"):
        patch.delenv(name, raising=False)
    yield home
    patch.undo()


def grey(level: float, width: int, height: int, channels: int = 3) -> np.ndarray:
    return np.full((height, width, channels), round(level), np.uint8)


@pytest.fixture
def grey_frames() -> Callable[..., Frames]:
    """Frames of one grey level each; a single buffer is used again and again, as renderers do."""

    def make(
        levels: Sequence[float], fps: float = 25, width: int = 64, height: int = 48, alpha: bool = False
    ) -> Frames:
        def images() -> Iterator[np.ndarray]:
            buffer = grey(0, width, height, 4 if alpha else 3)
            for level in levels:
                buffer[:, :, :3] = round(level)
                buffer[:, :, 3:] = 128
                yield buffer

        return Frames(images(), fps, width, height, len(levels), alpha)

    return make


@pytest.fixture
def sound_file(tmp_path: Path) -> Callable[..., Path]:
    """A WAV file that is silent but for a 440 Hz tone between two times."""

    def make(duration_s: float, tone_s: tuple[float, float], rate: int = 16_000, channels: int = 1) -> Path:
        import soundfile

        time_s = np.arange(round(duration_s * rate)) / rate
        tone = 0.5 * np.sin(2 * np.pi * 440 * time_s) * ((time_s >= tone_s[0]) & (time_s < tone_s[1]))
        path = tmp_path / f"sound-{rate}-{channels}-{duration_s}.wav"
        soundfile.write(path, np.repeat(tone[:, None], channels, axis=1), rate)
        return path

    return make


@pytest.fixture
def clip(tmp_path: Path) -> Callable[..., Path]:
    """A video whose frame shown from `times_s[i]` on has grey level `levels[i]`; with a silent sound track if asked."""

    def make(
        times_s: Sequence[float],
        levels: Sequence[float],
        *,
        name: str = "clip.mp4",
        pixel_format: str = "yuv420p",
        size: tuple[int, int] = (64, 48),
        sound_s: float = 0.0,
    ) -> Path:
        path = tmp_path / name
        base = Fraction(1, 12_800)
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=25, options={"crf": "5", "bf": "0"})
            stream.width, stream.height, stream.pix_fmt = *size, pixel_format
            stream.codec_context.time_base = base
            voice = container.add_stream("aac", rate=16_000, layout="mono") if sound_s else None
            for time_s, level in zip(times_s, levels, strict=True):
                frame = av.VideoFrame.from_ndarray(grey(level, *size), format="rgb24")
                frame.pts, frame.time_base = round(time_s / base), base
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
            if voice is not None:
                silence = np.zeros((1, round(sound_s * 16_000)), np.float32)
                block = av.AudioFrame.from_ndarray(silence, format="fltp", layout="mono")
                block.sample_rate, block.pts = 16_000, 0
                container.mux(voice.encode(block))
                container.mux(voice.encode())
        return path

    return make


def files_in(folder: Path) -> set[str]:
    return set(os.listdir(folder))


@pytest.fixture(scope="session")
def astronaut() -> np.ndarray:
    """scikit-image's public-domain portrait, (512, 512, 3) uint8; not to be written on."""
    from skimage.data import astronaut

    image = astronaut()
    image.flags.writeable = False
    return image


@pytest.fixture(scope="session")
def portrait(astronaut: np.ndarray) -> Portrait:
    """The astronaut, fitted."""
    from vultus.animate import open_portrait

    return open_portrait(astronaut)


@pytest.fixture(scope="session")
def film(portrait: Portrait) -> Film:
    """The astronaut opening the mouth, with a frame without a face and two cuts, tracked."""
    return make_film(portrait)
