/* A stand-in for NVIDIA's driver library on hosts that have none. MXNet's CUDA build needs ten of these functions to
   be loaded at all, and semseg.gpus asks the other two; each answers that there is no device, after which MXNet runs on
   the CPU. */

enum { CUDA_SUCCESS = 0, CUDA_ERROR_NO_DEVICE = 100 };

#define NO_DEVICE(name) \
    int name(void) { return CUDA_ERROR_NO_DEVICE; }

NO_DEVICE(cuInit)
NO_DEVICE(cuDeviceGetCount)

NO_DEVICE(cuDeviceGet)
NO_DEVICE(cuDevicePrimaryCtxRetain)
NO_DEVICE(cuGraphKernelNodeGetParams)
NO_DEVICE(cuGraphNodeGetType)
NO_DEVICE(cuLaunchKernel)
NO_DEVICE(cuModuleGetFunction)
NO_DEVICE(cuModuleLoadData)
NO_DEVICE(cuModuleLoadDataEx)
NO_DEVICE(cuModuleUnload)

int cuGetErrorString(int error, const char **text) {
    (void)error;
    *text = "this host has no NVIDIA driver";
    return CUDA_SUCCESS;
}
