# SPDX-License-Identifier: Apache-2.0
# The one list of the component's own sources; idf.py, the tests on the host
# and the measurement of its size read it.
set(BOWLINE_ESP_IDF_SOURCES
    src/agent.c
    src/bowline_esp.c
    src/crypto_psa.c
    src/hook.c
    src/ota.c
    src/pump.c
    src/store.c
    src/tell.c
    src/trial.c)
# What it needs of esp/.
set(BOWLINE_ESP_IDF_FORMATS src/otadata.c)
