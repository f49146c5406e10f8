# SPDX-License-Identifier: Apache-2.0
# Devices and a server in one process, and the programs that cut their power.
add_library(sim_world STATIC fixture.c server.c device.c crypto_cache.c
    world.c scenario.c)
target_include_directories(sim_world PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
target_link_libraries(sim_world
    PUBLIC sim_flash author host bowline_boot bowline_core
    PRIVATE bowline_crypto_openssl bowline_flags)

foreach(program powercut life)
    add_executable(${program} ${program}.c)
    target_link_libraries(${program} PRIVATE sim_world bowline_flags)
    add_test(NAME sim_${program} COMMAND ${program})
endforeach()
