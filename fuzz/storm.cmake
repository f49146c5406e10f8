# SPDX-License-Identifier: Apache-2.0
# fuzz_storm: hostile patches by the hundred million (storm_main.c). The
# decoder is compiled once more for it: optimized, sanitized, not traced, the
# parts of its memory apart; and twice for drawn symbols (symbols.h).
set(delta ${CMAKE_SOURCE_DIR}/core/delta)
include(${delta}/sources.cmake)

add_library(storm_flags INTERFACE)
target_compile_options(storm_flags INTERFACE -O3 -fno-omit-frame-pointer
    -fsanitize=address,undefined -fno-sanitize-recover=all
    -Wall -Wextra -Wconversion -Wsign-conversion -Wshadow)
target_link_options(storm_flags INTERFACE -fsanitize=address,undefined)
target_include_directories(storm_flags INTERFACE ${CMAKE_CURRENT_SOURCE_DIR}
    ${delta}/src ${delta}/include ${CMAKE_SOURCE_DIR}/core/include)

function(storm_part name)
    cmake_parse_arguments(arg "" "NAMES" "SOURCES;WITHOUT" ${ARGN})
    list(REMOVE_ITEM arg_SOURCES ${arg_WITHOUT})
    list(TRANSFORM arg_SOURCES REPLACE "^src/" "${delta}/src/")
    add_library(${name} STATIC ${arg_SOURCES})
    target_link_libraries(${name} PRIVATE storm_flags)
    if(arg_NAMES)
        target_compile_options(${name} PRIVATE -include ${arg_NAMES})
    endif()
endfunction()

storm_part(storm_head SOURCES src/head.c NAMES hostile_head.h)
storm_part(storm_decoder SOURCES ${BOWLINE_DELTA_SOURCES} hostile_memory.c
    ${CMAKE_SOURCE_DIR}/core/src/sha256.c WITHOUT src/head.c)
storm_part(storm_walk SOURCES ${BOWLINE_DELTA_SHARED} symbols_codec.c
    WITHOUT src/coder.c src/model.c NAMES symbols_names.h)
storm_part(storm_encode SOURCES ${BOWLINE_DELTA_SHARED}
    ${BOWLINE_DELTA_ENCODER} symbols_coder.c)
target_compile_definitions(storm_encode PRIVATE BL_DELTA_ENCODE=1)
storm_part(storm_rig SOURCES hostile.c)
storm_part(storm_tokens SOURCES tokens.c)

# fuzz_storm, or one with planted objects in place of some of these.
function(storm_program name)
    add_executable(${name} storm_main.c storm.c storm_images.c ${ARGN})
    target_link_libraries(${name} PRIVATE storm_flags storm_walk
        storm_encode storm_tokens storm_rig storm_decoder storm_head storm_decoder fuzz_made
        bowline_diff bowline_sha256)
    target_link_options(${name} PRIVATE -Wl,--wrap=bl_delta_codec_step
        -Wl,--wrap=bl_delta_site_find)
    set_target_properties(${name} PROPERTIES
        RUNTIME_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
endfunction()

storm_program(fuzz_storm)

# Each fault of plants.txt in a program of its own: `storm_plants`.
add_custom_target(storm_plants)
function(storm_plant name file)
    set(source ${CMAKE_CURRENT_BINARY_DIR}/plants/${name}/${file})
    file(MAKE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/plants/${name})
    add_custom_command(OUTPUT ${source}
        COMMAND /usr/bin/python3 ${CMAKE_CURRENT_SOURCE_DIR}/plant.py ${name}
            ${delta}/src ${source}
        DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/plant.py
            ${CMAKE_CURRENT_SOURCE_DIR}/plants.txt ${delta}/src/${file}
        VERBATIM)
    add_library(plant_${name} OBJECT EXCLUDE_FROM_ALL ${source})
    target_link_libraries(plant_${name} PRIVATE storm_flags)
    set(objects $<TARGET_OBJECTS:plant_${name}>)
    if("src/${file}" IN_LIST BOWLINE_DELTA_SHARED)
        # ninja makes the source once, for plant_NAME
        add_library(plant_${name}_walk OBJECT EXCLUDE_FROM_ALL ${source})
        add_dependencies(plant_${name}_walk plant_${name})
        target_link_libraries(plant_${name}_walk PRIVATE storm_flags)
        target_compile_options(plant_${name}_walk PRIVATE
            -include symbols_names.h)
        list(APPEND objects $<TARGET_OBJECTS:plant_${name}_walk>)
    endif()
    storm_program(fuzz_storm_${name} ${objects})
    target_compile_definitions(fuzz_storm_${name} PRIVATE STORM_PLANTED)
    set_target_properties(fuzz_storm_${name} PROPERTIES
        EXCLUDE_FROM_ALL ON RUNTIME_OUTPUT_DIRECTORY
        ${CMAKE_CURRENT_BINARY_DIR}/plants)
    add_dependencies(storm_plants fuzz_storm_${name})
endfunction()

set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
    ${CMAKE_CURRENT_SOURCE_DIR}/plants.txt)
execute_process(COMMAND /usr/bin/python3 ${CMAKE_CURRENT_SOURCE_DIR}/plant.py
    OUTPUT_VARIABLE storm_plants OUTPUT_STRIP_TRAILING_WHITESPACE
    COMMAND_ERROR_IS_FATAL ANY)
foreach(plant ${storm_plants})
    string(REPLACE "=" ";" plant ${plant})
    storm_plant(${plant})
endforeach()
