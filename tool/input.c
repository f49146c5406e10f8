/* SPDX-License-Identifier: Apache-2.0 */
/* Files that a person named, and the errors that go with them. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tool.h"

int refuse(struct call *c, int code, const char *format, ...)
{
    va_list args;

    c->err.status = BL_OK;
    va_start(args, format);
    (void)vsnprintf(c->err.text, sizeof c->err.text, format, args);
    va_end(args);
    return code;
}

int read_input(struct call *c, const char *path, size_t limit,
               struct buffer *out)
{
    struct stat st;

    if (stat(path, &st) != 0) {
        return refuse(c, EXIT_INPUT, "%s: %s", path, strerror(errno));
    }
    if (S_ISDIR(st.st_mode)) {
        return refuse(c, EXIT_INPUT, "%s is a folder; name a file", path);
    }
    if (!S_ISREG(st.st_mode)) {
        return refuse(c, EXIT_INPUT, "%s is not a regular file", path);
    }
    if (st.st_size == 0) {
        return refuse(c, EXIT_INPUT, "%s is empty", path);
    }
    if ((uint64_t)st.st_size > limit) {
        return refuse(c, EXIT_INPUT, "%s has %llu bytes; at most %zu are read",
                      path, (unsigned long long)st.st_size, limit);
    }
    out->limit = limit;
    if (file_read(path, out, &c->err) != 0) {
        return EXIT_INPUT;
    }
    return 0;
}

int write_output(struct call *c, const char *path, bl_span content, int mode)
{
    if (!cli_flag(c, "force") && access(path, F_OK) == 0) {
        return refuse(c, EXIT_INPUT,
                      "%s is there already; name another file or remove it",
                      path);
    }
    if (file_write(path, content, mode, &c->err) != 0) {
        return EXIT_LOCAL;
    }
    return 0;
}
