"""`vultus methods`."""

from __future__ import annotations

import importlib


def methods() -> int:
    """List the methods that can make a face talk, and the people whom those know who learn one person."""
    from vultus.methods import METHODS, PERSONAL, get_personal

    for name, module in (METHODS | PERSONAL).items():
        print(f"{name:<14} {(importlib.import_module(module).__doc__ or '').strip().splitlines()[0]}")
        for person in get_personal(name).people if name in PERSONAL else ():
            print(f"{'':<14} {person} comes with vultus: vultus speak {person} --method {name} --voice ... -o ...")
    return 0
