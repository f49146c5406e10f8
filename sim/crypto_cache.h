/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The signature checks of the posix port, each distinct one computed once in
 * a thread: a simulation asks the same few thousand questions over and over.
 * Distinct means key, message and signature, by their SHA-256.
 */
#ifndef SIM_CRYPTO_CACHE_H
#define SIM_CRYPTO_CACHE_H

#include "bowline/crypto.h"

extern const struct bl_crypto sim_crypto;

#endif
