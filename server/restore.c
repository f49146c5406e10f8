/* SPDX-License-Identifier: Apache-2.0 */
/* bowlined restore: an archive is a stranger's until all of it was looked at.
 */
#include "backup.h"

#include "store.h"

#include "host/file.h"

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    /* Numbers given out since the backup are not given out again: nobody
     * makes so many rollouts between two backups. */
    GAP = 1000
};

struct found {
    struct found *next;
    char name[BACKUP_NAME];
    uint64_t size;
    uint8_t digest[32];
};

struct restoring {
    const struct backup_options *o;
    struct config *c;
    struct found *files; /* as they are in the archive */
    struct buffer key[16];
    struct buffer config;
    struct buffer manifest;
    int64_t created;
    char into[CONFIG_TEXT + 16]; /* data/.restoring */
    uint8_t *piece;
};

/* --- Reading the archive --------------------------------------------------
 */

static bool hex_name(const char *text, size_t n)
{
    return strspn(text, "0123456789abcdef") == n && text[n] == '\0';
}

static bool is_payload(const char *name)
{
    return strncmp(name, "payloads/", 9) == 0 && strlen(name) == 9 + 3 + 64 &&
           name[11] == '/' && hex_name(name + 12, 64) &&
           strncmp(name + 9, name + 12, 2) == 0;
}

static int key_of(const char *name)
{
    for (int i = 0; i < backup_n_keys; i++) {
        if (strncmp(name, "config/", 7) == 0 &&
            strcmp(name + 7, backup_keys[i].name) == 0) {
            return i;
        }
    }
    return -1;
}

/* Where an entry is kept in memory, or NULL. */
static struct buffer *kept(struct restoring *r, const char *name)
{
    int key = key_of(name);

    return strcmp(name, BACKUP_MANIFEST) == 0 ? &r->manifest
           : strcmp(name, BACKUP_CONFIG) == 0 ? &r->config
           : key >= 0                         ? &r->key[key]
                                              : NULL;
}

static bool is_known(struct restoring *r, const char *name)
{
    return strcmp(name, BACKUP_DATABASE) == 0 || is_payload(name) ||
           kept(r, name) != NULL;
}

static struct found *find(struct restoring *r, const char *name)
{
    struct found *f = r->files;

    while (f != NULL && strcmp(f->name, name) != 0) {
        f = f->next;
    }
    return f;
}

typedef int (*entry_piece)(void *ctx, bl_span piece, struct error *err);

/* All of an entry: into its digest, and to `take`. */
static int read_entry(struct restoring *r, struct archive *a, struct found *f,
                      entry_piece take, void *ctx, struct error *err)
{
    struct bl_sha256 hash;
    ssize_t n;

    bl_sha256_init(&hash);
    f->size = 0;
    while ((n = archive_read_data(a, r->piece, BACKUP_PIECE)) > 0) {
        bl_sha256_update(&hash, r->piece, (size_t)n);
        f->size += (uint64_t)n;
        if (take != NULL &&
            take(ctx, bl_span_of(r->piece, (size_t)n), err) != 0) {
            return -1;
        }
    }
    bl_sha256_final(&hash, f->digest);
    return n == 0 ? 0
                  : error_set(err, "%s: %s: %s", r->o->file, f->name,
                              archive_error_string(a));
}

static int into_buffer(void *ctx, bl_span piece, struct error *err)
{
    return buffer_append(ctx, piece.p, piece.n, err);
}

typedef int (*entry_seen)(struct restoring *r, struct archive *a,
                          const char *name, struct error *err);

static int read_archive(struct restoring *r, entry_seen seen,
                        struct error *err)
{
    struct archive *a = archive_read_new();
    struct archive_entry *e;
    int code;
    int result = 0;

    if (a == NULL) {
        return error_set(err, "no memory");
    }
    archive_read_support_format_tar(a);
    code = archive_read_open_filename(a, r->o->file, BACKUP_PIECE);
    while (code == ARCHIVE_OK && result == 0 &&
           (code = archive_read_next_header(a, &e)) == ARCHIVE_OK) {
        const char *name = archive_entry_pathname(e);

        if (name == NULL || archive_entry_filetype(e) != AE_IFREG ||
            archive_entry_hardlink(e) != NULL || !is_known(r, name)) {
            result = error_set(err, "%s holds \"%.100s\", which no backup has",
                               r->o->file, name == NULL ? "?" : name);
        } else {
            result = seen(r, a, name, err);
        }
    }
    if (result == 0 && code != ARCHIVE_EOF) {
        result = error_set(err, "%s: %s", r->o->file, archive_error_string(a));
    }
    archive_read_free(a);
    return result;
}

/* --- First: is it whole? --------------------------------------------------
 */

static int look_at(struct restoring *r, struct archive *a, const char *name,
                   struct error *err)
{
    struct buffer *keep = kept(r, name);
    struct found *f = calloc(1, sizeof *f);

    if (f == NULL) {
        return error_set(err, "no memory");
    }
    if (find(r, name) != NULL) {
        free(f);
        return error_set(err, "%s holds %s twice", r->o->file, name);
    }
    snprintf(f->name, sizeof f->name, "%s", name);
    f->next = r->files;
    r->files = f;
    return read_entry(r, a, f, keep == NULL ? NULL : into_buffer, keep, err);
}

static int check_file(struct restoring *r, const json_t *entry,
                      struct error *err)
{
    const char *name = json_string_value(json_object_get(entry, "name"));
    const char *hex = json_string_value(json_object_get(entry, "sha256"));
    const json_t *size = json_object_get(entry, "size");
    const struct found *f = name == NULL ? NULL : find(r, name);
    uint8_t digest[32];

    if (f == NULL) {
        return error_set(err, "%s is not in %s: it is not whole",
                         name == NULL ? "?" : name, r->o->file);
    }
    if (hex == NULL || hex_decode(hex, strlen(hex), digest, 32) != 0 ||
        memcmp(digest, f->digest, 32) != 0 ||
        (uint64_t)json_integer_value(size) != f->size) {
        return error_set(err, "%s in %s is not what was backed up", name,
                         r->o->file);
    }
    return 0;
}

static int count_files(const struct restoring *r)
{
    int n = 0;

    for (const struct found *f = r->files; f != NULL; f = f->next) {
        n++;
    }
    return n;
}

static int check_manifest(struct restoring *r, const json_t *m,
                          struct error *err)
{
    const json_t *files = json_object_get(m, "files");
    const json_t *one;
    size_t i;

    if (json_integer_value(json_object_get(m, "format")) != BACKUP_FORMAT) {
        return error_set(err,
                         "%s is of a format that this program does not "
                         "know; use the bowlined that made it",
                         r->o->file);
    }
    r->created = json_integer_value(json_object_get(m, "created"));
    json_array_foreach(files, i, one)
    {
        if (check_file(r, one, err) != 0) {
            return -1;
        }
    }
    /* Each is there once, so the numbers tell whether one is too many. */
    if (find(r, BACKUP_DATABASE) == NULL ||
        count_files(r) != (int)json_array_size(files) + 1) {
        return error_set(err, "%s does not hold what its manifest says",
                         r->o->file);
    }
    return 0;
}

static int check_archive(struct restoring *r, struct error *err)
{
    json_t *m;
    int result;

    if (read_archive(r, look_at, err) != 0) {
        return -1;
    }
    m = json_loadb((const char *)r->manifest.p, r->manifest.n,
                   JSON_REJECT_DUPLICATES, NULL);
    if (m == NULL) {
        return error_set(err, "%s has no manifest: it is not whole",
                         r->o->file);
    }
    result = check_manifest(r, m, err);
    json_decref(m);
    return result;
}

/* --- Then: write ----------------------------------------------------------
 */

static int into_file(void *ctx, bl_span piece, struct error *err)
{
    const int *fd = ctx;

    while (piece.n > 0) {
        ssize_t n = write(*fd, piece.p, piece.n);

        if (n < 0) {
            return error_errno(err, "restore");
        }
        piece = bl_span_of(piece.p + n, piece.n - (size_t)n);
    }
    return 0;
}

static int make_folder(const char *path, struct error *err)
{
    char dir[CONFIG_TEXT + BACKUP_NAME + 32];

    snprintf(dir, sizeof dir, "%s", path);
    *strrchr(dir, '/') = '\0';
    return file_make_dirs(dir, 0700, err);
}

static int extract(struct restoring *r, struct archive *a, const char *name,
                   struct error *err)
{
    char path[CONFIG_TEXT + BACKUP_NAME + 32];
    struct found now = {0};
    const struct found *before = find(r, name);
    int fd;
    int result;

    if (kept(r, name) != NULL) {
        return 0;
    }
    snprintf(path, sizeof path, "%s/%s", r->into, name);
    snprintf(now.name, sizeof now.name, "%s", name);
    if (make_folder(path, err) != 0) {
        return -1;
    }
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        return error_errno(err, "%s", path);
    }
    result = read_entry(r, a, &now, into_file, &fd, err);
    if (result == 0 && fsync(fd) != 0) {
        result = error_errno(err, "%s", path);
    }
    close(fd);
    if (result == 0 && (before == NULL || before->size != now.size ||
                        memcmp(before->digest, now.digest, 32) != 0)) {
        result = error_set(err, "%s was changed meanwhile", r->o->file);
    }
    return result;
}

/* --- The database of the past ---------------------------------------------
 */

static int read_text(void *ctx, sqlite3_stmt *row)
{
    snprintf(ctx, 64, "%s", db_text(row, 0));
    return 1;
}

/* Numbers that were given out after the backup are known elsewhere: in
 * scripts, tickets, other logs. They must not come to mean something else. */
static int leave_gap(struct store *store, struct error *err)
{
    return db_run(&store->db, err,
                  "UPDATE sqlite_sequence SET seq = seq + ?"
                  " WHERE name IN ('rollouts', 'webhooks', 'deliveries')",
                  "i", (int64_t)GAP);
}

/* A session that was ended since, by its user or with a password, must not
 * live again. */
static int end_sessions(struct store *store, struct error *err)
{
    if (db_run(&store->db, err, "DELETE FROM login_codes", "") != 0) {
        return -1;
    }
    return db_run(&store->db, err, "DELETE FROM sessions", "");
}

static int say_restored(struct restoring *r, struct store *store,
                        struct error *err)
{
    char detail[64];

    snprintf(detail, sizeof detail, "backup of %" PRId64, r->created);
    if (store_begin(store, err) != 0) {
        return -1;
    }
    if (leave_gap(store, err) != 0 || end_sessions(store, err) != 0 ||
        store_audit(store, "server", "server-restore", "", detail, err) != 0) {
        return store_abort(store);
    }
    return store_commit(store, err);
}

static int mend_database(struct restoring *r, struct error *err)
{
    char path[CONFIG_TEXT + 64];
    char said[64] = "";
    struct store *store = calloc(1, sizeof *store);
    int result = -1;

    snprintf(path, sizeof path, "%s/" BACKUP_DATABASE, r->into);
    if (store == NULL) {
        return error_set(err, "no memory");
    }
    /* Refuses a schema that it does not know; brings an old one up to date.
     */
    if (store_open(store, path, err) == 0) {
        result = db_each(&store->db, err, read_text, said,
                         "PRAGMA quick_check(1)", "");
        if (result == 0 && strcmp(said, "ok") != 0) {
            result = error_set(err, "the database is damaged: %s", said);
        }
        if (result == 0) {
            result = say_restored(r, store, err);
        }
        store_close(store);
    }
    free(store);
    return result;
}

/* --- Into place -----------------------------------------------------------
 */

static int move(struct restoring *r, const char *name, struct error *err)
{
    char from[CONFIG_TEXT + 64];
    char to[CONFIG_TEXT + 64];

    snprintf(from, sizeof from, "%s/%s", r->into, name);
    snprintf(to, sizeof to, "%s/%s", r->c->data, name);
    if (access(from, F_OK) != 0 && errno == ENOENT) {
        return 0;
    }
    return rename(from, to) == 0 ? 0 : error_errno(err, "%s", to);
}

static int check_empty(const struct config *c, struct error *err)
{
    DIR *dir = opendir(c->data);
    const struct dirent *e;
    bool empty = true;

    if (dir == NULL) {
        return errno == ENOENT ? file_make_dirs(c->data, 0700, err)
                               : error_errno(err, "data: %s", c->data);
    }
    while ((e = readdir(dir)) != NULL) {
        empty &= strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
    }
    closedir(dir);
    return empty ? 0
                 : error_set(err,
                             "data: %s is not empty; a restore fills an "
                             "empty folder only: move away what is there",
                             c->data);
}

/* What root restores belongs to whoever owns the folder. */
static void give_away(const char *path, const struct stat *owner)
{
    DIR *dir = opendir(path);
    const struct dirent *e;

    if (dir == NULL) {
        return;
    }
    while ((e = readdir(dir)) != NULL) {
        char inner[CONFIG_TEXT + 256];
        struct stat st;

        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) {
            continue;
        }
        snprintf(inner, sizeof inner, "%s/%s", path, e->d_name);
        if (lchown(inner, owner->st_uid, owner->st_gid) == 0 &&
            lstat(inner, &st) == 0 && S_ISDIR(st.st_mode)) {
            give_away(inner, owner);
        }
    }
    closedir(dir);
}

static void remove_tree(const char *path)
{
    DIR *dir = opendir(path);
    const struct dirent *e;

    while (dir != NULL && (e = readdir(dir)) != NULL) {
        char inner[CONFIG_TEXT + 256];

        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) {
            snprintf(inner, sizeof inner, "%s/%s", path, e->d_name);
            if (unlink(inner) != 0) {
                remove_tree(inner);
            }
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
    rmdir(path);
}

/* Only what is not there: a key is never replaced. */
static int put_keys(struct restoring *r, struct error *err)
{
    for (int i = 0; i < backup_n_keys; i++) {
        const char *path = backup_key_path(r->c, i);

        if (r->key[i].n == 0 || path[0] == '\0' || access(path, F_OK) == 0) {
            continue;
        }
        if (file_create(path, buffer_span(&r->key[i]), 0600, err) != 0) {
            return error_prefix(err, "%s", backup_keys[i].name);
        }
        fprintf(stderr, "bowlined: wrote %s\n", path);
    }
    return 0;
}

static int fill_folder(struct restoring *r, struct error *err)
{
    struct stat owner;
    int result;

    if (check_empty(r->c, err) != 0) {
        return -1;
    }
    snprintf(r->into, sizeof r->into, "%s/.restoring", r->c->data);
    result = file_make_dirs(r->into, 0700, err);
    if (result == 0) {
        result = read_archive(r, extract, err);
    }
    if (result == 0) {
        result = mend_database(r, err);
    }
    /* The database last: without it the folder is no server's. */
    if (result == 0) {
        result = move(r, "payloads", err);
    }
    if (result == 0) {
        result = move(r, BACKUP_DATABASE, err);
    }
    remove_tree(r->into);
    if (result == 0 && geteuid() == 0 && stat(r->c->data, &owner) == 0) {
        give_away(r->c->data, &owner);
    }
    return result;
}

/* A machine that has nothing yet: its configuration is in the archive. */
static int load_config(struct restoring *r, struct error *err)
{
    const char *path = r->o->config;

    if (path != NULL && access(path, F_OK) != 0 && r->o->with_keys &&
        r->config.n > 0) {
        if (file_create(path, buffer_span(&r->config), 0600, err) != 0) {
            return -1;
        }
        fprintf(stderr, "bowlined: wrote %s\n", path);
    }
    return config_load(r->c, path, err);
}

static int restore(struct restoring *r, struct error *err)
{
    if (check_archive(r, err) != 0 || load_config(r, err) != 0 ||
        fill_folder(r, err) != 0) {
        return -1;
    }
    return r->o->with_keys ? put_keys(r, err) : 0;
}

static void free_all(struct restoring *r)
{
    while (r->files != NULL) {
        struct found *next = r->files->next;

        free(r->files);
        r->files = next;
    }
    for (int i = 0; i < backup_n_keys; i++) {
        buffer_wipe(&r->key[i]);
    }
    buffer_free(&r->config);
    buffer_free(&r->manifest);
    free(r->piece);
    free(r->c);
}

int backup_restore(const struct backup_options *o, struct error *err)
{
    struct restoring r = {.o = o,
                          .c = calloc(1, sizeof *r.c),
                          .config = BUFFER(BACKUP_KEY_MAX),
                          .manifest = BUFFER(BACKUP_MANIFEST_MAX),
                          .piece = malloc(BACKUP_PIECE)};
    int result = -1;

    for (int i = 0; i < backup_n_keys; i++) {
        r.key[i].limit = BACKUP_KEY_MAX;
    }
    if (r.c == NULL || r.piece == NULL) {
        error_set(err, "no memory");
    } else {
        result = restore(&r, err);
    }
    free_all(&r);
    return result;
}
