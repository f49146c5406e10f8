/* SPDX-License-Identifier: Apache-2.0 */
#include "backup.h"

#include "host/file.h"

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#ifndef BOWLINE_VERSION
#define BOWLINE_VERSION "0"
#endif

#define KEY(field)                                                            \
    {                                                                         \
#field, offsetof(struct config, field)                                \
    }

const struct backup_key backup_keys[] = {
    KEY(tls_certificate), KEY(tls_key),         KEY(client_ca),
    KEY(ticket_key),      KEY(operator_tokens), KEY(webhook_ca),
};

const int backup_n_keys = sizeof backup_keys / sizeof backup_keys[0];

const char *backup_key_path(const struct config *c, int key)
{
    return (const char *)c + backup_keys[key].offset;
}

struct making {
    struct archive *archive;
    json_t *files;
    int64_t now;
    uint8_t *piece;
};

static int tar_fail(struct archive *a, const char *what, struct error *err)
{
    error_set(err, "%s: %s", what, archive_error_string(a));
    if (err != NULL) {
        err->code = archive_errno(a);
    }
    return -1;
}

static int put_header(struct making *m, const char *name, uint64_t size,
                      struct error *err)
{
    struct archive_entry *e = archive_entry_new();
    int result;

    if (e == NULL) {
        return error_set(err, "no memory");
    }
    archive_entry_set_pathname(e, name);
    archive_entry_set_size(e, (int64_t)size);
    archive_entry_set_filetype(e, AE_IFREG);
    archive_entry_set_perm(e, 0600);
    archive_entry_set_mtime(e, m->now, 0);
    result = archive_write_header(m->archive, e);
    archive_entry_free(e);
    return result == ARCHIVE_OK ? 0 : tar_fail(m->archive, name, err);
}

/* Exactly `size` bytes: a file may have grown since. */
static int put_content(struct making *m, int fd, const char *name,
                       uint64_t size, uint8_t digest[32], struct error *err)
{
    struct bl_sha256 hash;
    uint64_t left = size;

    bl_sha256_init(&hash);
    while (left > 0) {
        size_t want = left < BACKUP_PIECE ? (size_t)left : BACKUP_PIECE;
        ssize_t n = read(fd, m->piece, want);

        if (n <= 0) {
            return n < 0 ? error_errno(err, "%s cannot be read", name)
                         : error_set(err, "%s became shorter", name);
        }
        bl_sha256_update(&hash, m->piece, (size_t)n);
        if (archive_write_data(m->archive, m->piece, (size_t)n) != n) {
            return tar_fail(m->archive, name, err);
        }
        left -= (uint64_t)n;
    }
    bl_sha256_final(&hash, digest);
    return 0;
}

static int note_file(struct making *m, const char *name, uint64_t size,
                     const uint8_t digest[32], struct error *err)
{
    char hex[65];

    hex_encode(digest, 32, hex);
    if (json_array_append_new(
            m->files, json_pack("{s:s, s:I, s:s}", "name", name, "size",
                                (json_int_t)size, "sha256", hex)) != 0) {
        return error_set(err, "no memory");
    }
    return 0;
}

static int put_fd(struct making *m, int fd, const char *name,
                  struct error *err)
{
    uint8_t digest[32];
    struct stat st;

    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        return error_set(err, "%s is no regular file", name);
    }
    if (put_header(m, name, (uint64_t)st.st_size, err) != 0 ||
        put_content(m, fd, name, (uint64_t)st.st_size, digest, err) != 0) {
        return -1;
    }
    return note_file(m, name, (uint64_t)st.st_size, digest, err);
}

static int put_file(struct making *m, const char *path, const char *name,
                    struct error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int result;

    if (fd < 0) {
        return error_errno(err, "%s", path);
    }
    result = put_fd(m, fd, name, err);
    close(fd);
    return result;
}

/* --- The database ---------------------------------------------------------
 */

/* One step: readers do not keep a writer of a WAL database waiting, and what
 * is copied is one moment of it. */
static int copy_database(const char *from, const char *to, struct error *err)
{
    sqlite3 *source = NULL;
    sqlite3 *copy = NULL;
    sqlite3_backup *b = NULL;
    int code = sqlite3_open_v2(from, &source, SQLITE_OPEN_READWRITE, NULL);

    if (code == SQLITE_OK) {
        sqlite3_busy_timeout(source, 30000);
        code = sqlite3_open_v2(
            to, &copy, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
    }
    if (code == SQLITE_OK) {
        b = sqlite3_backup_init(copy, "main", source, "main");
        code = b == NULL ? sqlite3_errcode(copy) : sqlite3_backup_step(b, -1);
        sqlite3_backup_finish(b);
    }
    if (code == SQLITE_DONE) {
        /* One file, without a log beside it. */
        code =
            sqlite3_exec(copy, "PRAGMA journal_mode=DELETE", NULL, NULL, NULL);
    } else if (code == SQLITE_OK) {
        code = SQLITE_ERROR;
    }
    sqlite3_close(copy);
    sqlite3_close(source);
    return code == SQLITE_OK
               ? 0
               : error_set(err, "%s: %s", from, sqlite3_errstr(code));
}

static int put_database(struct making *m, const struct config *c,
                        const char *beside, struct error *err)
{
    char from[CONFIG_TEXT + 32];
    char copy[CONFIG_TEXT + 32];
    int fd;
    int result = -1;

    snprintf(from, sizeof from, "%s/" BACKUP_DATABASE, c->data);
    snprintf(copy, sizeof copy, "%s.XXXXXX", beside);
    fd = mkstemp(copy);
    if (fd < 0) {
        return error_errno(err, "%s", copy);
    }
    close(fd);
    if (copy_database(from, copy, err) == 0) {
        result = put_file(m, copy, BACKUP_DATABASE, err);
    }
    unlink(copy);
    return result;
}

/* --- Payloads -------------------------------------------------------------
 */

static bool is_hex(const char *text, size_t n)
{
    return strlen(text) == n && strspn(text, "0123456789abcdef") == n;
}

static int put_payloads_of(struct making *m, const char *dir, const char *two,
                           struct error *err)
{
    struct dirent **found = NULL;
    int n = scandir(dir, &found, NULL, alphasort);
    int result = n < 0 ? error_errno(err, "%s", dir) : 0;

    for (int i = 0; i < n; i++) {
        char path[CONFIG_TEXT + 128];
        char name[BACKUP_NAME];

        /* Uploads under way have other names. */
        if (result == 0 && is_hex(found[i]->d_name, 64)) {
            snprintf(path, sizeof path, "%s/%.64s", dir, found[i]->d_name);
            snprintf(name, sizeof name, "payloads/%s/%.64s", two,
                     found[i]->d_name);
            result = put_file(m, path, name, err);
        }
        free(found[i]);
    }
    free(found);
    return result;
}

static int put_payloads(struct making *m, const struct config *c,
                        struct error *err)
{
    int result = 0;

    for (int i = 0; i < 256 && result == 0; i++) {
        char dir[CONFIG_TEXT + 32];
        char two[3];

        snprintf(two, sizeof two, "%02x", (unsigned)i & 0xFF);
        snprintf(dir, sizeof dir, "%s/payloads/%s", c->data, two);
        if (access(dir, F_OK) == 0) {
            result = put_payloads_of(m, dir, two, err);
        }
    }
    return result;
}

/* --- All of it ------------------------------------------------------------
 */

static int put_keys(struct making *m, const struct config *c,
                    const char *config, struct error *err)
{
    int result = config == NULL ? 0 : put_file(m, config, BACKUP_CONFIG, err);

    for (int i = 0; i < backup_n_keys && result == 0; i++) {
        const char *path = backup_key_path(c, i);
        char name[BACKUP_NAME];

        snprintf(name, sizeof name, "config/%s", backup_keys[i].name);
        if (path[0] != '\0') {
            result = put_file(m, path, name, err);
        }
    }
    return result;
}

static int put_manifest(struct making *m, struct error *err)
{
    json_t *all = json_pack("{s:i, s:s, s:I, s:O}", "format", BACKUP_FORMAT,
                            "bowline", BOWLINE_VERSION, "created",
                            (json_int_t)m->now, "files", m->files);
    char *text = all == NULL ? NULL : json_dumps(all, JSON_INDENT(1));
    size_t n = text == NULL ? 0 : strlen(text);
    int result = text == NULL ? error_set(err, "no memory")
                              : put_header(m, BACKUP_MANIFEST, n, err);

    if (result == 0 && archive_write_data(m->archive, text, n) != (ssize_t)n) {
        result = tar_fail(m->archive, BACKUP_MANIFEST, err);
    }
    free(text);
    json_decref(all);
    return result;
}

static int put_all(struct making *m, const struct backup_options *o,
                   const struct config *c, const char *beside,
                   struct error *err)
{
    if (put_database(m, c, beside, err) != 0 || put_payloads(m, c, err) != 0 ||
        (o->with_keys && put_keys(m, c, o->config, err) != 0)) {
        return -1;
    }
    return put_manifest(m, err);
}

static int write_archive(const struct backup_options *o,
                         const struct config *c, int fd, const char *path,
                         struct error *err)
{
    struct making m = {archive_write_new(), json_array(), (int64_t)time(NULL),
                       malloc(BACKUP_PIECE)};
    int result = -1;

    if (m.archive == NULL || m.files == NULL || m.piece == NULL) {
        error_set(err, "no memory");
    } else if (archive_write_set_format_pax_restricted(m.archive) !=
                   ARCHIVE_OK ||
               archive_write_open_fd(m.archive, fd) != ARCHIVE_OK) {
        tar_fail(m.archive, path, err);
    } else {
        result = put_all(&m, o, c, path, err);
        if (result == 0 && archive_write_close(m.archive) != ARCHIVE_OK) {
            result = tar_fail(m.archive, path, err);
        }
    }
    if (m.archive != NULL) {
        archive_write_free(m.archive);
    }
    json_decref(m.files);
    free(m.piece);
    return result;
}

/* The folder's entry, too. */
static int sync_folder(const char *path, struct error *err)
{
    char dir[CONFIG_TEXT + 16];
    char *slash;
    int fd;

    snprintf(dir, sizeof dir, "%s", path);
    slash = strrchr(dir, '/');
    if (slash == NULL) {
        snprintf(dir, sizeof dir, ".");
    } else {
        slash[slash == dir] = '\0';
    }
    fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0) {
        error_errno(err, "%s", dir);
        if (fd >= 0) {
            close(fd);
        }
        return -1;
    }
    close(fd);
    return 0;
}

/* link() never replaces what is there, as rename() would. */
static int finish_file(int fd, const char *partial, const char *path,
                       struct error *err)
{
    if (fsync(fd) != 0 || link(partial, path) != 0) {
        return errno == EEXIST
                   ? error_set(err, "%s exists; name another file", path)
                   : error_errno(err, "%s", path);
    }
    return sync_folder(path, err);
}

int backup_make(const struct backup_options *o, struct error *err)
{
    struct config *c = calloc(1, sizeof *c);
    char partial[CONFIG_TEXT + 16];
    int fd;
    int result = -1;

    if (c == NULL) {
        return error_set(err, "no memory");
    }
    if (strlen(o->file) >= CONFIG_TEXT - 16) {
        error_set(err, "the file's name is too long");
    } else if (config_load(c, o->config, err) == 0) {
        snprintf(partial, sizeof partial, "%s.XXXXXX", o->file);
        fd = access(o->file, F_OK) == 0 ? -1 : mkstemp(partial);
        if (fd < 0 && access(o->file, F_OK) == 0) {
            error_set(err, "%s exists; name another file", o->file);
        } else if (fd < 0) {
            error_errno(err, "%s cannot be written", o->file);
        } else {
            result = write_archive(o, c, fd, o->file, err);
            if (result == 0) {
                result = finish_file(fd, partial, o->file, err);
            }
            close(fd);
            unlink(partial);
        }
    }
    free(c);
    return result;
}
