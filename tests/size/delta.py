#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Code of a linked decoder of patches, held to a limit.

    delta.py BUILD IMAGE LIMIT
"""
import pathlib
import sys

from carried import kept


def main():
    build, image, limit = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    sizes = kept(build / f"{image}.map")
    hashing, helpers = sizes.pop("sha256.c", 0), sizes.pop("libgcc", 0)
    total = sum(sizes.values())
    print(f"{image}: {total} bytes of code (at most {limit}); SHA-256 "
          f"{hashing}, the compiler's helpers {helpers}")
    print("   ", "; ".join(f"{name} {size}"
                           for name, size in sorted(sizes.items())))
    if total > int(limit):
        raise SystemExit(f"{image}: {total} bytes are more than {limit}")


if __name__ == "__main__":
    main()
