"""The methods, one folder each, which know nothing of each other."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import cast

from vultus.core.errors import ControlError
from vultus.core.method import Look, Method, Person, Personal, Renderer
from vultus.core.types import Portrait

METHODS: dict[str, str] = {
    "portrait": "vultus.methods.portrait",
    "emoface": "vultus.methods.emoface",
    "emogen": "vultus.methods.emogen",
}
"""The registry: name -> module with a `METHOD`, imported only when asked for."""

PERSONAL: dict[str, str] = {
    "blink_nerf": "vultus.methods.blink_nerf",
}
"""Methods that learn one person from a video and show nobody else: `METHOD` is `Personal`, its weights are the person.
"""

DEFAULT_METHOD = "portrait"
DEFAULT_RIG_METHOD = "emoface"
"""What makes videos, and what makes rig curves, unless another is chosen."""


def get_method(name: str) -> Method:
    """The method of that name. Raises ControlError naming the ones there are."""
    if name not in METHODS:
        raise ControlError(f"there is no method {name!r}", "--method", f"choose {', '.join([*METHODS, *PERSONAL])}")
    method: Method = importlib.import_module(METHODS[name]).METHOD
    return method


def get_personal(name: str) -> Personal:
    """The personal method of that name. Raises KeyError if there is none."""
    method: Personal = importlib.import_module(PERSONAL[name]).METHOD
    return method


def method_for(name: str, subject: object) -> Method:
    """The method of that name; a personal one with the person whose folder of weights `subject` names.

    Raises ControlError, for a person of a personal method too where another is asked for, and InputError for a folder
    that holds no person.
    """
    if name not in PERSONAL:
        _check_is_no_person(subject)
        return get_method(name)
    if not isinstance(subject, str | Path):
        raise ControlError(f"{name} shows a person it has learned", "portrait", "give the folder of their weights")
    return get_personal(name).person(Path(subject))


def renderer_for(method: Method, subject: Portrait | None, look: Look) -> Renderer:
    """A renderer of a portrait; without one, of the person whose method it is."""
    return cast(Person, method).renderer(None, look) if subject is None else method.renderer(subject, look)


def _check_is_no_person(subject: object) -> None:
    for name in PERSONAL if isinstance(subject, str | Path) else ():
        if str(subject) in get_personal(name).people and not Path(str(subject)).exists():
            raise ControlError(f"{subject} comes with {name}", "portrait", f"add --method {name}")
