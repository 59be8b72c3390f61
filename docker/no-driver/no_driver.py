"""Lets MXNet's CUDA build be imported on a host without NVIDIA's driver.

Every Python of the image runs this at its start (`no_driver.pth`). Where the driver is there, it is
loaded and nothing else is. Elsewhere the stand-in beside this file is: its name is the driver's, so
libmxnet.so finds it loaded already. It is on no search path and so never gets in a driver's way.
"""

import ctypes
import os

DRIVER = "libcuda.so.1"

try:
    ctypes.CDLL(DRIVER)
except OSError:
    ctypes.CDLL(os.path.join(os.path.dirname(__file__), DRIVER), ctypes.RTLD_GLOBAL)
