/* SPDX-License-Identifier: Apache-2.0 */
/* Images and patches, read and written whole; "-" is a pipe. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "delta.h"

enum { PORTION = 1 << 16 };

bool delta_is_stdio(const char *path)
{
    return strcmp(path, "-") == 0;
}

int delta_one_stdin(struct call *c, const char *a, const char *b)
{
    if (delta_is_stdio(a) && delta_is_stdio(b)) {
        return refuse(c, EXIT_USAGE,
                      "only one file can come from standard input");
    }
    return 0;
}

static int read_stdin(struct call *c, size_t limit, struct buffer *out)
{
    ssize_t got = 1;

    out->limit = limit;
    while (got != 0) {
        if (delta_stop_wanted()) {
            return refuse(c, EXIT_LOCAL, "stopped");
        }
        if (out->n == limit) {
            return refuse(c, EXIT_INPUT,
                          "standard input has %zu bytes or more; fewer are "
                          "read",
                          limit);
        }
        if (buffer_reserve(out,
                           limit - out->n < PORTION ? limit - out->n : PORTION,
                           &c->err) != 0) {
            return EXIT_LOCAL;
        }
        got = read(STDIN_FILENO, out->p + out->n,
                   limit - out->n < PORTION ? limit - out->n : PORTION);
        if (got < 0 && errno != EINTR) {
            return refuse(c, EXIT_INPUT, "standard input: %s",
                          strerror(errno));
        }
        out->n += got > 0 ? (size_t)got : 0;
    }
    return out->n > 0
               ? 0
               : refuse(c, EXIT_INPUT, "nothing came from standard input");
}

int delta_read(struct call *c, const char *path, size_t limit,
               struct buffer *out)
{
    return delta_is_stdio(path) ? read_stdin(c, limit, out)
                                : read_input(c, path, limit, out);
}

static int check_stdout(struct call *c)
{
    if (c->json) {
        return refuse(c, EXIT_USAGE,
                      "--json and the file cannot both go to standard output");
    }
    if (isatty(STDOUT_FILENO) != 0) {
        return refuse(c, EXIT_USAGE,
                      "standard output is a terminal: name a file, or send "
                      "it to another program");
    }
    return 0;
}

/* Is there a folder for the file? */
static int check_folder(struct call *c, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *folder = slash == NULL ? "."
                         : slash == path
                             ? "/"
                             : keep(c, "%.*s", (int)(slash - path), path);
    struct stat st;

    if (path[0] == '\0') {
        return refuse(c, EXIT_USAGE, "the name of the output is empty");
    }
    if (stat(folder, &st) != 0) {
        return refuse(c, EXIT_INPUT, "%s: %s", folder, strerror(errno));
    }
    if (!S_ISDIR(st.st_mode)) {
        return refuse(c, EXIT_INPUT, "%s is not a folder", folder);
    }
    return 0;
}

int delta_check_output(struct call *c, const char *path,
                       const char *const *inputs, size_t n)
{
    struct stat out;
    struct stat in;
    size_t i;

    if (delta_is_stdio(path)) {
        return check_stdout(c);
    }
    if (stat(path, &out) != 0) {
        return check_folder(c, path);
    }
    for (i = 0; i < n; i++) {
        if (stat(inputs[i], &in) == 0 && in.st_dev == out.st_dev &&
            in.st_ino == out.st_ino) {
            return refuse(c, EXIT_INPUT,
                          "%s is one of the files that are read; name "
                          "another file for the output",
                          path);
        }
    }
    if (S_ISDIR(out.st_mode)) {
        return refuse(c, EXIT_INPUT, "%s is a folder; name a file", path);
    }
    if (!S_ISREG(out.st_mode)) {
        return refuse(c, EXIT_INPUT, "%s is not a regular file", path);
    }
    if (!cli_flag(c, "force")) {
        return refuse(c, EXIT_INPUT,
                      "%s is there already; name another file, or say "
                      "--force to replace it",
                      path);
    }
    return 0;
}

static int write_stdout(struct call *c, bl_span content)
{
    while (content.n > 0) {
        ssize_t done = write(STDOUT_FILENO, content.p, content.n);

        if (done < 0 && errno == EINTR && !delta_stop_wanted()) {
            continue;
        }
        if (done < 0) {
            return refuse(c, EXIT_LOCAL, "standard output: %s",
                          strerror(errno));
        }
        content.p += done;
        content.n -= (size_t)done;
    }
    return 0;
}

int delta_write(struct call *c, const char *path, bl_span content, int mode)
{
    int code;

    if (delta_is_stdio(path)) {
        return write_stdout(c, content);
    }
    delta_stop_hold(true);
    code = write_output(c, path, content, mode);
    delta_stop_hold(false);
    return code;
}
