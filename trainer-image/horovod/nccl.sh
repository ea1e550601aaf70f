# Sourced by build.sh in Horovod's source when HOROVOD_GPU_OPERATIONS=NCCL: what a build with CUDA 12 needs beside that.
#
# CUDA's own compiler is in no wheel of CUDA 12. Horovod has one file with device code; clang compiles it, as it does
# TensorFlow's own, with ptxas, libdevice and the headers from the wheels, for the GPUs that TensorFlow's wheel has code for.
cuda=$(mktemp -d)
nvidia=$(python3 -c 'import nvidia; print(next(iter(nvidia.__path__)))')
mkdir -p "$cuda/bin" "$cuda/include" "$cuda/lib" "$cuda/nvvm"
for part in cuda_runtime cuda_nvcc cuda_cccl curand nccl; do
  cp -rs --update "$nvidia/$part/include/." "$cuda/include"
done
ln -s "$nvidia/cuda_nvcc/bin/ptxas" "$cuda/bin/"
ln -s "$scripts/fatbinary.py" "$cuda/bin/fatbinary"
ln -s "$nvidia/cuda_nvcc/nvvm/libdevice" "$cuda/nvvm/"
ln -s "$nvidia/cuda_runtime/lib/libcudart.so.12" "$cuda/lib/libcudart.so"
ln -s "$nvidia/nccl/lib/libnccl.so.2" "$cuda/lib/libnccl.so"
clang++-19 -x cuda -c horovod/common/ops/cuda/cuda_kernels.cu -o "$cuda/kernels.o" -O3 -fPIC -std=c++17 \
  --cuda-path="$cuda" -Wno-unknown-cuda-version --no-cuda-include-ptx=all --cuda-include-ptx=sm_90 \
  --cuda-gpu-arch=sm_60 --cuda-gpu-arch=sm_70 --cuda-gpu-arch=sm_80 --cuda-gpu-arch=sm_89 --cuda-gpu-arch=sm_90
ar rc "$cuda/lib/libhorovod_cuda_kernels.a" "$cuda/kernels.o"

# CMake would look for nvcc: it is told where things are, and the kernels are a library that is there already.
sed -i -e 's|find_package(CUDAToolkit REQUIRED)|list(APPEND LINKER_LIBS cudart)|' \
  -e '/include_directories(SYSTEM ${CMAKE_CUDA_TOOLKIT_INCLUDE_DIRECTORIES})/d' \
  -e '/add_subdirectory(horovod\/common\/ops\/cuda)/d' CMakeLists.txt

# TensorFlow no longer exports the function that Horovod asks for the CUDA stream, but the stream says it itself.
cat > "$cuda/include/stream_of_tensorflow.h" <<'HEADER'
#if HAVE_GPU
namespace stream_executor::gpu {
static GpuStreamHandle AsGpuStreamValue(Stream* stream) {
  return static_cast<GpuStreamHandle>(stream->platform_specific_handle().stream);
}
}
#endif
HEADER
sed -i -e '/^\/\/ Forward declaration of AsGpuStreamValue/,/^} \/\/ namespace gpu/d' \
  -e '/^#undef LOG/i #include "stream_of_tensorflow.h"' horovod/tensorflow/mpi_ops.cc

export CPLUS_INCLUDE_PATH="$cuda/include" LIBRARY_PATH="$cuda/lib" HOROVOD_NCCL_HOME="$cuda" HOROVOD_NCCL_LINK=SHARED
# Found beside the package, as TensorFlow finds its own.
export LDFLAGS="-Wl,-rpath,'\$ORIGIN/../../nvidia/cuda_runtime/lib:\$ORIGIN/../../nvidia/nccl/lib'"
