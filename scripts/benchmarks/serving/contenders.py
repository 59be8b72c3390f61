"""Who is measured: which engine, in which virtual environment, with which variables."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from semseg.container import available_cpus

_OURS = Path(".venv/bin/python")
# ONNX Runtime and OpenVINO want a newer numpy than MXNet can live with.
_THEIRS = Path(".venv-bench/bin/python")
# Whatever a shell happens to set must not decide.
_NOT_INHERITED = (
    *("OMP_", "KMP_", "GOMP_", "MKL_", "OPENBLAS_", "DNNL_", "ONEDNN_"),
    *("MXNET_", "MALLOC_", "SEMSEG_", "SAGEMAKER_"),
)


@dataclass(frozen=True)
class Contender:
    """One way to answer.

    Attributes:
        name: in the table.
        engine: of `scripts.benchmarks.serving.engines`.
        python: the interpreter that it runs in.
        variables: of its environment, besides those that are no business of a computation.
        serve: whether `serve` is its server; the others have a plain one.
    """

    name: str
    engine: str
    python: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    serve: bool = False

    def environment(self) -> dict[str, str]:
        """The whole environment of its processes."""
        kept = {
            name: text for name, text in os.environ.items() if not name.startswith(_NOT_INHERITED)
        }
        return {**kept, **self.variables}


_THREADS_SET = {"OMP_NUM_THREADS": str(available_cpus())}
# How long it takes is for the table to tell, whichever way it goes.
_INT8 = {"SEMSEG_PRECISION": "int8", "SEMSEG_PRECISION_CHECK": "off"}

CONTENDERS = {
    contender.name: contender
    for contender in (
        Contender("GluonCV, threads unset", "gluoncv", _OURS),
        Contender("GluonCV, threads set", "gluoncv", _OURS, _THREADS_SET),
        # `serve` sets its threads itself; the bare process gets what `serve` would set.
        Contender("this, fp32", "semseg", _OURS, serve=True),
        Contender("this, int8", "semseg, int8", _OURS, _INT8, serve=True),
        Contender("ONNX Runtime, fp32", "onnxruntime", _THEIRS),
        Contender("OpenVINO, its default", "openvino", _THEIRS),
    )
}
