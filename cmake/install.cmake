# SPDX-License-Identifier: Apache-2.0
# What `make install` leaves beside the programs: the libraries that a firmware
# links, their headers, and how pkg-config and CMake find them; the server's
# manual, service and sample configuration. docs/FIRMWARE.md is the manual.
include(GNUInstallDirs)

set_target_properties(bowline_core PROPERTIES OUTPUT_NAME bowline)
set_target_properties(host PROPERTIES OUTPUT_NAME bowline_host)
set_target_properties(host_mdns PROPERTIES OUTPUT_NAME bowline_mdns)
set_target_properties(bowline_delta PROPERTIES OUTPUT_NAME bowline-delta)
set_target_properties(bowline_client_delta PROPERTIES
    OUTPUT_NAME bowline-client-delta)
install(TARGETS bowline_core bowline_sha256 bowline_boot bowline_delta
        bowline_client_delta bowline_esp host host_mdns bowline_posix
        bowline_crypto_openssl
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})

# The port's headers bring their own folders: not for everybody to see.
set(posix_headers ${CMAKE_INSTALL_INCLUDEDIR}/bowline-posix)
install(DIRECTORY core/include/bowline core/delta/include/bowline
        boot/include/bowline esp/include/bowline
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY ports/posix/include/posix host/include/host
    DESTINATION ${posix_headers})

# They find their prefix by their own place, so that it can be chosen at
# installation.
set(packages ${CMAKE_CURRENT_BINARY_DIR}/packages)
set(pkgconfig ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
set(cmakedir ${CMAKE_INSTALL_LIBDIR}/cmake/bowline)
file(RELATIVE_PATH up_from_pkgconfig /${pkgconfig} /)
file(RELATIVE_PATH up_from_cmakedir /${cmakedir} /)
set(BOWLINE_AVAHI "")
if(AVAHI_FOUND)
    set(BOWLINE_AVAHI avahi-client)
endif()
foreach(file libbowline.pc bowline-delta.pc bowline-posix.pc
        bowline-config.cmake)
    configure_file(packaging/lib/${file}.in ${packages}/${file} @ONLY)
endforeach()
include(CMakePackageConfigHelpers)
write_basic_package_version_file(${packages}/bowline-config-version.cmake
    COMPATIBILITY SameMinorVersion)
install(FILES ${packages}/libbowline.pc ${packages}/bowline-delta.pc
        ${packages}/bowline-posix.pc
    DESTINATION ${pkgconfig})
install(FILES ${packages}/bowline-config.cmake
        ${packages}/bowline-config-version.cmake
    DESTINATION ${cmakedir})

install(FILES packaging/man/bowlined.8
    DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)
install(FILES packaging/man/bowline-sim.1 packaging/man/bowline-device.1
    DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
foreach(program bowlined bowline-device bowline-sim)
    install(FILES packaging/completion/${program}.bash RENAME ${program}
        DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
    install(FILES packaging/completion/_${program}
        DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
endforeach()
install(FILES packaging/bowlined.conf
    DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/bowline)
# The services name the programs where they are installed.
foreach(service bowlined bowline-device)
    set(unit ${CMAKE_CURRENT_SOURCE_DIR}/packaging/systemd/${service}.service)
    install(CODE "
        file(READ \"${unit}\" unit)
        string(REPLACE /usr/bin/ \"\${CMAKE_INSTALL_PREFIX}/bin/\" unit
            \"\${unit}\")
        file(WRITE \"${packages}/${service}.service\" \"\${unit}\")")
    install(FILES ${packages}/${service}.service
        DESTINATION lib/systemd/system)
endforeach()
