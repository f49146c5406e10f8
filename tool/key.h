/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KEY_H
#define KEY_H

struct call;

/* A new private key at `path`, its public key at `path`.pub. 0, or an exit
 * code with c->err. */
int key_make(struct call *c, const char *path, const char *kind);

#endif
