# SPDX-License-Identifier: Apache-2.0
option(BOWLINE_DEVICE_ONLY "only core and boot, for a microcontroller" OFF)
option(BOWLINE_SANITIZE "AddressSanitizer and UndefinedBehaviorSanitizer" OFF)
option(BOWLINE_WERROR "warnings are errors" OFF)
option(BOWLINE_FUZZ "libFuzzer targets (clang)" OFF)
option(BOWLINE_TESTS "test programs" ON)
option(BOWLINE_COVERAGE "gcov" OFF)
option(BOWLINE_BENCH "benchmark programs" OFF)
option(BOWLINE_WEB "the dashboard, built with npm, in bowlined" ON)

# What every target of ours is compiled with.
add_library(bowline_flags INTERFACE)
target_compile_options(bowline_flags INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion
    -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wundef -Wcast-qual
    -Wwrite-strings -Wpointer-arith)
if(BOWLINE_WERROR)
    target_compile_options(bowline_flags INTERFACE -Werror)
endif()
if(BOWLINE_SANITIZE)
    target_compile_options(bowline_flags INTERFACE
        -fsanitize=address,undefined -fno-sanitize-recover=all
        -fno-omit-frame-pointer)
    target_link_options(bowline_flags INTERFACE
        -fsanitize=address,undefined)
endif()
if(BOWLINE_FUZZ)
    target_compile_options(bowline_flags INTERFACE
        -fsanitize=fuzzer-no-link)
endif()
if(BOWLINE_COVERAGE)
    target_compile_options(bowline_flags INTERFACE --coverage)
    target_link_options(bowline_flags INTERFACE --coverage)
endif()
if(NOT BOWLINE_DEVICE_ONLY)
    target_compile_options(bowline_flags INTERFACE
        -fstack-protector-strong -fPIE)
    target_compile_definitions(bowline_flags INTERFACE
        $<$<CONFIG:Release,RelWithDebInfo>:_FORTIFY_SOURCE=2>)
    target_link_options(bowline_flags INTERFACE -pie -Wl,-z,relro,-z,now)
endif()

# Programs are left in bin/ of the source tree by the release build only, so
# that a sanitizer build never replaces what a user runs.
if(CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT BOWLINE_DEVICE_ONLY)
    set(BOWLINE_BIN ${CMAKE_SOURCE_DIR}/bin)
else()
    set(BOWLINE_BIN ${CMAKE_BINARY_DIR}/bin)
endif()
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/test-programs)

# bowline_program(NAME [INTERNAL] SOURCES... LIBS libraries...): one program
# for bin/. INTERNAL: for demo and tests, never installed.
function(bowline_program name)
    cmake_parse_arguments(arg INTERNAL "" "SOURCES;LIBS" ${ARGN})
    add_executable(${name} ${arg_SOURCES})
    target_link_libraries(${name} PRIVATE bowline_flags ${arg_LIBS})
    set_target_properties(${name} PROPERTIES
        RUNTIME_OUTPUT_DIRECTORY ${BOWLINE_BIN})
    if(NOT arg_INTERNAL)
        install(TARGETS ${name} RUNTIME DESTINATION bin)
    endif()
endfunction()

find_program(CCACHE ccache)
if(CCACHE)
    set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
endif()
