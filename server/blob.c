/* SPDX-License-Identifier: Apache-2.0 */
#include "blob.h"

#include "host/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void remove_leftovers(const char *dir)
{
    DIR *d = opendir(dir);
    struct dirent *e;

    if (d == NULL) {
        return;
    }
    while ((e = readdir(d)) != NULL) {
        if (e->d_name[0] != '.') {
            unlinkat(dirfd(d), e->d_name, 0);
        }
    }
    closedir(d);
}

int blobs_open(struct blobs *b, const char *data_dir, const char *folder,
               struct error *err)
{
    char path[600];

    if (snprintf(b->dir, sizeof b->dir, "%s/%s", data_dir, folder) >=
        (int)sizeof b->dir) {
        return error_set(err, "%s: the path is too long", data_dir);
    }
    snprintf(path, sizeof path, "%s/incoming", b->dir);
    if (file_make_dirs(path, 0700, err) != 0) {
        return -1;
    }
    remove_leftovers(path);
    return 0;
}

static void blob_dir(const struct blobs *b, const uint8_t sha256[32],
                     char out[640])
{
    snprintf(out, 640, "%s/%02x", b->dir, sha256[0]);
}

static void blob_path(const struct blobs *b, const uint8_t sha256[32],
                      char out[640])
{
    char hex[65];

    hex_encode(sha256, 32, hex);
    snprintf(out, 640, "%s/%02x/%s", b->dir, sha256[0], hex);
}

int blob_open(const struct blobs *b, const uint8_t sha256[32], uint64_t *size,
              struct error *err)
{
    char path[640];
    struct stat st;
    int fd;

    blob_path(b, sha256, path);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return error_errno(err, "payload %s", path);
    }
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return error_set(err, "payload %s is no file", path);
    }
    *size = (uint64_t)st.st_size;
    return fd;
}

bool blob_there(const struct blobs *b, const uint8_t sha256[32],
                uint64_t *size)
{
    int fd = blob_open(b, sha256, size, NULL);

    if (fd < 0) {
        return false;
    }
    close(fd);
    return true;
}

static int hash_all(int fd, uint8_t digest[32], struct error *err)
{
    uint8_t piece[16384];
    struct bl_sha256 hash;
    off_t at = 0;
    ssize_t n;

    bl_sha256_init(&hash);
    while ((n = pread(fd, piece, sizeof piece, at)) != 0) {
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return error_errno(err, "it cannot be read");
        }
        bl_sha256_update(&hash, piece, (size_t)n);
        at += n;
    }
    bl_sha256_final(&hash, digest);
    return 0;
}

int blob_check(int fd, const uint8_t sha256[32], struct blob_stamp *known,
               struct error *err)
{
    struct blob_stamp now = {0};
    uint8_t digest[32];
    struct stat st;
    char hex[65];

    if (fstat(fd, &st) != 0) {
        return error_errno(err, "it cannot be looked at");
    }
    now.size = (uint64_t)st.st_size;
    now.inode = (uint64_t)st.st_ino;
    now.seconds = (int64_t)st.st_mtim.tv_sec;
    now.nanoseconds = (int64_t)st.st_mtim.tv_nsec;
    if (memcmp(&now, known, sizeof now) == 0) {
        return 0;
    }
    if (hash_all(fd, digest, err) != 0) {
        return -1;
    }
    if (memcmp(digest, sha256, 32) != 0) {
        hex_encode(digest, 32, hex);
        return error_set(err, "its %llu bytes have SHA-256 %s",
                         (unsigned long long)now.size, hex);
    }
    *known = now;
    return 0;
}

void blob_remove(const struct blobs *b, const uint8_t sha256[32])
{
    char path[640];

    blob_path(b, sha256, path);
    unlink(path);
}

static void sweep_dir(const struct blobs *b, const char *path, blob_kept kept,
                      void *ctx)
{
    DIR *d = opendir(path);
    uint8_t sha256[32];
    struct dirent *e;

    if (d == NULL) {
        return;
    }
    while ((e = readdir(d)) != NULL) {
        if (strlen(e->d_name) == 64 &&
            hex_decode(e->d_name, 64, sha256, 32) == 0 && !kept(ctx, sha256)) {
            blob_remove(b, sha256);
        }
    }
    closedir(d);
}

void blobs_sweep(const struct blobs *b, blob_kept kept, void *ctx)
{
    for (int i = 0; i < 256; i++) {
        const uint8_t first[32] = {(uint8_t)i};
        char path[640];

        blob_dir(b, first, path);
        sweep_dir(b, path, kept, ctx);
    }
}

int blob_begin(struct blobs *b, struct blob_upload *u,
               const uint8_t sha256[32], struct error *err)
{
    static _Atomic unsigned counter;

    memset(u, 0, sizeof *u);
    memcpy(u->expected, sha256, 32);
    bl_sha256_init(&u->hash);
    snprintf(u->path, sizeof u->path, "%s/incoming/%u", b->dir,
             atomic_fetch_add(&counter, 1));
    u->fd = open(u->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (u->fd < 0) {
        return error_errno(err, "%s", u->path);
    }
    return 0;
}

int blob_write(struct blob_upload *u, const void *data, size_t n,
               struct error *err)
{
    const uint8_t *p = data;

    bl_sha256_update(&u->hash, data, n);
    u->size += n;
    while (n > 0) {
        ssize_t written = write(u->fd, p, n);

        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written < 0) {
            return error_errno(err, "the payload could not be written");
        }
        p += written;
        n -= (size_t)written;
    }
    return 0;
}

void blob_cancel(struct blob_upload *u)
{
    if (u->fd >= 0) {
        close(u->fd);
        unlink(u->path);
        u->fd = -1;
    }
}

static int sync_dir(const char *path, struct error *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int result = fd < 0 ? -1 : fsync(fd);

    if (result != 0) {
        error_errno(err, "%s", path);
    }
    if (fd >= 0) {
        close(fd);
    }
    return result;
}

static int settle(struct blobs *b, struct blob_upload *u, struct error *err)
{
    char dir[640];
    char path[640];

    blob_dir(b, u->expected, dir);
    blob_path(b, u->expected, path);
    if (fsync(u->fd) != 0) {
        return error_errno(err, "%s", u->path);
    }
    if (mkdir(dir, 0700) == 0) {
        if (sync_dir(b->dir, err) != 0) {
            return -1;
        }
    } else if (errno != EEXIST) {
        return error_errno(err, "%s", dir);
    }
    if (rename(u->path, path) != 0) {
        return error_errno(err, "%s", path);
    }
    return sync_dir(dir, err);
}

int blob_finish(struct blobs *b, struct blob_upload *u, struct error *err)
{
    uint8_t digest[32];
    char hex[65];
    int result;

    bl_sha256_final(&u->hash, digest);
    if (memcmp(digest, u->expected, 32) != 0) {
        hex_encode(digest, 32, hex);
        blob_cancel(u);
        return error_status(err, BL_PAYLOAD_DIGEST,
                            "the bytes that came have SHA-256 %s", hex);
    }
    result = settle(b, u, err);
    if (result != 0) {
        blob_cancel(u);
        return -1;
    }
    close(u->fd);
    u->fd = -1;
    return 0;
}
