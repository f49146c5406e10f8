/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct bl_crypto by OpenSSL 3, for devices with an operating system, the
 * tools and the tests. No state: may be used from any thread.
 */
#ifndef POSIX_CRYPTO_H
#define POSIX_CRYPTO_H

#include "bowline/crypto.h"

extern const struct bl_crypto posix_crypto;

#endif
