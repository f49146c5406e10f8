# SPDX-License-Identifier: Apache-2.0
# The one list of core's sources; CMake, ESP-IDF and Zephyr builds read it.
# sha256.c is apart: hosts link another one (include/bowline/sha256.h).
set(BOWLINE_CORE_SOURCES
    src/cbor.c
    src/cbor_writer.c
    src/label.c
    src/cose.c
    src/signature.c
    src/hss.c
    src/policy.c
    src/root.c
    src/root_check.c
    src/ticket.c
    src/suit.c
    src/suit_parameter.c
    src/suit_scan.c
    src/suit_run.c
    src/flash.c
    src/state.c
    src/journal.c
    src/slot.c
    src/install.c
    src/install_write.c
    src/firmware.c
    src/client.c
    src/client_attributes.c
    src/client_developer.c
    src/client_message.c
    src/client_platform.c
    src/client_push.c
    src/client_trial.c
    src/client_update.c
    src/client_uri.c
    src/client_wait.c
    src/status_text.c
    src/suit_payload.c)
# Updates by delta, on top of core and delta/: for firmware that takes them.
set(BOWLINE_CLIENT_DELTA_SOURCES
    src/client_delta.c
    src/client_delta_keep.c
    src/install_apply.c)
