# SPDX-License-Identifier: Apache-2.0
# Cryptography of hosts: signature checks and SHA-256 by OpenSSL. Link it
# instead of bowline_sha256.
add_library(bowline_crypto_openssl STATIC crypto_openssl.c sha256_openssl.c)
target_include_directories(bowline_crypto_openssl PUBLIC include
    $<TARGET_PROPERTY:bowline_core,INTERFACE_INCLUDE_DIRECTORIES>)
target_link_libraries(bowline_crypto_openssl
    PUBLIC PkgConfig::OPENSSL PRIVATE bowline_flags)
# Core calls bl_sha256 without naming a library for it: take it from here
# wherever this archive stands on the link line.
target_link_options(bowline_crypto_openssl INTERFACE LINKER:-u,bl_sha256)
