/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The settings of a project, and the file bowline.conf that holds them. One
 * list: init writes the file from it, project.c reads by it.
 */
#ifndef PROJECT_H
#define PROJECT_H

#include <stdbool.h>

#define PROJECT_FILE "bowline.conf"

enum setting_kind { TEXT, PATH, URL, PATHS, TEXTS };

/* Is it a list of texts in the file? */
bool setting_is_list(enum setting_kind kind);

struct setting {
    const char *name;
    const char *option;      /* of the verbs that take it */
    const char *environment; /* or NULL */
    enum setting_kind kind;
    const char *comment; /* what bowline.conf says of it */
};

/* Ends with a name of NULL. */
extern const struct setting settings[];

#endif
