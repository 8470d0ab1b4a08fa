"""Render the bare head model: neutral, people drawn from its identity space, and each ARKit shape.

python tools/preview_head.py out/head.png
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from vultus.core.bases import ARKIT52
from vultus.face.head import embedded_head
from vultus.rendering.preview import preview_head

COLUMNS = 10


def main() -> None:
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "out/head.png")
    head, rng = embedded_head(), np.random.default_rng(3)
    people = [rng.normal(size=len(head.identity_basis)) * 0.9 for _ in range(5)]
    cells = [preview_head(head, ypr_deg=(yaw, 0, 0)) for yaw in (-70, -35, 0, 35, 70)]
    cells += [preview_head(head, identity=person, ypr_deg=(-20, 5, 0)) for person in people]
    cells += [preview_head(head, expression=row) for row in np.eye(len(ARKIT52), dtype=np.float32)]
    cells += [np.full_like(cells[0], 232)] * (-len(cells) % COLUMNS)
    rows = [np.hstack(cells[k : k + COLUMNS]) for k in range(0, len(cells), COLUMNS)]
    target.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.vstack(rows)).save(target)
    print(target)


if __name__ == "__main__":
    main()
