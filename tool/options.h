/* SPDX-License-Identifier: Apache-2.0 */
/* How the table's options are written down, and those that have a file of
 * their own (rollout_options.c). */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "verb.h"

#define END                                                                   \
    {                                                                         \
        NULL, NULL, NULL, ANY, NULL, false, 0                                 \
    }
#define FLAG(name, help)                                                      \
    {                                                                         \
        name, NULL, help, ANY, NULL, false, 0                                 \
    }
#define VALUE(name, value, help)                                              \
    {                                                                         \
        name, value, help, ANY, NULL, false, 0                                \
    }
#define FILE_(name, help)                                                     \
    {                                                                         \
        name, "FILE", help, A_FILE, NULL, false, 0                            \
    }
#define FILES(name, help)                                                     \
    {                                                                         \
        name, "FILE", help, A_FILE, NULL, true, 0                             \
    }
#define CHOICE(name, value, help, words)                                      \
    {                                                                         \
        name, value, help, WORDS, words, false, 0                             \
    }
#define OUTPUT(help)                                                          \
    {                                                                         \
        "output", "FILE", help, A_FILE, NULL, false, 'o'                      \
    }
#define PRODUCT                                                               \
    VALUE("product", "NAME", "the product, instead of the project's")
#define NO_ARGUMENTS "", 0, 0, ANY, NULL

extern const struct option options_diff[];
extern const struct option options_patch[];
extern const struct option options_push[];
extern const struct option options_esp_sign[];
extern const struct option options_esp_verify[];
extern const struct option options_esp_digest[];
extern const struct option options_rollout_start[];
extern const struct option options_rollout_set[];
extern const struct option options_rollout_status[];
extern const struct option options_rollout_list[];
extern const struct option options_rollout_pause[];
extern const struct option options_rollout_abort[];
extern const struct option options_rollout_advance[];
extern const struct option options_rollout_approve[];
extern const struct option options_rollout_return[];
extern const struct option options_rollout_bucket[];
extern const struct option options_rollout_apply[];

#endif
