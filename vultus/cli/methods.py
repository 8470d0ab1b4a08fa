"""`vultus methods`."""

from __future__ import annotations

import importlib


def methods() -> int:
    """List the methods that can make a face talk."""
    from vultus.methods import METHODS, PERSONAL

    for name, module in (METHODS | PERSONAL).items():
        print(f"{name:<14} {(importlib.import_module(module).__doc__ or '').strip().splitlines()[0]}")
    return 0
