"""Hash encodings against a plain reference: dense and truly hashed levels, in two and three dimensions."""

from __future__ import annotations

import itertools
import math

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from vultus.methods.blink_nerf.config import PAPER, SMALL, GridConfig  # noqa: E402
from vultus.methods.blink_nerf.encoding import HashEncoding, TriPlane, Volume, spatial_hash  # noqa: E402

DENSE = GridConfig(levels=3, base=3, finest=9, features=2, log2_table=10)
HASHED = GridConfig(levels=2, base=7, finest=23, features=2, log2_table=4)
"""49 and 529 vertices, or their cubes, in a table of 16: everything collides."""


def reference(encoding: HashEncoding, points):
    """Features (M, copies * width), point by point and corner by corner, in plain numbers."""
    config, rows = encoding.config, []
    for m in range(points.shape[1]):
        row = []
        for copy, (resolution, table) in itertools.product(
            range(encoding.copies), zip(config.resolutions, encoding.tables, strict=True)
        ):
            place = [(min(max(float(x), -1), 1) + 1) / 2 * (resolution - 1) for x in points[copy, m]]
            low = [min(math.floor(x), resolution - 2) for x in place]
            total = [0.0] * config.features
            for corner in itertools.product((0, 1), repeat=len(place)):
                share, slot, vertex = 1.0, 0, []
                for axis, bit in enumerate(corner):
                    part = place[axis] - low[axis]
                    share *= part if bit else 1 - part
                    vertex.append(low[axis] + bit)
                    slot ^= vertex[-1] * (1, 2654435761, 805459861)[axis]
                slot %= 2**config.log2_table
                for feature in range(config.features):
                    if resolution ** len(place) > 2**config.log2_table:
                        value = table[copy, slot, feature]
                    else:  # the last coordinate counts rows
                        value = table[(copy, feature, *reversed(vertex))]
                    total[feature] += share * value.item()
            row += total
        rows.append(row)
    return torch.tensor(rows)


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize("config", [DENSE, HASHED], ids=["dense", "hashed"])
def test_it_is_the_plain_reference(config, dimensions):
    torch.manual_seed(1)
    encoding = HashEncoding(config, copies=2, dimensions=dimensions)
    assert all(encoding.is_hashed(r) == (config is HASHED) for r in config.resolutions)
    with torch.no_grad():
        for table in encoding.tables:
            table.uniform_(-1, 1)
    points = torch.rand(2, 40, dimensions) * 2.4 - 1.2  # some lie outside
    points[:, 0], points[:, 1] = 1.0, -1.0
    torch.testing.assert_close(encoding(points), reference(encoding, points), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize("config", [DENSE, HASHED], ids=["dense", "hashed"])
def test_gradients_reach_tables_and_points(config, dimensions):
    torch.manual_seed(2)
    encoding = HashEncoding(config, copies=1, dimensions=dimensions).double()
    points = (torch.rand(1, 3, dimensions, dtype=torch.float64) * 1.8 - 0.9).requires_grad_()
    names, tables = zip(*encoding.named_parameters(), strict=True)

    def look_up(at, *values):
        return torch.func.functional_call(encoding, dict(zip(names, values, strict=True)), (at,))

    tables = tuple(table.detach().clone().requires_grad_() for table in tables)
    assert torch.autograd.gradcheck(look_up, (points, *tables), fast_mode=True)


def test_the_hash_is_instant_ngps():
    vertex = torch.tensor([[3, 5, 7], [0, 0, 1], [511, 2, 0]])
    by_hand = [(x ^ (y * 2654435761) ^ (z * 805459861)) % 2**14 for x, y, z in vertex.tolist()]
    assert spatial_hash(vertex, 2**14).tolist() == by_hand
    flat = [(x ^ (y * 2654435761)) % 2**14 for x, y, _ in vertex.tolist()]
    assert spatial_hash(vertex[:, :2], 2**14).tolist() == flat


def test_collisions_share_and_the_rest_is_apart():
    slots = spatial_hash(torch.cartesian_prod(torch.arange(512), torch.arange(512)), 2**14)
    counts = torch.bincount(slots, minlength=2**14)
    assert counts.min() > 0 and counts.max() < 64, "the table is filled evenly: 16 vertices a slot on average"


def test_three_planes_side_by_side():
    tri = TriPlane(DENSE)
    point = torch.tensor([[0.1, -0.4, 0.7]])
    each = [tri.planes(point[None, :, plane].expand(3, -1, -1))[0] for plane in ([0, 1], [1, 2], [0, 2])]
    width = tri.width // 3
    expected = torch.cat([each[k][k * width : (k + 1) * width] for k in range(3)])
    torch.testing.assert_close(tri(point)[0], expected)
    assert tri.width == 18 and Volume(DENSE).width == 6


def test_presets_hash_as_they_say():
    paper = HashEncoding(PAPER.head.space, 3)
    assert paper.config.resolutions[0] == 64 and paper.config.resolutions[-1] == 512
    hashed = [paper.is_hashed(r) for r in paper.config.resolutions]
    assert not hashed[0] and hashed[-1] and sum(hashed) == 9
    assert not any(HashEncoding(SMALL.head.space, 3).is_hashed(r) for r in SMALL.head.space.resolutions)
