# SPDX-License-Identifier: Apache-2.0
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR riscv32)
set(CMAKE_C_COMPILER riscv64-unknown-elf-gcc)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(BOWLINE_CPU -march=rv32imc -mabi=ilp32 --specs=picolibc.specs)
include(${CMAKE_CURRENT_LIST_DIR}/device.cmake)
