# SPDX-License-Identifier: Apache-2.0
# The fleet simulator. What is pure is a library, so that tests link it.
add_library(sim_fleet STATIC fleet_flash.c fleet_rules.c)
target_include_directories(sim_fleet PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
target_compile_definitions(sim_fleet PRIVATE _GNU_SOURCE)
target_link_libraries(sim_fleet PUBLIC host bowline_crypto_openssl
    bowline_core PRIVATE bowline_flags)

bowline_program(bowline-sim
    SOURCES fleet.c fleet_api.c fleet_compare.c fleet_device.c fleet_enrol.c
        fleet_esp.c fleet_factory.c fleet_keep.c fleet_link.c fleet_nature.c fleet_net.c
        fleet_options.c fleet_patch.c fleet_report.c fleet_shard.c fleet_show.c
        crypto_cache.c
    LIBS sim_fleet bowline_posix esp_follow host bowline_boot bowline_client_delta
        bowline_core
        bowline_crypto_openssl PkgConfig::CURL PkgConfig::JANSSON
        Threads::Threads)
target_compile_definitions(bowline-sim PRIVATE _GNU_SOURCE
    BOWLINE_VERSION="${PROJECT_VERSION}")
