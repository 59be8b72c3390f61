"""Which exceptions are the machine's fault, and what to say of them.

The standard library says so by error numbers. MXNet, which is not imported here, has one class of
exception for everything, so its sentences have to be known: they are those of MXNet 1.9.1.
"""

import errno

_BY_NUMBER = {
    errno.ENOSPC: "The disk is full",
    errno.EDQUOT: "The disk quota is used up",
    errno.EROFS: "The file system is read-only",
    errno.EACCES: "A file may not be used",
    errno.EPERM: "A file may not be used",
    errno.EIO: "The disk or the network file system failed",
    errno.ESTALE: "The network file system went away",
    errno.ENOTCONN: "The network file system went away",
    errno.ENOMEM: "The machine ran out of memory",
    errno.EMFILE: "The process has too many open files",
    errno.ENFILE: "The machine has too many open files",
}

_MEMORY = (
    "The machine ran out of memory; a smaller mini_batch_size or crop_size, or a larger instance, "
    "needs less"
)
_BY_SENTENCE = {
    "Failed to allocate CPU Memory": _MEMORY,  # storage/cpu_device_storage.h
    "out of memory": _MEMORY,  # CUDA's, whoever asked for it
    "std::bad_alloc": _MEMORY,
    "CUDNN_STATUS_ALLOC_FAILED": _MEMORY,
    "CUBLAS_STATUS_ALLOC_FAILED": _MEMORY,
    "FileStream.Write incomplete": "The disk is full, or it failed",  # dmlc-core/local_filesys.cc
    "LocalFileSystem": "A file could not be opened",
    "can't start new thread": "Another thread may not be started",  # Python's own
}


def fault_in(error: Exception) -> str | None:
    """What is wrong with the machine, if that is what the exception says; else None."""
    if isinstance(error, MemoryError):
        return _MEMORY
    if isinstance(error, OSError) and error.errno is not None:
        return _BY_NUMBER.get(error.errno)
    if isinstance(error, RuntimeError):
        text = str(error)
        return next((said for part, said in _BY_SENTENCE.items() if part in text), None)
    return None
