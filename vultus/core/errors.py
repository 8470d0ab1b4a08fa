"""Errors a user can act on: what went wrong, where, and what to do about it."""

from __future__ import annotations


class VultusError(Exception):
    """Base of all errors that the command line shows as one sentence and answers with `exit_code`.

    Args:
        what: the fault, without a final full stop ("no face found").
        where: the file, option or time it concerns.
        fix: what the user can do about it.
    """

    exit_code = 2

    def __init__(self, what: str, where: object = None, fix: str | None = None) -> None:
        self.what, self.where, self.fix = what, where, fix
        place = f"{where}: " if where is not None else ""
        advice = f"; {fix}" if fix else ""
        super().__init__(f"{place}{what}{advice}.")


class InputError(VultusError):
    """A file or value given by the user cannot be used."""


class ControlError(VultusError):
    """A control is malformed, out of range, or not supported by the method."""


class MissingPartError(VultusError):
    """A package, weight file or asset that this call needs is not installed."""


def with_extra(name: str) -> str:
    """How to install one of the package's extras: from its own folder, as no index is known to have it."""
    return f"run in the folder of vultus: pip install -c constraints.txt -e '.[{name}]'"
