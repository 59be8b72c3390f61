"""Prepared for a size or not, a graph gives the same."""

from collections.abc import Sequence

import mxnet as mx
import numpy as np
import pytest

from semseg.inference.forward import Forward
from semseg.networks.graph import DATA, Graph, fused

# Of four cells, four, twelve, and eight, though it has but few pixels.
SMALL, OTHER, LARGE, THIN = (12, 10), (9, 14), (30, 20), (3, 60)


@pytest.fixture(scope="module")
def graph() -> Graph:
    weights = mx.nd.random.uniform(-1, 1, shape=(4, 3, 3, 3))
    symbol = mx.sym.Convolution(
        mx.sym.var(DATA), mx.sym.var("w"), no_bias=True, num_filter=4, kernel=(3, 3), name="conv"
    )
    symbol = mx.sym.Activation(symbol, act_type="relu", name="relu")
    return fused(Graph(symbol, {"w": weights}))


@pytest.mark.parametrize("sizes_kept", [1, 2])
@pytest.mark.parametrize(
    "order",
    [(SMALL,) * 3, (SMALL, SMALL, OTHER, SMALL, OTHER, OTHER), (LARGE, LARGE, SMALL, LARGE)],
)
def test_any_order_of_sizes(
    graph: Graph, order: Sequence[tuple[int, int]], sizes_kept: int
) -> None:
    forward = Forward(graph, mx.cpu(), sizes_kept=sizes_kept, most_pixels=300)
    for size in order:
        batch = mx.nd.random.uniform(-1, 1, shape=(1, 3, *size))
        expected = mx.nd.relu(
            mx.nd.Convolution(
                batch, graph.parameters["w"], no_bias=True, num_filter=4, kernel=(3, 3)
            )
        )
        np.testing.assert_allclose(forward(batch).asnumpy(), expected.asnumpy(), atol=1e-5)


def test_several_inputs_are_given_in_the_order_that_was_asked_for() -> None:
    product = mx.sym.broadcast_mul(mx.sym.var(DATA), mx.sym.var("factor"))
    symbol = mx.sym.broadcast_sub(mx.sym.var("less"), product)
    graph = Graph(symbol, {"factor": mx.nd.full((1,), 2)})
    forward = Forward(graph, mx.cpu(), (DATA, "less"))
    for _ in range(3):
        answer = forward(mx.nd.ones((1, 3, 4, 4)), mx.nd.full((1, 3, 4, 4), 5))
        np.testing.assert_array_equal(answer.asnumpy(), 3)


@pytest.mark.parametrize(
    ("order", "prepared"),
    [
        ((SMALL, SMALL, SMALL), 1),
        ((SMALL, OTHER, SMALL, OTHER), 0),
        ((SMALL, SMALL, LARGE, SMALL, SMALL), 2),
        ((LARGE, LARGE, LARGE), 0),
        ((THIN, THIN, THIN), 0),
    ],
)
def test_a_size_that_comes_again_is_prepared_for_once(
    graph: Graph, order: Sequence[tuple[int, int]], prepared: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    compiled = mx.nd.CachedOp
    monkeypatch.setattr(mx.nd, "CachedOp", lambda *given: made.append(given) or compiled(*given))
    forward = Forward(graph, mx.cpu(), most_pixels=300)
    for size in order:
        forward(mx.nd.ones((1, 3, *size))).wait_to_read()

    assert len(made) == 1 + prepared


def test_what_is_prepared_has_room_for_all_sizes_together(graph: Graph) -> None:
    forward = Forward(graph, mx.cpu(), sizes_kept=2, most_pixels=2 * 16 * 16)
    prepared = forward._pixels_prepared

    for size, pixels in ((SMALL, 256), (OTHER, 512), (THIN, 512), (LARGE, 0)):
        for _ in range(2):
            forward(mx.nd.ones((1, 3, *size))).wait_to_read()
        assert prepared() == pixels
    for _ in range(2):
        forward(mx.nd.ones((1, 3, *SMALL))).wait_to_read()
    forward.forget()
    assert not prepared()
