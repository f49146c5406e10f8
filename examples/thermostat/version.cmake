# SPDX-License-Identifier: Apache-2.0
# Is a version that somebody asked for (-DTHERMOSTAT_VERSION=...) one that the
# device core can read, and not one of ours? tests/posix/test_version.py
function(thermostat_check_version version taken)
    set(again "say for instance -DTHERMOSTAT_VERSION=2.0.0, or \
-DTHERMOSTAT_VERSION= for none")
    string(LENGTH "${version}" length)
    set(pattern "^[0-9]+(\\.[0-9]+)?(\\.[0-9]+)?(\\.[0-9]+)?([-+][0-9A-Za-z.+-]+)?$")
    if(NOT version MATCHES "${pattern}" OR length GREATER 31)
        message(FATAL_ERROR "THERMOSTAT_VERSION: \"${version}\" is no version: \
up to four numbers with dots between, then -rc.1 or the like, 31 characters \
in all; ${again}")
    endif()
    if(version IN_LIST taken)
        message(FATAL_ERROR "THERMOSTAT_VERSION: ${version} is one of the \
example's own images (examples/thermostat/CMakeLists.txt); ${again}")
    endif()
endfunction()
