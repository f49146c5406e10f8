# SPDX-License-Identifier: Apache-2.0
# The fleet simulator.
bowline_program(bowline-sim
    SOURCES fleet.c fleet_api.c fleet_compare.c fleet_device.c fleet_enrol.c
        fleet_factory.c fleet_flash.c fleet_link.c fleet_net.c
        fleet_options.c fleet_report.c fleet_rules.c fleet_shard.c
        fleet_show.c crypto_cache.c
    LIBS sim_flash bowline_posix host bowline_boot bowline_core
        bowline_crypto_openssl PkgConfig::CURL PkgConfig::JANSSON
        Threads::Threads)
target_compile_definitions(bowline-sim PRIVATE _GNU_SOURCE
    BOWLINE_VERSION="${PROJECT_VERSION}")
