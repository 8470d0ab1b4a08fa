"""The container of glTF 2.0: arrays packed into one binary buffer, described as views and accessors, then a .glb file.

Khronos glTF 2.0 specification: sections 3.6 (buffers, accessors, sparse accessors) and 4 (GLB).
"""

from __future__ import annotations

import json
import struct
from typing import Any, BinaryIO

import numpy as np

FLOAT, UINT16, UINT32 = 5126, 5123, 5125
"""glTF's numbers for component types."""
VERTICES, INDICES = 34962, 34963
"""glTF's targets of buffer views."""
_TYPES = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4"}
_SPARSE_BELOW = 0.6
"""Share of rows that are not zero below which a sparse accessor is the smaller one."""
_MAGIC, _JSON_CHUNK, _BINARY_CHUNK = 0x46546C67, 0x4E4F534A, 0x004E4942


class GlbBuffer:
    """Collects arrays; `views` and `accessors` are what the document says about them."""

    def __init__(self) -> None:
        self.views: list[dict[str, Any]] = []
        self.accessors: list[dict[str, Any]] = []
        self._data = bytearray()

    def add(self, array: np.ndarray, target: int | None = None, bounds: bool = False) -> int:
        """An accessor of an array (N,) or (N, 2-4), float32, uint16 or uint32; `bounds` adds its range."""
        array = np.ascontiguousarray(array)
        accessor = {"bufferView": self._view(array, target), **_described(array)}
        if bounds:
            accessor |= _bounds(array)
        return self._keep(accessor)

    def add_offsets(self, array: np.ndarray) -> int:
        """An accessor of offsets (N, 3) float32, most of them zero: sparse where that is shorter."""
        array = np.ascontiguousarray(array, np.float32)
        rows = np.flatnonzero(array.any(1)).astype(np.uint16 if len(array) <= 65535 else np.uint32)
        if len(rows) > _SPARSE_BELOW * len(array):
            return self.add(array, VERTICES, bounds=True)
        if len(rows) == 0:  # a sparse accessor has at least one row
            rows = np.zeros(1, np.uint16)
        index_type = UINT16 if rows.dtype == np.uint16 else UINT32
        sparse = {
            "count": len(rows),
            "indices": {"bufferView": self._view(rows, None), "componentType": index_type},
            "values": {"bufferView": self._view(array[rows], None)},
        }
        return self._keep({**_described(array), **_bounds(array), "sparse": sparse})

    def write(self, document: dict[str, Any], file: BinaryIO) -> None:
        """Write the .glb: `document` with this buffer, its views and accessors."""
        self._data.extend(b"\0" * (-len(self._data) % 4))
        whole = document | {
            "buffers": [{"byteLength": len(self._data)}],
            "bufferViews": self.views,
            "accessors": self.accessors,
        }
        text = json.dumps(whole, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 4)
        file.write(struct.pack("<III", _MAGIC, 2, 12 + 8 + len(text) + 8 + len(self._data)))
        file.write(struct.pack("<II", len(text), _JSON_CHUNK) + text)
        file.write(struct.pack("<II", len(self._data), _BINARY_CHUNK) + self._data)

    def _view(self, array: np.ndarray, target: int | None) -> int:
        self._data.extend(b"\0" * (-len(self._data) % 4))
        view = {"buffer": 0, "byteOffset": len(self._data), "byteLength": array.nbytes}
        if target is not None:
            view["target"] = target
        self._data.extend(np.ascontiguousarray(array).tobytes())
        self.views.append(view)
        return len(self.views) - 1

    def _keep(self, accessor: dict[str, Any]) -> int:
        self.accessors.append(accessor)
        return len(self.accessors) - 1


def _described(array: np.ndarray) -> dict[str, Any]:
    component = {"f": FLOAT, "u": UINT16 if array.itemsize == 2 else UINT32}[array.dtype.kind]
    width = 1 if array.ndim == 1 else array.shape[1]
    return {"componentType": component, "count": len(array), "type": _TYPES[width]}


def _bounds(array: np.ndarray) -> dict[str, Any]:
    flat = array.reshape(len(array), -1)
    return {"min": flat.min(0).tolist(), "max": flat.max(0).tolist()}
