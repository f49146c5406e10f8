/* SPDX-License-Identifier: Apache-2.0 */
/* Which format a file has, what came out, and the sums. */
#include "conformance.h"

#include <string.h>

#include "bowline/status.h"
#include "conformance_private.h"

/* --- Results ---------------------------------------------------------------
 */

static void record(struct check *c, const char *name, const char *outcome,
                   const char *verdict, const char *expected,
                   const char *reason)
{
    json_t *entry;

    if (c->out != NULL) {
        (void)fprintf(c->out, "%-11s %s: ", outcome, name);
        if (verdict != NULL) {
            (void)fprintf(c->out, "%s, expected %s (%s)\n", verdict, expected,
                          reason);
        } else {
            (void)fprintf(c->out, "unsupported: %s\n", reason);
        }
    }
    if (c->vectors == NULL) {
        return;
    }
    entry = json_pack("{s:s, s:s, s:s, s:s}", "file", c->file, "name", name,
                      "result", outcome, "reason", reason);
    if (entry == NULL) {
        fail(c, "%s: a name that is not UTF-8", name);
        return;
    }
    if (verdict != NULL) {
        (void)json_object_set_new(entry, "verdict", json_string(verdict));
        (void)json_object_set_new(entry, "expected", json_string(expected));
    }
    (void)json_array_append_new(c->vectors, entry);
}

static void judge(struct check *c, const char *name, bool same,
                  bool expect_accept, bl_status status, const char *remark)
{
    char reason[200];

    (void)snprintf(reason, sizeof reason, "%s%s%s", bl_status_name(status),
                   remark == NULL ? "" : "; ", remark == NULL ? "" : remark);
    *(same ? &c->same : &c->differs) += 1;
    record(c, name, same ? "same" : "differs",
           status == BL_OK ? "accept" : "reject",
           expect_accept ? "accept" : "reject", reason);
}

void result(struct check *c, const char *name, bool expect_accept,
            bl_status status, const char *odd)
{
    judge(c, name, (status == BL_OK) == expect_accept && odd == NULL,
          expect_accept, status, odd);
}

void result_noted(struct check *c, const char *name, bool expect_accept,
                  bl_status status, const char *note)
{
    judge(c, name, (status == BL_OK) == expect_accept, expect_accept, status,
          note);
}

void unsupported(struct check *c, const char *name, const char *what)
{
    c->unsupported++;
    record(c, name, "unsupported", NULL, NULL, what);
}

/* --- Files -----------------------------------------------------------------
 */

/* A file of envelopes without keys is signed with those of positive.json
 * beside it, unless an earlier file brought keys. */
static void find_keys(struct check *c, const json_t *file)
{
    const json_t *keys = json_object_get(file, "keys");
    const char *slash = strrchr(c->file, '/');
    char path[1000];
    json_t *sibling;
    int n;

    if (keys != NULL) {
        keys_of(c, keys);
        return;
    }
    if (c->n_keys > 0) {
        return;
    }
    n = snprintf(path, sizeof path, "%.*spositive.json",
                 slash == NULL ? 0 : (int)(slash + 1 - c->file), c->file);
    if (n < 0 || (size_t)n >= sizeof path) {
        fail(c, "a path that is too long");
        return;
    }
    sibling = json_load_file(path, 0, NULL);
    if (json_object_get(sibling, "keys") == NULL) {
        fail(c, "it has no \"keys\", and no positive.json with keys lies "
                "beside it: name the file with the keys before it");
    } else {
        keys_of(c, json_object_get(sibling, "keys"));
    }
    json_decref(sibling);
}

static void check_one(struct check *c, const json_t *file,
                      const json_t *vector, size_t number)
{
    if (json_object_get(vector, "entry0") != NULL) {
        check_otadata(c, vector, number);
    } else if (json_object_get(vector, "device_state") != NULL) {
        check_profile(c, vector);
    } else if (json_object_get(vector, "manifest_digest") != NULL) {
        check_draft(c, file, vector);
    } else if (json_object_get(vector, "patch") != NULL) {
        check_delta(c, vector);
    } else if (json_object_get(vector, "ticket") != NULL) {
        check_ticket(c, file, vector);
    } else if (json_object_get(vector, "report") != NULL) {
        check_report(c, vector);
    } else if (json_object_get(vector, "tbs") != NULL) {
        check_cose(c, vector);
    } else if (json_object_get(vector, "public_key") != NULL) {
        check_lms(c, vector);
    } else {
        fail(c, "vectors of a kind that is not known here");
    }
}

static bool need_keys(const json_t *first)
{
    return json_object_get(first, "device_state") != NULL ||
           json_object_get(first, "report") != NULL;
}

static void check_vectors(struct check *c, const json_t *file,
                          const json_t *vectors)
{
    const json_t *first = json_array_get(vectors, 0);
    const json_t *vector;
    size_t i;

    if (first == NULL) {
        fail(c, "no vectors in it");
        return;
    }
    if (json_object_get(first, "root") != NULL) {
        check_roots(c, vectors);
        return;
    }
    c->all = vectors;
    if (need_keys(first)) {
        find_keys(c, file);
    }
    json_array_foreach(vectors, i, vector)
    {
        if (!failed(c)) {
            check_one(c, file, vector, i);
        }
    }
}

static void check_file(struct check *c, const char *path)
{
    const char *slash = strrchr(path, '/');
    json_t *file;

    c->file = path;
    file = load_file(c, path);
    if (file == NULL) {
        return;
    }
    if (json_is_array(json_object_get(file, "testGroups"))) {
        check_wycheproof(c, file);
    } else if (json_is_array(json_object_get(file, "sets"))) {
        check_parameters(c, json_object_get(file, "sets"));
    } else if (json_is_array(json_object_get(file, "vectors"))) {
        check_vectors(c, file, json_object_get(file, "vectors"));
    } else if (json_is_array(json_object_get(file, "transcript"))) {
        unsupported(c, slash == NULL ? path : slash + 1,
                    "a transcript, which the test suite plays");
    } else {
        fail(c, "not a vector file: none of \"vectors\", \"testGroups\", "
                "\"sets\" is in it");
    }
    json_decref(file);
}

int conformance_check(const char *const *files, size_t n, FILE *out,
                      json_t *result_object, char error[CONFORMANCE_MESSAGE])
{
    struct check c;
    size_t i;

    memset(&c, 0, sizeof c);
    error[0] = '\0';
    c.error = error;
    c.out = out;
    c.vectors = result_object == NULL ? NULL : json_array();
    for (i = 0; i < n && !failed(&c); i++) {
        check_file(&c, files[i]);
    }
    forget(&c);
    if (out != NULL && !failed(&c)) {
        (void)fprintf(out,
                      "%zu vectors: %zu same, %zu differ, %zu unsupported\n",
                      c.same + c.differs + c.unsupported, c.same, c.differs,
                      c.unsupported);
    }
    if (result_object != NULL) {
        (void)json_object_set_new(result_object, "vectors", c.vectors);
        (void)json_object_set_new(result_object, "same",
                                  json_integer((json_int_t)c.same));
        (void)json_object_set_new(result_object, "differs",
                                  json_integer((json_int_t)c.differs));
        (void)json_object_set_new(result_object, "unsupported",
                                  json_integer((json_int_t)c.unsupported));
    }
    if (failed(&c)) {
        return CONFORMANCE_ERROR;
    }
    return c.differs > 0 ? CONFORMANCE_DIFFERS : CONFORMANCE_SAME;
}

int conformance_run(const char *const *files, size_t n, bool json, FILE *out)
{
    char error[CONFORMANCE_MESSAGE];
    json_t *object = json ? json_object() : NULL;
    int code = conformance_check(files, n, json ? NULL : out, object, error);

    if (json && code != CONFORMANCE_ERROR) {
        (void)json_dumpf(object, out, JSON_INDENT(2));
        (void)fputc('\n', out);
    }
    json_decref(object);
    if (code == CONFORMANCE_ERROR) {
        (void)fprintf(stderr, "conformance: %s\n", error);
    }
    return code;
}
