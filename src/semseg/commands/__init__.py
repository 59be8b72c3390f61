"""The commands of `semseg`, a module each.

A command's module has `add_to(commands)`, which adds its parser and sets the default `run`, the
function that does it. What takes long to import (MXNet, above all) is imported there and not at the
top, so that `semseg --help` answers at once. `semseg.cli` lists the modules.
"""

import argparse
from typing import TypeAlias

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
