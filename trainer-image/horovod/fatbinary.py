#!/usr/bin/env python3
"""What clang calls to join the code for several GPUs: CUDA's `fatbinary`, which no wheel of CUDA 12 holds, by its library.

fatbinary -64 --create TARGET --image=profile=sm_90,file=A --image=profile=compute_90,file=B
"""

import argparse
import ctypes
from pathlib import Path

import nvidia

LIBRARY = "nvfatbin/lib/libnvfatbin.so.12"


def main() -> None:
    """Write the images into one file; raises RuntimeError with the library's own words."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-64", action="store_true", required=True)
    parser.add_argument("--create", type=Path, required=True)
    parser.add_argument("--image", action="append", required=True)
    options = parser.parse_args()
    options.create.write_bytes(join([dict(part.split("=", 1) for part in image.split(",")) for image in options.image]))


def join(images: list[dict[str, str]]) -> bytes:
    """One fat binary of machine code (profile `sm_..`) and PTX (profile `compute_..`), each from its file."""
    library = ctypes.CDLL(str(Path(next(iter(nvidia.__path__))) / LIBRARY))
    library.nvFatbinGetErrorString.restype = ctypes.c_char_p

    def call(name: str, *arguments: object) -> None:
        result = getattr(library, name)(*arguments)
        if result != 0:
            raise RuntimeError(f"{name}: {library.nvFatbinGetErrorString(result).decode()}")

    handle, size = ctypes.c_void_p(), ctypes.c_size_t()
    choices = (ctypes.c_char_p * 1)(b"-64")
    call("nvFatbinCreate", ctypes.byref(handle), choices, len(choices))
    for image in images:
        kind, number = image["profile"].split("_")
        code, name = Path(image["file"]).read_bytes(), image["file"].encode()
        if kind == "compute":
            text = code + b"\0"
            call("nvFatbinAddPTX", handle, text, ctypes.c_size_t(len(text)), number.encode(), name, b"")
        else:
            call("nvFatbinAddCubin", handle, code, ctypes.c_size_t(len(code)), number.encode(), name)
    call("nvFatbinSize", handle, ctypes.byref(size))
    buffer = ctypes.create_string_buffer(size.value)
    call("nvFatbinGet", handle, buffer)
    call("nvFatbinDestroy", ctypes.byref(handle))
    return buffer.raw


if __name__ == "__main__":
    main()
