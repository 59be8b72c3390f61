"""Whether the model fits into memory, and how large an image may be before a worker runs out."""

from dataclasses import dataclass
from pathlib import Path

from semseg.container import available_memory
from semseg.sagemaker.errors import CustomerError

_MIB = 1 << 20

# Below this a worker does not live to see its first image: found by narrowing a container's memory
# for FCN on ResNet-50 (450 to 512 MiB) and PSP on ResNet-101 (640 to 768 MiB).
_PROGRAM_BYTES = 170 * _MIB
_COPIES_OF_PARAMETERS = 1.9

# A worker without any image: the interpreter, MXNet, the parameters, oneDNN's kernels.
_WORKER_BYTES = 768 * _MIB

# What a forward takes for each pixel that is computed at once; measured at half a megapixel to two
# megapixels. The logits are an eighth of the image a side. A size that is prepared for takes up to
# a quarter more, but has half of these pixels at most.
_FORWARD_BYTES_A_PIXEL = {"fcn": 850, "psp": 850, "deeplab": 950}
_PART_OF_FORWARDS = 0.75

# What the whole of a larger image takes for each pixel: itself, its mask and the mask's encoding,
# and all logits twice, while they are put together.
_BYTES_A_PIXEL = 8
_BYTES_A_PIXEL_AND_CLASS = 0.2

# Larger images take a CPU several minutes.
MOST_PIXELS = 1 << 25
# However little memory there is, so many can be computed.
FEWEST_PIXELS = 512 * 512

# SageMaker's own limit for a real-time request.
_LONGEST_REQUEST = 6 * _MIB

# For requests on their way in: sixteen of the longest, but of long ones only as many as this part
# of what a worker has beside itself; and always one.
_REQUESTS = 16
_REQUESTS_PART = 4
_LEAST_REQUEST_BYTES = _REQUESTS * _LONGEST_REQUEST

# Of what a worker has beside itself, for images that wait, and answers: sixteen of 799x660 and 21
# classes in 4 GiB.
_ANSWERS_PART = 4
_LEAST_ANSWER_BYTES = 64 * _MIB
_MOST_ANSWER_BYTES = 2048 * _MIB


@dataclass(frozen=True)
class WaitingMemory:
    """Bytes of a worker for requests, and for images and their answers.

    Attributes:
        requests: what has come of them, until they are answered.
        answers: for images from decoding on, and their answers until they are taken.
    """

    requests: int
    answers: int


@dataclass(frozen=True)
class WorkerMemory:
    """What there is of a container's memory for each of a server's workers.

    Attributes:
        workers: processes that share the memory.
        longest: bytes of the longest request.
        memory: bytes; all that the container has if None.
    """

    workers: int
    longest: int = _LONGEST_REQUEST
    memory: int | None = None

    def waiting(self) -> WaitingMemory:
        """How much a worker may hold for clients."""
        beside = self._beside_the_worker()
        answers = max(_LEAST_ANSWER_BYTES, min(_MOST_ANSWER_BYTES, beside // _ANSWERS_PART))
        many = min(_REQUESTS * self.longest, beside // _REQUESTS_PART)
        return WaitingMemory(max(_LEAST_REQUEST_BYTES, self.longest, many), answers)

    def pixels_at_once(self, algorithm: str) -> int:
        """Pixels that all workers can compute at the same time; larger images come in pieces.

        Args:
            algorithm: of the model.
        """
        share = _PART_OF_FORWARDS * self._for_images()
        return max(FEWEST_PIXELS, int(share / _FORWARD_BYTES_A_PIXEL[algorithm]))

    def pixels(self, num_classes: int) -> int:
        """Pixels of the largest image of which all workers can make a mask at the same time.

        Args:
            num_classes: classes of the model.
        """
        share = (1 - _PART_OF_FORWARDS) * self._for_images()
        pixels = int(share / (_BYTES_A_PIXEL + _BYTES_A_PIXEL_AND_CLASS * num_classes))
        return max(FEWEST_PIXELS, min(MOST_PIXELS, pixels))

    def values(self) -> int:
        """Probabilities of the largest answer that all workers can make at the same time.

        They are there until they are taken, beside the next image's forward.
        """
        beside_forwards = (1 - _PART_OF_FORWARDS) * self._for_images()
        return max(FEWEST_PIXELS * 21, int(min(self.waiting().answers, beside_forwards)) // 4)

    def _for_images(self) -> int:
        waiting = self.waiting()
        return max(0, self._beside_the_worker() - waiting.requests - waiting.answers)

    def _beside_the_worker(self) -> int:
        memory = available_memory() if self.memory is None else self.memory
        return memory // self.workers - _WORKER_BYTES


def refuse_too_little_memory(parameters: Path, workers: int, memory: int | None = None) -> None:
    """Makes sure that the model can be loaded; else the kernel would kill one worker after another.

    Args:
        parameters: the model's parameter file.
        workers: processes that each load it.
        memory: bytes; all that the container has if None.

    Raises:
        CustomerError: how much there is, and how much it takes.
    """
    memory = available_memory() if memory is None else memory
    needed = workers * (_PROGRAM_BYTES + _COPIES_OF_PARAMETERS * parameters.stat().st_size)
    if memory < needed:
        each = f" in {workers} workers (SAGEMAKER_MODEL_SERVER_WORKERS)" if workers > 1 else ""
        raise CustomerError(
            f"{parameters.name}{each} needs at least {needed / _MIB:.0f} MiB of memory, and there "
            f"are {memory / _MIB:.0f} MiB. Give the container more (docker run --memory, or a "
            "larger instance)."
        )
