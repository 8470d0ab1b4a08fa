"""Configurations: frozen dataclasses as presets, changed by a short YAML file that names only what differs."""

from __future__ import annotations

import dataclasses
import difflib
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml

from vultus.core.errors import ControlError, InputError

Config = TypeVar("Config")
"""A frozen dataclass of numbers, strings, tuples and further such dataclasses."""


def overlay(preset: Config, changes: Mapping[str, Any], where: str = "config") -> Config:
    """The preset with some fields changed; `changes` nests as the dataclasses do.

    Raises ControlError for unknown fields and for values of the wrong type.
    """
    hints = typing.get_type_hints(type(preset))
    known = {f.name for f in dataclasses.fields(typing.cast(Any, preset))}
    new: dict[str, Any] = {}
    for key, value in changes.items():
        if key not in known:
            near = difflib.get_close_matches(str(key), known, n=1)
            fix = f"did you mean {near[0]}" if near else f"it has {', '.join(sorted(known))}"
            raise ControlError(f"there is no field {key!r}", where, fix)
        new[key] = _changed(getattr(preset, key), value, hints[key], f"{where}.{key}")
    return dataclasses.replace(typing.cast(Any, preset), **new)


def load_overlay(preset: Config, path: str | Path) -> Config:
    """The preset changed by a YAML file. Raises InputError for an unreadable file, ControlError as `overlay`."""
    try:
        changes = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError("this is no readable YAML file", path, "give lines of the form `field: value`") from error
    if changes is None:
        return preset
    if not isinstance(changes, dict):
        raise InputError("the file holds no fields", path, "give lines of the form `field: value`")
    return overlay(preset, changes, str(path))


def resolved(config: object) -> dict[str, Any]:
    """All fields as plain dicts, lists, strings and numbers, as they are saved beside a run or in a card."""
    return {f.name: _plain(getattr(config, f.name)) for f in dataclasses.fields(typing.cast(Any, config))}


def save_config(config: object, path: str | Path) -> None:
    """Write the resolved configuration as YAML; `load_overlay` on any preset of its type gives it back."""
    text = yaml.safe_dump(resolved(config), sort_keys=False, allow_unicode=True)
    target = Path(path)
    partial = target.with_name(f"{target.stem}.part{target.suffix}")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return resolved(value)
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return str(value) if isinstance(value, Path) else value


def _changed(old: Any, value: Any, hint: Any, where: str) -> Any:
    if dataclasses.is_dataclass(old) and isinstance(value, Mapping):
        return overlay(old, value, where)
    try:
        return _as_type(value, hint)
    except TypeError as error:
        wanted = getattr(hint, "__name__", None) if not typing.get_args(hint) else str(hint)
        raise ControlError(f"{value!r} is not {wanted or hint}", where) from error


def _as_type(value: Any, hint: Any) -> Any:
    """`value` as YAML gives it, in the annotated type; raises TypeError if it does not fit."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return _as_one_of(value, args)
    if origin is typing.Literal and value in args:
        return value
    if origin is tuple and isinstance(value, list | tuple):
        return _as_tuple(value, args)
    if origin is dict and isinstance(value, Mapping):
        return {_as_type(key, args[0]): _as_type(item, args[1]) for key, item in value.items()}
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if hint is Path and isinstance(value, str):
        return Path(value)
    if isinstance(hint, type) and isinstance(value, hint) and (hint is bool or not isinstance(value, bool)):
        return value
    raise TypeError(value)


def _as_one_of(value: Any, hints: tuple[Any, ...]) -> Any:
    for hint in hints:
        try:
            return _as_type(value, hint)
        except TypeError:
            continue
    raise TypeError(value)


def _as_tuple(value: list[Any] | tuple[Any, ...], hints: tuple[Any, ...]) -> tuple[Any, ...]:
    if len(hints) == 2 and hints[1] is Ellipsis:
        return tuple(_as_type(item, hints[0]) for item in value)
    if len(hints) != len(value):
        raise TypeError(value)
    return tuple(_as_type(item, hint) for item, hint in zip(value, hints, strict=True))
