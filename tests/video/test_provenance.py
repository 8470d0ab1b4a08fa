"""Marks and signatures: everything made is signed, and any change is noticed."""

from __future__ import annotations

import shutil
import stat

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from vultus.core.errors import InputError, MissingPartError
from vultus.core.types import Frames
from vultus.video.provenance import DIGITAL_SOURCE_TYPE, verify
from vultus.video.signing import home_folder, known_identity, signing_identity
from vultus.video.write import write_video

LEVELS = [10, 60, 110]


@pytest.fixture
def made(tmp_path, grey_frames):
    return lambda name: write_video(grey_frames(LEVELS), tmp_path / name)


@pytest.mark.parametrize("name", ["a.mp4", "a.webm", "seq"])
def test_what_is_made_is_marked_signed_and_trusted(made, name):
    result = verify(made(name))
    assert result.marked and result.signed and result.valid and result.trusted and not result.tampered
    assert result.tool.startswith("vultus ") and result.made_at.startswith("20") and result.reasons == ()


def test_manifest_states_how_it_was_made(made):
    import c2pa

    path = made("a.mp4")
    with path.open("rb") as file, c2pa.Reader("video/mp4", file) as reader:
        manifest = reader.get_active_manifest()
    assert manifest["title"] == "a.mp4"
    (action,) = next(row for row in manifest["assertions"] if row["label"].startswith("c2pa.actions"))["data"][
        "actions"
    ]
    assert (action["action"], action["digitalSourceType"]) == ("c2pa.created", DIGITAL_SOURCE_TYPE)


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_a_changed_byte_is_noticed(made, suffix):
    path = made(f"a{suffix}")
    data = bytearray(path.read_bytes())
    data[-len(data) // 8] ^= 1
    path.write_bytes(data)
    result = verify(path)
    assert result.signed and result.tampered and not result.valid and not result.trusted and result.reasons


def test_long_files_are_signed_block_by_block_without_gaps(tmp_path):
    """Noise of more than two blocks of 1 MiB: a change is noticed in each, at its edges, and in the last bytes."""
    noise = np.random.default_rng(0).integers(0, 255, (8, 256, 320, 3), dtype=np.uint8)
    path = write_video(Frames(list(noise) * 8, 25, 320, 256, 64), tmp_path / "a.mp4")
    data = bytearray(path.read_bytes())
    start = data.index(b"mdat", data.index(b"moov")) + 4
    assert len(data) - start > 2 << 20 and verify(path).valid
    for position in (start, start + (1 << 20) - 24, start + (1 << 20) + 8, start + (3 << 19), len(data) - 1):
        data[position] ^= 1
        path.write_bytes(data)
        assert verify(path).tampered
        data[position] ^= 1


def test_re_encoding_loses_the_signature(made, tmp_path):
    with av.open(str(made("a.mp4"))) as source, av.open(str(tmp_path / "b.mp4"), "w") as target:
        stream = target.add_stream("libx264", rate=25)
        stream.width, stream.height = 64, 48
        for frame in source.decode(video=0):
            target.mux(stream.encode(frame))
        target.mux(stream.encode())
    result = verify(tmp_path / "b.mp4")
    assert not result.signed and not result.marked and not result.valid and result.reasons


def test_cut_off_file_is_not_valid(made):
    path = made("a.mp4")
    path.write_bytes(path.read_bytes()[:-100])
    result = verify(path)
    assert result.tampered and not result.valid


def test_webm_without_its_manifest_is_only_marked(made):
    path = made("a.webm")
    path.with_suffix(".c2pa").unlink()
    result = verify(path)
    assert result.marked and not result.signed and not result.valid


def test_damaged_manifest(made):
    path = made("a.webm")
    path.with_suffix(".c2pa").write_bytes(b"no manifest at all")
    result = verify(path)
    assert result.tampered and not result.valid and "cannot be read" in result.reasons[0]


def test_folder_notices_changed_missing_and_added_files(made):
    folder = made("seq")
    pristine = folder.with_name("pristine")
    shutil.copytree(folder, pristine)
    Image.new("RGB", (64, 48)).save(folder / "000001.png")
    assert "000001.png" in verify(folder).reasons[0] and verify(folder).tampered
    assert verify(folder / "000001.png").tampered and verify(folder / "000000.png").valid
    shutil.copy(pristine / "000001.png", folder)
    assert verify(folder).valid
    (folder / "000002.png").unlink()
    assert verify(folder).reasons == ("000002.png is missing",)
    shutil.copy(pristine / "000001.png", folder / "000002.png")
    shutil.copy(pristine / "000001.png", folder / "000003.png")
    assert len(verify(folder).reasons) == 2
    (folder / "vultus.json").write_text("{}")
    assert verify(folder).tampered


def test_another_installations_key_is_valid_but_not_trusted(made, monkeypatch, tmp_path):
    path = made("a.mp4")
    monkeypatch.setenv("VULTUS_HOME", str(tmp_path / "elsewhere"))
    result = verify(path)
    assert result.valid and not result.trusted and not result.tampered
    assert not (tmp_path / "elsewhere").exists()  # looking makes no key
    signing_identity()
    assert verify(path).valid and not verify(path).trusted


def test_not_media(tmp_path):
    (tmp_path / "a.mp4").write_text("no video")
    (tmp_path / "a.txt").write_text("no video")
    (tmp_path / "empty").mkdir()
    for name in ("a.mp4", "a.txt", "none.mp4", "empty"):
        with pytest.raises(InputError):
            verify(tmp_path / name)


def test_names_too_long(tmp_path, clip):
    with pytest.raises(InputError, match="not a usable file name"):
        verify(tmp_path / ("x" * 400 + ".mp4"))
    longest = clip([0, 0.04], [10, 60]).rename(tmp_path / ("x" * 251 + ".mkv"))  # its manifest's would be a letter more
    assert not verify(longest).signed


def test_video_of_others_is_neither_marked_nor_signed(clip):
    result = verify(clip([0, 0.04], [10, 60]))
    assert not (result.marked or result.signed or result.valid or result.tampered)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0, 1, exclude_max=True), change=st.integers(1, 255))
def test_no_change_of_index_or_pictures_passes(made, share, change):
    path = made("a.mp4")
    data = bytearray(path.read_bytes())
    start = data.index(b"moov") - 4
    data[start + int(share * (len(data) - start))] ^= change
    path.write_bytes(data)
    try:
        result = verify(path)
    except InputError:  # damaged so badly that neither player nor manifest reader opens it
        return
    assert result.signed and result.tampered and not result.valid


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0, 1, exclude_max=True), change=st.integers(1, 255))
def test_a_damaged_manifest_is_reported_not_a_crash(made, share, change):
    """Its padding may change unnoticed; all else shows, and nothing raises but InputError."""
    path = made("a.mp4")
    data = bytearray(path.read_bytes())
    data[int(share * data.index(b"moov"))] ^= change
    path.write_bytes(data)
    try:
        result = verify(path)
    except InputError:
        return
    assert result.valid != bool(result.reasons)


def test_own_key_is_made_once_and_private(monkeypatch, tmp_path):
    monkeypatch.setenv("VULTUS_HOME", str(tmp_path / "home"))
    assert known_identity() is None
    first = signing_identity()
    (file,) = (tmp_path / "home").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert signing_identity() == first == known_identity() and first.algorithm == "es256"


def test_home_follows_xdg(monkeypatch, tmp_path):
    monkeypatch.delenv("VULTUS_HOME")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert home_folder() == tmp_path / "vultus"


def test_unwritable_home_is_one_sentence(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("VULTUS_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(MissingPartError, match="VULTUS_HOME"):
        signing_identity()


def test_the_users_own_key_signs(made, monkeypatch, tmp_path):
    monkeypatch.setenv("VULTUS_HOME", str(tmp_path / "other"))
    own = signing_identity()
    (tmp_path / "key.pem").write_bytes(own.key_pem)
    (tmp_path / "chain.pem").write_bytes(own.chain_pem)
    monkeypatch.setenv("VULTUS_HOME", str(tmp_path / "unused"))
    monkeypatch.setenv("VULTUS_SIGNING_KEY", str(tmp_path / "key.pem"))
    with pytest.raises(InputError, match="only one of"):
        signing_identity()
    monkeypatch.setenv("VULTUS_SIGNING_CHAIN", str(tmp_path / "chain.pem"))
    assert verify(made("a.mp4")).trusted and not (tmp_path / "unused").exists()


@pytest.mark.parametrize("broken", ["key.pem", "chain.pem"])
def test_unusable_users_key_is_refused_before_the_work(grey_frames, monkeypatch, tmp_path, broken):
    monkeypatch.setenv("VULTUS_HOME", str(tmp_path / "other"))
    own = signing_identity()
    (tmp_path / "key.pem").write_bytes(own.key_pem)
    (tmp_path / "chain.pem").write_bytes(own.chain_pem)
    (tmp_path / broken).write_text("no key")
    monkeypatch.setenv("VULTUS_SIGNING_KEY", str(tmp_path / "key.pem"))
    monkeypatch.setenv("VULTUS_SIGNING_CHAIN", str(tmp_path / "chain.pem"))
    frames = grey_frames(LEVELS)
    with pytest.raises(InputError, match=broken):
        write_video(frames, tmp_path / "a.mp4")
    assert len(list(frames)) == len(LEVELS)  # not one was pulled


def test_certificate_of_another_key_is_refused(monkeypatch, tmp_path):
    for name in ("one", "two"):
        monkeypatch.setenv("VULTUS_HOME", str(tmp_path / name))
        signing_identity()
    monkeypatch.setenv("VULTUS_SIGNING_KEY", str(tmp_path / "one" / "signing.pem"))
    monkeypatch.setenv("VULTUS_SIGNING_CHAIN", str(tmp_path / "two" / "signing.pem"))
    with pytest.raises(InputError, match="another key"):
        signing_identity()
