"""The `vultus` command, and `python -m vultus`."""

from __future__ import annotations

import os
import sys

from vultus.core.threads import THREAD_LIMITS


def main() -> None:
    """Run one command with the arguments of this process."""
    if sys.argv[1:2] != ["train"]:  # torch's own threads do pay
        for name in THREAD_LIMITS:
            os.environ.setdefault(name, "1")
    from vultus import cli  # only now: numpy reads the limits

    cli.main()


if __name__ == "__main__":
    main()
