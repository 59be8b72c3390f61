"""Where chance comes from, beside the data: initial values and dropout.

MXNet's generators cannot be read out, so a checkpoint could not hold their state. Instead they are
seeded before each update, from the run's seed and the number of that update. What a run draws then
depends on where it stands, and not on whether it was interrupted on the way.
"""

from random import Random

import mxnet as mx


def seed_initial_values(seed: int) -> None:
    """Makes the parameters' initial values those of this seed."""
    mx.random.seed(seed)


def seed_update(seed: int, update: int) -> None:
    """Makes what is drawn in an update depend on seed and update only; takes a millisecond."""
    mx.random.seed(Random(f"{seed} update {update}").getrandbits(31))
