"""Exit codes besides 0 and those of `core.errors`."""

from __future__ import annotations

INTERRUPTED = 130
"""After Ctrl-C: 128 + SIGINT, as shells have it."""
NOT_VERIFIED = 1
"""Of `verify`, for a file without a valid signature."""
NOTHING_PREPARED = 1
"""Of `prepare`, where not one clip could be prepared."""
