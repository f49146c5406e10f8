# SPDX-License-Identifier: Apache-2.0
# Published vectors through core: `bowline conformance`, and the tests.
add_library(conformance STATIC conformance.c conformance_input.c
    conformance_delta.c conformance_device.c conformance_otadata.c
    conformance_profile.c conformance_signature.c conformance_wycheproof.c)
target_include_directories(conformance PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
target_link_libraries(conformance
    PUBLIC PkgConfig::JANSSON
    PRIVATE bowline_flags bowline_esp bowline_core bowline_diff bowline_crypto_openssl)
