# SPDX-License-Identifier: Apache-2.0
# The update server that was broken into.
if(TARGET author AND TARGET bowline_crypto_openssl)
    bowline_program(bowline-rogue INTERNAL
        SOURCES rogue.c rogue_attack.c rogue_http.c rogue_poll.c
        LIBS author host bowline_core bowline_crypto_openssl
            PkgConfig::MICROHTTPD Threads::Threads)
    target_compile_definitions(bowline-rogue PRIVATE _GNU_SOURCE)
endif()
