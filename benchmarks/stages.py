"""Where the time of a frame goes: exclusive processor time of chosen methods of living objects."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class Stages:
    """Seconds of this thread's processor time by stage; what a watched call spends in another one counts there only."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._inner: list[float] = []

    @contextmanager
    def watching(self, *calls: tuple[object, str, str]) -> Iterator[None]:
        """Time calls of (owner, attribute, stage) while inside; owners are instances or modules."""
        own = [vars(owner).get(name) for owner, name, _ in calls]
        for owner, name, stage in calls:
            setattr(owner, name, self._timed(getattr(owner, name), stage))
        try:
            yield
        finally:
            for (owner, name, _), before in zip(calls, own, strict=True):
                if before is None:  # it was its class's
                    delattr(owner, name)
                else:
                    setattr(owner, name, before)

    def _timed(self, call: Callable[..., Any], stage: str) -> Callable[..., Any]:
        def timed(*arguments: Any, **named: Any) -> Any:
            self._inner.append(0.0)
            began = time.thread_time()
            result = call(*arguments, **named)
            spent = time.thread_time() - began
            self.seconds[stage] += spent - self._inner.pop()
            if self._inner:
                self._inner[-1] += spent
            return result

        return timed
