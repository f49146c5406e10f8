# SPDX-License-Identifier: Apache-2.0
# Devices and a server in one process, and the programs that cut their power.
add_library(sim_world STATIC fixture.c server.c device.c crypto_cache.c
    world.c scenario.c)
target_include_directories(sim_world PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
target_link_libraries(sim_world
    PUBLIC sim_flash author host bowline_boot bowline_core
    PRIVATE bowline_crypto_openssl bowline_flags)

# What makes patches for them; the world itself only serves some.
add_library(sim_patches STATIC patches.c)
target_link_libraries(sim_patches
    PUBLIC sim_world bowline_diff bowline_client_delta PRIVATE bowline_flags)

foreach(program powercut life hostile)
    add_executable(${program} ${program}.c)
    target_link_libraries(${program} PRIVATE sim_patches sim_world
        bowline_flags)
endforeach()
add_test(NAME sim_powercut COMMAND powercut --whole)
add_test(NAME sim_powercut_deltas COMMAND powercut --deltas)
add_test(NAME sim_life COMMAND life)
add_test(NAME sim_hostile COMMAND hostile)
