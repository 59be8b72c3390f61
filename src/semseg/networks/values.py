"""The values of a parameter file, put into a network that has others."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from mxnet import nd
from mxnet.base import MXNetError

from semseg.sagemaker.errors import CustomerError

AUXILIARY_HEAD = "auxlayer."


def set_values(parameters: Mapping[str, Any], values: Mapping[str, Any], source: str) -> None:
    """Gives initialized parameters the values of the same name, on all their devices.

    Values of another type (float16, say) are cast to the parameters'.

    Args:
        parameters: Gluon's, by their names in files.
        values: NDArrays; there may be others besides.
        source: where they come from, as messages begin.

    Raises:
        CustomerError: some are missing, or of another shape.
    """
    problems = [
        f"{name} is missing"
        if name not in values
        else f"{name} has shape {values[name].shape} instead of {parameter.shape}"
        for name, parameter in parameters.items()
        if name not in values or values[name].shape != parameter.shape
    ]
    if problems:
        raise CustomerError(
            f"{source} does not fit: {problems[0]}"
            + (f", and {len(problems) - 1} more differences." if len(problems) > 1 else ".")
        )
    for name, parameter in parameters.items():
        parameter.set_data(values[name].astype(parameter.dtype))


def load_model(network: Any, path: Path, source: str) -> None:
    """Gives an initialized network the values of a whole model.

    An auxiliary head that only the file has is left out; one that only the network has keeps its
    values, as the original's `_aux_loss` may differ from job to job.

    Args:
        network: a segmentation network.
        path: a Gluon parameter file, or one of MXNet's older modules.
        source: where it comes from, as messages begin.

    Raises:
        CustomerError: the file is damaged, lacks parameters, has some of another shape, or values
            that are no finite numbers.
    """
    try:
        loaded = nd.load(str(path))
    except MXNetError:
        raise CustomerError(f"{source} is damaged: copy it again.") from None
    values = {name.removeprefix("arg:").removeprefix("aux:"): loaded[name] for name in loaded}
    with_auxiliary_head = any(name.startswith(AUXILIARY_HEAD) for name in values)
    wanted = {
        name: parameter
        for name, parameter in network._collect_params_with_prefix().items()
        if with_auxiliary_head or not name.startswith(AUXILIARY_HEAD)
    }
    set_values(wanted, values, source)
    for name in wanted:
        if not np.isfinite(values[name].asnumpy()).all():
            raise CustomerError(f"{source} cannot be used: not all of {name} are finite numbers.")
