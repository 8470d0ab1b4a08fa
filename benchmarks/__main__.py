"""How fast is it? Every figure in one run, as processor time, so that ratios hold on a busy machine too.

python -m benchmarks                (`make bench`)
"""

from __future__ import annotations

from benchmarks.speed import main

if __name__ == "__main__":
    main()
