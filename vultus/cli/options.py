"""How options that several verbs share are written, and shown by `--help`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import tyro


def optional(metavar: str, otherwise: str) -> Any:
    """How `--help` shows an option that may be left out; `otherwise` says what happens then."""
    return tyro.conf.arg(metavar=metavar, help_behavior_hint=f"(default: {otherwise})")


PortraitPath = tyro.conf.Positional[Annotated[Path, tyro.conf.arg(metavar="PORTRAIT")]]
VideoPath = tyro.conf.Positional[Annotated[Path, tyro.conf.arg(metavar="VIDEO")]]
Output = Annotated[Path, tyro.conf.arg(aliases=["-o"])]
AsJson = Annotated[bool, tyro.conf.arg(name="json"), tyro.conf.FlagCreatePairsOff]
Size = Annotated[int | None, optional("INT", "the picture's own, at most 1280; 512 with --crop face")]
End = Annotated[float | None, optional("FLOAT", "its end")]
Face = Annotated[int | None, optional("INT", "the largest")]
