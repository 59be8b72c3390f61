"""Instance types that the image cannot use, told before they cost anything.

MXNet 1.9.1's CUDA build holds machine code for compute capabilities 5.0 to 8.9 and nothing that a
newer driver could compile. The image is for x86-64.
"""

import re

_FAMILY = re.compile(r"ml\.([a-z0-9-]+)\.[a-z0-9]+")
_GPUS_WITHOUT_CODE = {
    "p2": "K80 GPUs (compute capability 3.7)",
    "p5": "H100 GPUs (compute capability 9.0)",
    "p5e": "H200 GPUs (compute capability 9.0)",
    "p5en": "H200 GPUs (compute capability 9.0)",
    "p6-b200": "B200 GPUs (compute capability 10.0)",
    "p6-b300": "B300 GPUs (compute capability 10.3)",
    "g7": "Blackwell GPUs (compute capability 12.0)",
    "g7e": "Blackwell GPUs (compute capability 12.0)",
}
_USABLE = "ml.g4dn, ml.g5, ml.g6, ml.g6e, ml.p3 and ml.p4d have GPUs that it can use"
_OTHER_ACCELERATOR = re.compile(r"(inf|trn|dl)\d+[a-z]*")
_ARM = re.compile(r"[a-z]+\d+g[a-z]*|p6e-.*")  # Graviton and Grace; m5, g5 and g4dn are not


def complaints(instance_type: str) -> list[str]:
    """Why the image cannot use this type of instance; nothing where it can, or may."""
    found = _FAMILY.fullmatch(instance_type)
    family = found[1] if found else ""
    if gpus := _GPUS_WITHOUT_CODE.get(family):
        return [f"{instance_type} has {gpus}, for which MXNet 1.9.1 has no code; {_USABLE}."]
    if _OTHER_ACCELERATOR.fullmatch(family):
        return [f"{instance_type} has an accelerator that MXNet cannot use; {_USABLE}."]
    if _ARM.fullmatch(family):
        return [f"{instance_type} has an ARM processor, and the image is for x86-64."]
    return []
