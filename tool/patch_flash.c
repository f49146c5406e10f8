/* SPDX-License-Identifier: Apache-2.0 */
#include "patch_flash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    HEAD = 4096, /* bytes before the work area, */
    MAGIC = 16,
    USED = MAGIC + 3 * BL_SHA256_SIZE, /* and of them; less than a sector */
    ERASED = 0xFF,
    PORTION = 4096
};
enum { IMAGE, JOURNAL };

static const char magic[MAGIC + 1] = "BOWLINE-JOURNAL1";

static int failed(struct call *c, const char *path, const char *what)
{
    return refuse(c, EXIT_LOCAL, "%s: %s: %s", path, what, strerror(errno));
}

/* --- Bytes ----------------------------------------------------------------
 */

/* What is behind the end of a file is erased. */
static bl_status read_file(int fd, off_t at, uint8_t *p, size_t n)
{
    while (n > 0) {
        ssize_t got = pread(fd, p, n, at);

        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return BL_FLASH;
        }
        if (got == 0) {
            memset(p, ERASED, n);
            return BL_OK;
        }
        p += got;
        at += got;
        n -= (size_t)got;
    }
    return BL_OK;
}

static bl_status write_file(int fd, off_t at, const uint8_t *p, size_t n)
{
    while (n > 0) {
        ssize_t put = pwrite(fd, p, n, at);

        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put <= 0) {
            return BL_FLASH;
        }
        p += put;
        at += put;
        n -= (size_t)put;
    }
    return BL_OK;
}

/* Areas are whole blocks, so that nothing lies in both files. */
static int file_at(const struct patch_flash *f, uint32_t offset, off_t *at)
{
    bool image = offset < f->image;

    *at = image ? (off_t)offset : (off_t)HEAD + (offset - f->image);
    return f->fd[image ? IMAGE : JOURNAL];
}

static bl_status flash_read(void *ctx, uint32_t offset, void *out, uint32_t n)
{
    off_t at;
    int fd = file_at(ctx, offset, &at);

    return read_file(fd, at, out, n);
}

static bl_status flash_write(void *ctx, uint32_t offset, const void *data,
                             uint32_t n)
{
    off_t at;
    int fd = file_at(ctx, offset, &at);

    return write_file(fd, at, data, n);
}

/* Nobody asks whether a block of the image is erased: it is written next. */
static bl_status flash_erase(void *ctx, uint32_t offset, uint32_t n)
{
    const struct patch_flash *f = ctx;
    uint8_t portion[PORTION];
    bl_status status = BL_OK;
    uint32_t k;

    memset(portion, ERASED, sizeof portion);
    for (; n > 0 && offset >= f->image && status == BL_OK; n -= k) {
        k = n < PORTION ? n : PORTION;
        status = flash_write(ctx, offset, portion, k);
        offset += k;
    }
    return status;
}

static bl_status flash_sync(void *ctx)
{
    const struct patch_flash *f = ctx;

    return fdatasync(f->fd[IMAGE]) == 0 && fdatasync(f->fd[JOURNAL]) == 0
               ? BL_OK
               : BL_FLASH;
}

/* --- Files ----------------------------------------------------------------
 */

/* By whatever links it is called: there is one journal. */
static const char *real_path(struct call *c, const char *path)
{
    struct stat st;
    char *real = NULL;

    if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode)) {
        real = realpath(path, NULL);
    }
    if (real != NULL) {
        path = keep(c, "%s", real);
        free(real);
    }
    return path;
}

int patch_flash_open(struct call *c, const char *image, struct patch_flash *f)
{
    struct stat st;

    memset(f, 0, sizeof *f);
    f->path[IMAGE] = image;
    f->path[JOURNAL] = keep(c, "%s.journal", real_path(c, image));
    f->fd[JOURNAL] = -1;
    f->fd[IMAGE] = open(image, O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (f->fd[IMAGE] < 0) {
        return errno == EISDIR
                   ? refuse(c, EXIT_INPUT, "%s is a folder", image)
                   : refuse(c, EXIT_INPUT, "%s: %s", image, strerror(errno));
    }
    if (fstat(f->fd[IMAGE], &st) != 0 || !S_ISREG(st.st_mode)) {
        return refuse(c, EXIT_INPUT, "%s is not a regular file", image);
    }
    if (flock(f->fd[IMAGE], LOCK_EX | LOCK_NB) != 0) {
        return refuse(c, EXIT_INPUT,
                      "%s: another bowline is changing it; wait for that one",
                      image);
    }
    return 0;
}

static void head_make(const struct patch_mark *mark, uint8_t head[USED])
{
    memcpy(head, magic, MAGIC);
    memcpy(head + MAGIC, mark->patch, BL_SHA256_SIZE);
    memcpy(head + MAGIC + BL_SHA256_SIZE, mark->now, BL_SHA256_SIZE);
    bl_sha256(head, USED - BL_SHA256_SIZE, head + USED - BL_SHA256_SIZE);
}

static bool is_erased(const uint8_t *p, size_t n)
{
    while (n > 0 && p[n - 1] == ERASED) {
        n--;
    }
    return n == 0;
}

/* One without a head was never finished: it is as good as none. */
int patch_flash_find(struct call *c, struct patch_flash *f, bool *found,
                     struct patch_mark *mark)
{
    uint8_t head[USED];
    uint8_t must[USED];

    *found = false;
    f->fd[JOURNAL] = open(f->path[JOURNAL], O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (f->fd[JOURNAL] < 0 && errno == ENOENT) {
        return 0;
    }
    if (f->fd[JOURNAL] < 0 ||
        read_file(f->fd[JOURNAL], 0, head, USED) != BL_OK) {
        return refuse(c, EXIT_INPUT, "%s: %s", f->path[JOURNAL],
                      strerror(errno));
    }
    if (is_erased(head, USED)) {
        return 0;
    }
    memcpy(mark->patch, head + MAGIC, BL_SHA256_SIZE);
    memcpy(mark->now, head + MAGIC + BL_SHA256_SIZE, BL_SHA256_SIZE);
    head_make(mark, must);
    if (memcmp(head, must, USED) != 0) {
        return refuse(c, EXIT_INPUT,
                      "%s is not the journal of a patch: the file is in the "
                      "way, or damaged; see whose it is before you remove it",
                      f->path[JOURNAL]);
    }
    *found = true;
    return 0;
}

static int sync_folder(struct call *c, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *folder =
        slash == NULL ? "." : keep(c, "%.*s/", (int)(slash - path), path);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int result = fd >= 0 ? fsync(fd) : -1;

    if (fd >= 0) {
        (void)close(fd);
    }
    return result == 0 ? 0 : failed(c, folder, "cannot sync");
}

/* Its head comes last, when the rest is safe. */
int patch_flash_create(struct call *c, struct patch_flash *f,
                       const struct patch_mark *mark, uint32_t work)
{
    uint8_t head[USED];
    uint8_t portion[PORTION];
    int *fd = &f->fd[JOURNAL];
    bl_status status = BL_OK;
    uint32_t at;

    if (*fd < 0) {
        *fd = open(f->path[JOURNAL],
                   O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
    }
    if (*fd < 0 || ftruncate(*fd, 0) != 0) {
        return failed(c, f->path[JOURNAL], "cannot write");
    }
    memset(portion, ERASED, sizeof portion);
    for (at = 0; at < HEAD + work && status == BL_OK; at += PORTION) {
        status = write_file(*fd, at, portion, PORTION);
    }
    head_make(mark, head);
    if (status != BL_OK || fsync(*fd) != 0 ||
        write_file(*fd, 0, head, USED) != BL_OK || fsync(*fd) != 0) {
        return failed(c, f->path[JOURNAL], "cannot write");
    }
    return sync_folder(c, f->path[JOURNAL]);
}

int patch_flash_begin(struct call *c, struct patch_flash *f, uint32_t block,
                      uint32_t image, uint32_t work)
{
    struct stat st;

    f->image = (image + block - 1) / block * block;
    f->flash.ctx = f;
    f->flash.size = f->image + work;
    f->flash.erase_size = block;
    f->flash.write_size = 1;
    f->flash.erased = ERASED;
    f->flash.read = flash_read;
    f->flash.write = flash_write;
    f->flash.erase = flash_erase;
    f->flash.sync = flash_sync;
    if (fstat(f->fd[IMAGE], &st) != 0 ||
        (st.st_size < (off_t)f->image &&
         (ftruncate(f->fd[IMAGE], (off_t)f->image) != 0 ||
          fsync(f->fd[IMAGE]) != 0))) {
        return failed(c, f->path[IMAGE], "cannot make it larger");
    }
    return 0;
}

int patch_flash_end(struct call *c, struct patch_flash *f, uint32_t size)
{
    if (ftruncate(f->fd[IMAGE], (off_t)size) != 0 ||
        fsync(f->fd[IMAGE]) != 0) {
        return failed(c, f->path[IMAGE], "cannot cut to its size");
    }
    if (unlink(f->path[JOURNAL]) != 0) {
        return failed(c, f->path[JOURNAL], "cannot remove");
    }
    return sync_folder(c, f->path[JOURNAL]);
}

void patch_flash_close(struct patch_flash *f)
{
    uint32_t k;

    for (k = 0; k < 2; k++) {
        if (f->fd[k] >= 0) {
            (void)close(f->fd[k]);
        }
    }
}
