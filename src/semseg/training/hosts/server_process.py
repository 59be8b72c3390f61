"""ps-lite's scheduler or server, as a process of its own that ends with `train`.

Which of them, and where, is in the environment. `train` holds the other end of standard input.
"""

import os
import threading


def main() -> None:
    """Runs until `train` ends, in whatever way."""
    threading.Thread(target=_end_with_train, daemon=True).start()
    import mxnet  # noqa: F401  (which is how MXNet starts either role)


def _end_with_train() -> None:
    # Not by way of `sys.stdin`, whose lock the interpreter wants for itself when it ends.
    while os.read(0, 1):
        pass
    os._exit(0)


if __name__ == "__main__":
    main()
