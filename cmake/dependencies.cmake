# SPDX-License-Identifier: Apache-2.0
# Libraries from Debian; docs/DEPENDENCIES.md says why each.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(OPENSSL REQUIRED IMPORTED_TARGET openssl>=3.0)
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson)
pkg_check_modules(LIBCONFIG REQUIRED IMPORTED_TARGET libconfig)
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3)
pkg_check_modules(MICROHTTPD REQUIRED IMPORTED_TARGET libmicrohttpd)
pkg_check_modules(GNUTLS REQUIRED IMPORTED_TARGET gnutls)
pkg_check_modules(DIVSUFSORT REQUIRED IMPORTED_TARGET libdivsufsort)
pkg_check_modules(ARCHIVE REQUIRED IMPORTED_TARGET libarchive)
pkg_check_modules(AVAHI IMPORTED_TARGET avahi-client)
pkg_check_modules(CMOCKA IMPORTED_TARGET cmocka)
pkg_check_modules(ZLIB IMPORTED_TARGET zlib)

# bowline_test(NAME SOURCES... LIBS libraries...): a cmocka program that ctest
# runs; its tests are listed by name in its output.
function(bowline_test name)
    if(NOT CMOCKA_FOUND OR NOT BOWLINE_TESTS)
        return()
    endif()
    cmake_parse_arguments(arg "" "" "SOURCES;LIBS" ${ARGN})
    add_executable(${name} ${arg_SOURCES})
    target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
    target_compile_definitions(${name} PRIVATE
        VECTORS="${CMAKE_SOURCE_DIR}/tests/vectors")
    target_link_libraries(${name} PRIVATE bowline_flags PkgConfig::CMOCKA
        ${arg_LIBS})
    add_test(NAME ${name} COMMAND ${name})
endfunction()
enable_testing()
