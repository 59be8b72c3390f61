"""Serving next to the other ways to run the same network on a CPU; `make bench-serving`."""
