"""Every file made here says so: a metadata tag in the container and a signed C2PA manifest; `verify` reads both.

- .mp4: a comment, and the manifest inside the file;
- .webm: a comment, and the manifest beside the file under the same name with .c2pa (C2PA knows no WebM);
- a folder of PNG files: a text chunk in each, `vultus.json` with the SHA-256 of every file, and its manifest
  `vultus.c2pa`.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import av
from PIL import Image

from vultus.core.errors import InputError
from vultus.core.files import existing_file, existing_path
from vultus.video.signing import Identity, known_identity

SYNTHETIC_TAG = "Synthetic media: face animation made by vultus"
"""Stands in the comment of a video and in a text chunk of a PNG."""
TAG_KEY = "comment"
DIGITAL_SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
"""IPTC's term for a real picture in which a trained algorithm made part of what is seen."""
FOLDER_LIST = "vultus.json"
FOLDER_MANIFEST = "vultus.c2pa"

# Without these, c2pa holds the whole file in memory, twice: what it sets aside goes to a temporary file, and sound and
# pictures are hashed in blocks, all of whose hashes (no proofs in boxes of their own) stand in the manifest.
_FLAT_MEMORY = {
    "backing_store_memory_threshold_in_mb": 4,
    "merkle_tree_chunk_size_in_kb": 1024,
    "merkle_tree_max_proofs": 0,
}

_EMBEDDABLE = {".mp4": "video/mp4", ".m4v": "video/mp4", ".mov": "video/quicktime", ".png": "image/png"}
_ANY_BYTES = "application/octet-stream"
_PARENT = "xmp:iid:edited"
"""The name by which a manifest's actions refer to the video that was edited."""


@dataclass(frozen=True)
class Verification:
    """What a file or folder says about its origin, and whether that can be believed."""

    path: Path
    marked: bool
    """It carries vultus' metadata tag."""
    signed: bool
    """It carries a C2PA manifest."""
    valid: bool
    """The signature holds and covers exactly these bytes."""
    tampered: bool
    """There is a manifest, but the file is not what was signed."""
    trusted: bool
    """Valid, and signed with this installation's own key. Anyone can make a key: a name alone proves nothing."""
    signer: str | None = None
    """Name on the certificate."""
    tool: str | None = None
    """What made the file, by its manifest."""
    made_at: str | None = None
    """When, by its manifest: ISO 8601."""
    reasons: tuple[str, ...] = ()
    """One line for each thing that is amiss."""


def sidecar_of(path: Path) -> Path | None:
    """Where the manifest of such a file lies; None if inside the file."""
    return None if path.suffix.lower() in _EMBEDDABLE else path.with_suffix(".c2pa")


def sign(source: Path, signed: Path, title: str, identity: Identity, edited: Path | None = None) -> bytes | None:
    """Copy `source` to `signed` with a manifest inside; where the format holds none, return the manifest for a sidecar.

    `title` is the name under which the file will be known. With `edited` it is called not made, but that video edited;
    a manifest in that file goes along.
    """
    import c2pa

    mime = _EMBEDDABLE.get(source.suffix.lower())
    keys = c2pa.C2paSignerInfo(identity.algorithm, identity.chain_pem, identity.key_pem, None)
    settings = {"core": _FLAT_MEMORY, "verify": {"verify_after_sign": False}}
    builder = c2pa.Builder(_manifest(title, edited), context=c2pa.Context.from_dict(settings))
    if mime is None:
        builder.set_no_embed()
    try:
        if edited is not None:
            _add_parent(builder, edited)
        with (
            closing(builder),
            c2pa.Signer.from_info(keys) as signer,
            source.open("rb") as reading,
            signed.open("w+b") as writing,
        ):
            manifest = builder.sign(signer, mime or _ANY_BYTES, reading, writing)
    except c2pa.C2paError as error:
        fix = "check the signing key and its certificates"
        raise InputError(f"the file cannot be signed ({error})", title, fix) from error
    return manifest if mime is None else None


def _add_parent(builder: Any, edited: Path) -> None:
    """Name the video that was edited, with the manifest that it carries, if any that can be read."""
    import c2pa

    ingredient = {"title": edited.name, "relationship": "parentOf", "instance_id": _PARENT}
    mime = _EMBEDDABLE.get(edited.suffix.lower(), _ANY_BYTES)
    with edited.open("rb") as file:
        try:
            builder.add_ingredient(ingredient, mime, file)
        except c2pa.C2paError:
            if mime == _ANY_BYTES:
                raise
            file.seek(0)  # a file that players forgive for what it lacks; only its name can be told
            builder.add_ingredient(ingredient, _ANY_BYTES, file)


def sign_folder(folder: Path, title: str, identity: Identity, edited: Path | None = None) -> None:
    """Write the signed list of all files in `folder` into it; `edited` as for `sign`."""
    files = {file.name: _sha256(file) for file in sorted(folder.iterdir())}
    listing, copy = folder / FOLDER_LIST, folder / f"{FOLDER_LIST}.part.copy"
    listing.write_text(json.dumps({"note": SYNTHETIC_TAG, "sha256": files}, indent=1) + "\n", encoding="utf-8")
    manifest = sign(listing, copy, title, identity, edited)
    copy.unlink()
    (folder / FOLDER_MANIFEST).write_bytes(manifest or b"")


def _manifest(title: str, edited: Path | None) -> dict[str, Any]:
    tool = {"name": "vultus", "version": version("vultus")}
    made = {
        "action": "c2pa.created" if edited is None else "c2pa.edited",
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "softwareAgent": tool,
        "digitalSourceType": DIGITAL_SOURCE_TYPE,
    }
    opened = {"action": "c2pa.opened", "parameters": {"ingredientIds": [_PARENT]}}
    actions = [made] if edited is None else [opened, made]
    assertion = {"label": "c2pa.actions.v2", "data": {"actions": actions}}
    return {"claim_generator_info": [tool], "title": title, "assertions": [assertion]}


def verify(path: str | Path) -> Verification:
    """Read tag and manifest of a video, a PNG or a folder of PNG files and check the signature against the bytes.

    Raises InputError for what is none of these.
    """
    path = existing_path(path)
    if path.is_dir():
        return _verify_folder(path)
    readable, marked = _tag(existing_file(path))
    if path.suffix.lower() == ".png" and (path.parent / FOLDER_LIST).is_file():
        return _verify_listed([path], path, marked)
    sidecar, result = sidecar_of(path), _unsigned(path, marked)
    if sidecar is None:
        result = _read_manifest(path, _EMBEDDABLE[path.suffix.lower()], None, marked)
    elif os.path.isfile(sidecar):  # unlike Path.is_file, at ease with a name too long by a letter
        result = _read_manifest(path, _ANY_BYTES, sidecar.read_bytes(), marked)
    if not readable and result.signer is None:
        raise InputError("this is no whole video or picture", path, "give a file or folder that vultus has made")
    return result


def is_marked(path: Path) -> bool:
    """Whether a video or PNG file carries the tag of synthetic media; the tag alone, not the signed manifest."""
    return _tag(path)[1]


def _tag(path: Path) -> tuple[bool, bool]:
    """Whether the file can be opened as a video or PNG, and whether it carries the tag."""
    try:
        if path.suffix.lower() == ".png":
            with Image.open(path) as picture:
                return True, str(picture.info.get(TAG_KEY, "")).startswith(SYNTHETIC_TAG)
        with av.open(str(path), metadata_errors="replace") as container:
            tags = {key.lower(): value for key, value in container.metadata.items()}
            return True, tags.get(TAG_KEY, "").startswith(SYNTHETIC_TAG)
    except (av.FFmpegError, OSError, SyntaxError, ValueError):
        return False, False


def _unsigned(path: Path, marked: bool) -> Verification:
    return Verification(path, marked, False, False, False, False, reasons=("it carries no C2PA manifest",))


def _read_manifest(path: Path, mime: str, manifest: bytes | None, marked: bool) -> Verification:
    import c2pa

    own = known_identity()
    trust = {"trust_anchors": own.root_pem.decode()} if own else {}
    context = c2pa.Context.from_dict({"core": _FLAT_MEMORY, "verify": {"verify_trust": True}, "trust": trust})
    try:
        with path.open("rb") as file, c2pa.Reader(mime, file, manifest, context=context) as reader:
            report, state = json.loads(reader.json()), reader.get_validation_state()
    except c2pa.C2paError.ManifestNotFound:
        return _unsigned(path, marked)
    except c2pa.C2paError as error:
        return _unreadable(path, marked, str(error))
    try:
        signer, tool, made_at = _claim(report["manifests"][report["active_manifest"]])
    except (KeyError, TypeError, AttributeError) as error:  # what stands in a manifest is up to whoever wrote it
        return _unreadable(path, marked, f"malformed: {error}")
    faults = [row for row in report.get("validation_status", []) if row["code"] != "signingCredential.untrusted"]
    return Verification(
        path,
        marked,
        signed=True,
        valid=not faults and state in ("Valid", "Trusted"),
        tampered=any(not row["code"].startswith(("signingCredential.", "timeStamp.")) for row in faults),
        trusted=state == "Trusted",
        signer=signer,
        tool=tool,
        made_at=made_at,
        reasons=tuple(str(row.get("explanation") or row["code"]) for row in faults),
    )


def _claim(manifest: dict[str, Any]) -> tuple[str | None, str | None, str | None]:
    """Name on the certificate, the tool and the time that a manifest states."""
    info = (manifest.get("claim_generator_info") or [{}])[0]
    tool = " ".join(str(info[key]) for key in ("name", "version") if key in info)
    lists = [row["data"]["actions"] for row in manifest["assertions"] if row["label"].startswith("c2pa.actions")]
    times = [str(action["when"]) for actions in lists for action in actions if "when" in action]
    return manifest.get("signature_info", {}).get("common_name"), tool or None, times[0] if times else None


def _unreadable(path: Path, marked: bool, fault: str) -> Verification:
    reasons = (f"its manifest cannot be read ({fault})",)
    return Verification(path, marked, True, False, True, False, reasons=reasons)


def _verify_folder(folder: Path) -> Verification:
    pictures = sorted(folder.glob("*.png"))
    if not pictures:
        raise InputError("the folder holds no PNG files", folder, "give a folder that vultus has made")
    marked = all(_tag(picture)[1] for picture in pictures)
    if not (folder / FOLDER_LIST).is_file():
        return _unsigned(folder, marked)
    files = [file for file in sorted(folder.iterdir()) if file.name not in (FOLDER_LIST, FOLDER_MANIFEST)]
    return _verify_listed(files, folder, marked)


def _verify_listed(files: list[Path], path: Path, marked: bool) -> Verification:
    """Check `files` against the signed list of their folder; for `path` itself a folder, missing ones count too."""
    folder = path if path.is_dir() else path.parent
    manifest = folder / FOLDER_MANIFEST
    if not manifest.is_file():
        return _unsigned(path, marked)
    result = replace(_read_manifest(folder / FOLDER_LIST, _ANY_BYTES, manifest.read_bytes(), marked), path=path)
    if not result.valid:
        return result
    listed: dict[str, str] = json.loads((folder / FOLDER_LIST).read_text(encoding="utf-8"))["sha256"]
    faults = [f"{file.name} is not what was signed" for file in files if listed.get(file.name) != _sha256(file)]
    if path.is_dir():
        faults += [f"{name} is missing" for name in sorted(set(listed) - {file.name for file in files})]
    if not faults:
        return result
    return replace(result, valid=False, trusted=False, tampered=True, reasons=tuple(faults))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
