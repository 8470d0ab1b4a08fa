"""Which generated video belongs to which real one: files, folders by name, and folders of folders as methods."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from vultus.core.errors import InputError
from vultus.core.files import existing_path

VIDEO_SUFFIXES = frozenset({".mp4", ".mov", ".m4v", ".webm", ".mkv", ".avi", ".mpg", ".mpeg", ".ts"})


@dataclass(frozen=True)
class Group:
    """One real clip and what each method made of it."""

    name: str
    """Path below the folder of real clips, without the suffix."""
    reference: Path
    generated: dict[str, Path]
    """Method -> video."""
    other_voice: Path | None = None
    """A file with the voice of another clip, for the null of swapped voices."""
    emotion: str | None = None
    """The emotion that was asked for, one of `core.controls.EMOTIONS`."""


@dataclass(frozen=True)
class Pairing:
    """All groups, the methods in order, and what was left over, in sentences."""

    groups: list[Group]
    methods: list[str]
    notes: list[str] = field(default_factory=list)


def pair_up(generated: str | Path, reference: str | Path) -> Pairing:
    """Find the pairs of two files, of two folders, or of a folder of videos against one file.

    Of two folders, videos of the same name (path below the folder, without the suffix) belong together. If none do, the
    folders in `generated` are taken for methods. With one reference file every generated video is a method of its own,
    called by its file's name. Raises InputError where no pair is found.
    """
    generated, reference = existing_path(generated), existing_path(reference)
    if reference.is_file():
        made = [generated] if generated.is_file() else list(videos_in(generated).values())
        if not made:
            raise InputError("this folder holds no video", generated, _what_counts())
        methods = {path.stem: path for path in made}
        if len(methods) < len(made):
            raise InputError("two of the videos have the same name", generated, "rename one")
        return Pairing([Group(reference.stem, reference, methods)], list(methods))
    if generated.is_file():
        raise InputError("a single video cannot be compared with a folder", generated, "name the file it belongs to")
    return _of_folders(generated, reference)


def videos_in(folder: Path) -> dict[str, Path]:
    """Name -> video of all videos below a folder, in order of name. Raises InputError where two share a name."""
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in VIDEO_SUFFIXES or ".part." in path.name or not path.is_file():
            continue
        name = path.relative_to(folder).with_suffix("").as_posix()
        if name in found:
            raise InputError(f"two videos are called {name}", folder, "remove or rename one")
        found[name] = path
    return found


def _of_folders(generated: Path, reference: Path) -> Pairing:
    real, made = videos_in(reference), videos_in(generated)
    for folder, videos in ((reference, real), (generated, made)):
        if not videos:
            raise InputError("this folder holds no video", folder, _what_counts())
    if real.keys() & made.keys():
        by_method = {generated.resolve().name: made}
    else:
        by_method = {f.name: videos_in(f) for f in sorted(generated.iterdir()) if f.is_dir()}
        by_method = {method: videos for method, videos in by_method.items() if real.keys() & videos.keys()}
    if not by_method:
        raise InputError(
            f"no video here has the name of one in {reference}", generated, "name both alike, whatever their suffix"
        )
    return Pairing(_grouped(real, by_method), list(by_method), _left_over(real, by_method))


def _grouped(real: dict[str, Path], by_method: dict[str, dict[str, Path]]) -> list[Group]:
    used = [name for name in real if any(name in videos for videos in by_method.values())]
    groups = []
    for k, name in enumerate(used):
        versions = {method: videos[name] for method, videos in by_method.items() if name in videos}
        other = real[used[(k + 1) % len(used)]] if len(used) > 1 else None
        groups.append(Group(name, real[name], versions, other))
    return groups


def _left_over(real: dict[str, Path], by_method: dict[str, dict[str, Path]]) -> list[str]:
    notes = []
    for method, videos in by_method.items():
        missing, strange = sorted(real.keys() - videos.keys()), sorted(videos.keys() - real.keys())
        if missing:
            notes.append(f"{method} has no video for {_listed(missing)}.")
        if strange:
            notes.append(f"{method}: nothing real to compare {_listed(strange)} with.")
    return notes


def _listed(names: list[str], most: int = 5) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _what_counts() -> str:
    return f"videos end in {' '.join(sorted(VIDEO_SUFFIXES))}"
