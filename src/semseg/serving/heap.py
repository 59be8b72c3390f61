"""Memory that nobody uses any more, given back to the system."""

import ctypes
import gc


def give_back_unused() -> None:
    """Makes the process as small as what it holds.

    A model is read, put together and brought into another form while it is loaded, each time with
    a copy of all weights. The C library keeps the room of those copies for later, 200 MB of it,
    unless it is told that there will be no later.
    """
    gc.collect()  # Gluon's blocks refer to each other in circles
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except AttributeError:  # not the GNU C library
        return
