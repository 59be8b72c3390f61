"""ImageNet weights of the backbones: found in a folder, else fetched from GluonCV's model store."""

import hashlib
import logging
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semseg.networks.architecture import backbone_of
from semseg.networks.parameter_file import ParameterFileError, read_shapes
from semseg.sagemaker.errors import CustomerError
from semseg.sagemaker.files import write_bytes

FOLDER_VARIABLE = "SEMSEG_BACKBONES"
_FOLDER = Path("/opt/semseg/backbones")
# The deep-stem ResNets that GluonCV's segmentation models are built on.
STORE_NAMES = {"resnet-50": "resnet50_v1s", "resnet-101": "resnet101_v1s"}
_STORE_TIMEOUT_SECONDS = 10

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sources:
    """Where pretrained weights may come from, in this order.

    Attributes:
        folder: files named `resnet50_v1s*.params` and `resnet101_v1s*.params`.
        cache: where GluonCV keeps what it downloaded before.
        mirror: address used instead of GluonCV's own model store.
    """

    folder: Path
    cache: Path
    mirror: str | None = None

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "Sources":
        """`SEMSEG_BACKBONES` (else the image's own folder), `MXNET_HOME`, `MXNET_GLUON_REPO`."""
        home = environ.get("MXNET_HOME")
        return cls(
            folder=Path(environ.get(FOLDER_VARIABLE) or _FOLDER),
            cache=Path(home or os.path.expanduser("~/.mxnet")) / "models",
            mirror=environ.get("MXNET_GLUON_REPO") or None,
        )


def locate(backbone: str, sources: Sources) -> Path:
    """The parameter file of a pretrained backbone, checked but not loaded.

    Args:
        backbone: `resnet-50` or `resnet-101`.
        sources: where to look.

    Raises:
        CustomerError: not to be had, damaged, or of another network.
    """
    name = STORE_NAMES[backbone]
    folder = sources.folder
    candidates = sorted(folder.glob(f"{name}*.params")) if folder.is_dir() else []
    if not candidates:
        return _from_store(backbone, sources)
    # A file with GluonCV's name and checksum, `resnet50_v1s-25a187fa.params`, goes first.
    path = min(candidates, key=lambda candidate: _checksum_in_name(candidate) is None)
    _check(path, backbone)
    return path


def fetch(backbone: str, folder: Path, mirror: str | None) -> Path:
    """Downloads a backbone from GluonCV's model store, or from its mirror, into a folder.

    GluonCV keeps a file that is there already and checks SHA-1 in any case.

    Raises:
        OSError, ValueError, RuntimeError: the store can't be reached, or what it sent is not
            the file that GluonCV knows.
    """
    # The store's module imports MXNet, which a backbone found in the folder does not need.
    import requests
    from gluoncv.model_zoo import model_store

    if whole := fetched(backbone, folder):
        return whole
    kept = _place(backbone, folder)
    store = (mirror or model_store.apache_repo_url).rstrip("/")
    address = f"{store}/gluon/models/{kept.stem}.zip"
    # GluonCV's download waits without limit for a host that does not answer; ask first.
    with requests.get(address, stream=True, timeout=_STORE_TIMEOUT_SECONDS) as answer:
        answer.raise_for_status()
    path = Path(model_store.get_model_file(STORE_NAMES[backbone], root=str(folder)))
    if path != kept:  # GluonCV prefers MXNET_HOME to the folder it is given
        write_bytes(kept, path.read_bytes())
    return kept


def fetched(backbone: str, folder: Path) -> Path | None:
    """What `fetch` has put into a folder before; None if it is not there, or not whole."""
    path = _place(backbone, folder)
    return path if path.is_file() and _checksum_matches(path) else None


def load(network: Any, path: Path) -> None:
    """Puts pretrained values into an initialized network's backbone; the heads stay as they are.

    Values of another type (float16, say) are cast to the network's.

    Raises:
        CustomerError: the file lacks parameters or has some of another shape.
    """
    from mxnet import nd
    from mxnet.base import MXNetError

    from semseg.networks.values import set_values

    try:
        pretrained = nd.load(str(path))
    except MXNetError:
        raise CustomerError(f"The backbone file {path} is damaged: fetch it again.") from None
    wanted = {
        name: parameter
        for name, parameter in network._collect_params_with_prefix().items()
        if not name.startswith(("head.", "auxlayer."))
    }
    set_values(wanted, pretrained, f"The backbone file {path}")


def _place(backbone: str, folder: Path) -> Path:
    """Where `fetch` puts a backbone: GluonCV's name for it, with the checksum."""
    from gluoncv.model_zoo import model_store

    name = STORE_NAMES[backbone]
    return folder / f"{name}-{model_store.short_hash(name)}.params"


def _from_store(backbone: str, sources: Sources) -> Path:
    try:
        return fetch(backbone, sources.cache, sources.mirror)
    except Exception as error:  # whatever a network, a proxy, a zip file or a disk can do
        _logger.debug("GluonCV's model store", exc_info=True)
        reason = f"{type(error).__name__}: {str(error).rstrip('.')[:200]}"
        raise CustomerError(
            f"The pretrained weights of {backbone} are not to be had: there is no "
            f"{STORE_NAMES[backbone]}*.params in {sources.folder}, and GluonCV's model store "
            f"failed ({reason}). Either put the file there (`semseg fetch-backbones` does it where "
            "the store, or a mirror named by MXNET_GLUON_REPO, can be reached; "
            f"{FOLDER_VARIABLE} names another folder), or train from scratch with "
            "use_pretrained_model=False."
        ) from None


def _check(path: Path, backbone: str) -> None:
    try:
        found = backbone_of(read_shapes(path))
        whole = _checksum_matches(path)
    except (ParameterFileError, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise CustomerError(f"The backbone file {path} {reason}: fetch it again.") from None
    if not whole:
        raise CustomerError(
            f"The backbone file {path} is damaged: its SHA-1 does not start with "
            f"{_checksum_in_name(path)}, as its name says. Fetch it again."
        )
    if found != backbone:
        raise CustomerError(
            f"The backbone file {path} does not fit: it holds "
            f"{found or 'no ResNet v1s as GluonCV saves it'}, and {backbone} is wanted."
        )


def _checksum_in_name(path: Path) -> str | None:
    match = re.search(r"_v1s-([0-9a-f]{8})\.params$", path.name)
    return match.group(1) if match else None


def _checksum_matches(path: Path) -> bool:
    expected = _checksum_in_name(path)
    if expected is None:
        return True
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha1").hexdigest().startswith(expected)
