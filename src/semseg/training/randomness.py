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


def seed_update(seed: int, update: int, host: int = 0) -> None:
    """Makes what a host draws in an update depend on nothing but these; takes a millisecond."""
    of_host = f" host {host}" if host else ""
    mx.random.seed(Random(f"{seed} update {update}{of_host}").getrandbits(31))
