"""Pictures: every quirk straightened out, every fault one sentence."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from vultus.core.errors import InputError
from vultus.video.read import MAX_IMAGE_PIXELS, MIN_SIDE_PX, read_image


def gradient(height: int = 40, width: int = 60) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    return np.stack([x * 4, y * 6, np.full_like(x, 90)], -1).astype(np.uint8)


def refusal(path: str | Path) -> str:
    with pytest.raises(InputError) as caught:
        read_image(path)
    message = str(caught.value)
    assert "\n" not in message and message.endswith(".")
    return message


def test_rgb_png_is_read_exactly(tmp_path):
    Image.fromarray(gradient()).save(tmp_path / "a.png")
    image, alpha = read_image(tmp_path / "a.png")
    assert alpha is None and image.dtype == np.uint8
    np.testing.assert_array_equal(image, gradient())


@pytest.mark.parametrize(("orientation", "turns"), [(1, 0), (3, 2), (6, -1), (8, 1)])
def test_exif_rotation_is_applied(tmp_path, orientation, turns):
    exif = Image.Exif()
    exif[274] = orientation
    Image.fromarray(gradient()).save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png")[0], np.rot90(gradient(), turns))


def test_alpha_is_kept_beside_the_colours(tmp_path):
    cover = np.tile(np.arange(60, dtype=np.uint8) * 4, (40, 1))
    Image.fromarray(np.dstack([gradient(), cover])).save(tmp_path / "a.png")
    image, alpha = read_image(tmp_path / "a.png")
    np.testing.assert_array_equal(alpha, cover)
    np.testing.assert_array_equal(image, gradient())


def test_opaque_alpha_is_no_alpha(tmp_path):
    Image.fromarray(np.dstack([gradient(), np.full((40, 60), 255, np.uint8)])).save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png")[1] is None


def test_transparent_palette_colour_becomes_alpha(tmp_path):
    indexed = Image.fromarray(np.repeat(np.array([[0, 1]], np.uint8), 40, 0).repeat(30, 1), "P")
    indexed.putpalette([10, 20, 30, 200, 100, 50])
    indexed.save(tmp_path / "a.png", transparency=0)
    image, alpha = read_image(tmp_path / "a.png")
    assert alpha[0, 0] == 0 and alpha[0, -1] == 255
    assert image[0, -1].tolist() == [200, 100, 50]


@pytest.mark.parametrize(
    ("pixels", "expected"),
    [
        (np.full((40, 40), 77, np.uint8), 77),
        (np.full((40, 40), 65535, np.uint16), 255),
        (np.full((40, 40), 257 * 30, np.uint16), 30),
    ],
)
def test_grey_8_and_16_bit(tmp_path, pixels, expected):
    Image.fromarray(pixels).save(tmp_path / "a.png")
    image, _ = read_image(tmp_path / "a.png")
    assert image.shape == (40, 40, 3) and (image == expected).all()


def test_float_picture_with_nan_is_stretched(tmp_path):
    pixels = np.linspace(0, 1, 1600, dtype=np.float32).reshape(40, 40)
    pixels[3, 3] = np.nan
    Image.fromarray(pixels).save(tmp_path / "a.tiff")
    image, _ = read_image(tmp_path / "a.tiff")
    assert image.min() == 0 and image.max() == 255


def test_cmyk_jpeg_keeps_its_colour(tmp_path):
    Image.new("RGB", (64, 64), (200, 40, 40)).convert("CMYK").save(tmp_path / "a.jpg", quality=95)
    image, _ = read_image(tmp_path / "a.jpg")
    np.testing.assert_allclose(image[32, 32], (200, 40, 40), atol=6)


def test_first_picture_of_an_animation(tmp_path):
    pages = [Image.new("RGB", (40, 40), colour) for colour in ("red", "blue")]
    pages[0].save(tmp_path / "a.gif", save_all=True, append_images=pages[1:])
    assert read_image(tmp_path / "a.gif")[0][5, 5].tolist() == [255, 0, 0]


def test_missing_file_and_folder(tmp_path):
    assert "no such file" in refusal(tmp_path / "none.png")
    assert "folder" in refusal(tmp_path)
    assert "no such file" in refusal("a\0b.png")
    assert "file name" in refusal("a" * 5000)


def test_text_named_png(tmp_path):
    (tmp_path / "a.png").write_text("hello, I am a picture")
    assert "not a picture" in refusal(tmp_path / "a.png")


def test_empty_file(tmp_path):
    (tmp_path / "a.png").touch()
    assert "empty" in refusal(tmp_path / "a.png")


def test_truncated_jpeg(tmp_path):
    Image.fromarray(gradient(200, 200)).save(tmp_path / "a.jpg")
    whole = (tmp_path / "a.jpg").read_bytes()
    (tmp_path / "a.jpg").write_bytes(whole[: len(whole) // 2])
    assert "cut off" in refusal(tmp_path / "a.jpg")


def test_one_pixel(tmp_path):
    Image.new("RGB", (1, 1)).save(tmp_path / "a.png")
    assert str(MIN_SIDE_PX) in refusal(tmp_path / "a.png")


def png_header(width: int, height: int) -> bytes:
    """A PNG that announces a size and holds next to nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    size = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [8_001, 10_000, 30_000, 2**31 - 1])
def test_decompression_bomb_is_refused_unread(tmp_path, side):
    (tmp_path / "a.png").write_bytes(png_header(side, side))
    assert f"below {MAX_IMAGE_PIXELS // 1_000_000} million" in refusal(tmp_path / "a.png")


def test_heic_without_codec_and_video_are_named(tmp_path):
    (tmp_path / "a.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(64))
    assert "HEIC" in refusal(tmp_path / "a.heic") and "JPEG" in refusal(tmp_path / "a.heic")
    (tmp_path / "a.jpg").write_bytes(b"\0\0\0\x18ftypisom" + bytes(64))
    assert "video" in refusal(tmp_path / "a.jpg")


def encoded(form: str) -> bytes:
    file = BytesIO()
    Image.fromarray(gradient()).save(file, form)
    return file.getvalue()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(form=st.sampled_from(["PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP"]), data=st.data())
def test_damage_is_always_one_sentence_or_a_picture(tmp_path, form, data):
    damaged = bytearray(encoded(form))
    for _ in range(data.draw(st.integers(1, 8))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    end = data.draw(st.integers(1, len(damaged)))
    path = tmp_path / "a.bin"
    path.write_bytes(damaged[:end])
    try:
        image, _ = read_image(path)
    except InputError as error:
        assert "\n" not in str(error)
    else:
        assert image.ndim == 3 and image.shape[2] == 3 and image.dtype == np.uint8
