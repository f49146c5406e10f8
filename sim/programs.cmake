# SPDX-License-Identifier: Apache-2.0
if(TARGET author AND TARGET bowline_boot AND TARGET bowline_crypto_openssl)
add_library(sim_world STATIC fixture.c server.c device.c crypto_cache.c
    world.c scenario.c)
target_include_directories(sim_world PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
target_link_libraries(sim_world
    PUBLIC sim_flash author host bowline_boot bowline_core
    PRIVATE bowline_crypto_openssl bowline_flags)

add_executable(powercut powercut.c)
target_link_libraries(powercut PRIVATE sim_world bowline_flags)
if(CMOCKA_FOUND)
    add_test(NAME sim_powercut COMMAND powercut)
endif()
endif()
