/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "host/file.h"

#include "bowline/sha256.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PORTION = 65536 };

static ssize_t read_some(int fd, void *to, size_t n)
{
    ssize_t got;

    do {
        got = read(fd, to, n);
    } while (got < 0 && errno == EINTR);
    return got;
}

static int read_all(int fd, const char *path, struct buffer *out,
                    struct error *err)
{
    uint8_t byte;
    ssize_t got;
    size_t room;

    for (;;) {
        room = out->limit > out->n ? out->limit - out->n : 0;
        room = room > PORTION ? PORTION : room;
        if (buffer_reserve(out, room, err) != 0) {
            return error_prefix(err, "%s", path);
        }
        /* At the limit one byte more tells a file that fits from one that
         * does not. */
        got = room > 0 ? read_some(fd, out->p + out->n, room)
                       : read_some(fd, &byte, 1);
        if (got < 0) {
            return error_errno(err, "%s: cannot read", path);
        }
        if (got > 0 && room == 0) {
            return error_set(err, "%s: larger than %zu bytes", path,
                             out->limit);
        }
        out->n += (size_t)got;
        out->p[out->n] = 0;
        if (got == 0) {
            return 0;
        }
    }
}

int file_read(const char *path, struct buffer *out, struct error *err)
{
    size_t before = out->n;
    int result;
    int fd;

    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return error_errno(err, "%s: cannot open", path);
    }
    result = read_all(fd, path, out, err);
    (void)close(fd);
    if (result != 0) {
        out->n = before;
        if (out->p != NULL) {
            out->p[before] = 0;
        }
    }
    return result;
}

static int write_all(int fd, bl_span content)
{
    ssize_t done;

    while (content.n > 0) {
        done = write(fd, content.p, content.n);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done < 0) {
            return -1;
        }
        content.p += done;
        content.n -= (size_t)done;
    }
    return 0;
}

/* A rename is durable only once its directory is. */
static int sync_directory(const char *path, struct error *err)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t n = slash == NULL ? 0 : (size_t)(slash - path);
    int result;
    int fd;

    if (n >= sizeof folder) {
        return error_set(err, "%s: path too long", path);
    }
    memcpy(folder, path, n);
    folder[n] = 0;
    if (n == 0) {
        (void)snprintf(folder, sizeof folder, "%s", slash ? "/" : ".");
    }
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return error_errno(err, "%s: cannot open", folder);
    }
    result = fsync(fd);
    if (result != 0) {
        (void)error_errno(err, "%s: cannot sync", folder);
    }
    (void)close(fd);
    return result;
}

static int fill(int fd, const char *name, bl_span content, int mode,
                struct error *err)
{
    if (fchmod(fd, (mode_t)mode) != 0 || write_all(fd, content) != 0 ||
        fsync(fd) != 0) {
        (void)error_errno(err, "%s: cannot write", name);
        (void)close(fd);
        return -1;
    }
    if (close(fd) != 0) {
        return error_errno(err, "%s: cannot close", name);
    }
    return 0;
}

int file_write(const char *path, bl_span content, int mode, struct error *err)
{
    char beside[PATH_MAX];
    int fd;

    if (snprintf(beside, sizeof beside, "%s.XXXXXX", path) >=
        (int)sizeof beside) {
        return error_set(err, "%s: path too long", path);
    }
    fd = mkstemp(beside);
    if (fd < 0) {
        return error_errno(err, "%s: cannot write beside it", path);
    }
    if (fill(fd, beside, content, mode, err) != 0) {
        (void)unlink(beside);
        return -1;
    }
    if (rename(beside, path) != 0) {
        (void)error_errno(err, "%s: cannot replace", path);
        (void)unlink(beside);
        return -1;
    }
    return sync_directory(path, err);
}

int file_check_private(const char *path, struct error *err)
{
    struct stat st;

    if (stat(path, &st) != 0) {
        return error_errno(err, "%s", path);
    }
    if (S_ISREG(st.st_mode) && (st.st_mode & 077) != 0) {
        return error_set(err,
                         "%s: a secret that others may touch (mode %04o); "
                         "chmod 600 it",
                         path, (unsigned)(st.st_mode & 07777));
    }
    return 0;
}

int file_create(const char *path, bl_span content, int mode, struct error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

    if (fd < 0) {
        if (errno == EEXIST) {
            return error_set(err, "%s: exists already, and is never replaced",
                             path);
        }
        return error_errno(err, "%s: cannot create", path);
    }
    if (fill(fd, path, content, mode, err) != 0) {
        (void)unlink(path);
        return -1;
    }
    return sync_directory(path, err);
}

int file_temp_folder(const char *name, char out[FILE_TEMP], struct error *err)
{
    const char *base = getenv("TMPDIR");
    int n;

    base = base == NULL || base[0] == '\0' ? "/tmp" : base;
    n = snprintf(out, FILE_TEMP, "%s/bowline-%s-XXXXXX", base, name);
    if (n < 0 || n >= FILE_TEMP) {
        return error_set(err, "TMPDIR is too long: %.100s...", base);
    }
    if (mkdtemp(out) == NULL) {
        return error_errno(err, "no folder for temporary files in %s (TMPDIR)",
                           base);
    }
    return 0;
}

int file_make_dirs(const char *path, int mode, struct error *err)
{
    char part[PATH_MAX];
    struct stat st;
    size_t n = strlen(path);
    size_t i;

    if (n >= sizeof part) {
        return error_set(err, "%s: path too long", path);
    }
    for (i = 1; i <= n; i++) {
        if (path[i] != '/' && path[i] != 0) {
            continue;
        }
        memcpy(part, path, i);
        part[i] = 0;
        if (mkdir(part, (mode_t)mode) != 0 && errno != EEXIST) {
            return error_errno(err, "%s: cannot make folder", part);
        }
    }
    if (stat(path, &st) != 0) {
        return error_errno(err, "%s", path);
    }
    return S_ISDIR(st.st_mode) ? 0 : error_set(err, "%s: not a folder", path);
}

int file_sha256(const char *path, uint8_t digest[32], uint64_t *size,
                struct error *err)
{
    static const size_t portion = PORTION;
    uint8_t *block = malloc(portion);
    struct bl_sha256 hash;
    uint64_t total = 0;
    ssize_t got = -1;
    int fd;

    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || block == NULL) {
        (void)error_errno(err, "%s: cannot open", path);
        goto out;
    }
    bl_sha256_init(&hash);
    while ((got = read_some(fd, block, portion)) > 0) {
        bl_sha256_update(&hash, block, (size_t)got);
        total += (uint64_t)got;
    }
    if (got < 0) {
        (void)error_errno(err, "%s: cannot read", path);
        goto out;
    }
    bl_sha256_final(&hash, digest);
    if (size != NULL) {
        *size = total;
    }
out:
    if (fd >= 0) {
        (void)close(fd);
    }
    free(block);
    return got < 0 ? -1 : 0;
}
