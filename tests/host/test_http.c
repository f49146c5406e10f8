/* SPDX-License-Identifier: Apache-2.0 */
#define _XOPEN_SOURCE 700
#include "host/file.h"
#include "host/http.h"
#include "http_header.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* --- A server that says what it is told ---------------------------------- */

struct server {
    int listener;
    char url[64];
    const char *answer; /* one, to every request */
    char request[8192]; /* the last one, headers and body */
    size_t body;        /* bytes of a body to wait for */
    pthread_t thread;
};

static void serve_one(struct server *s, int fd)
{
    size_t n = 0;
    size_t need = SIZE_MAX;
    char *end;
    ssize_t got;

    while (n < need && n < sizeof s->request - 1) {
        got = read(fd, s->request + n, sizeof s->request - 1 - n);
        if (got <= 0) {
            break;
        }
        n += (size_t)got;
        s->request[n] = 0;
        end = strstr(s->request, "\r\n\r\n");
        if (end != NULL) {
            need = (size_t)(end + 4 - s->request) + s->body;
        }
    }
    got = write(fd, s->answer, strlen(s->answer));
    assert_int_equal(got, strlen(s->answer));
    (void)close(fd);
}

static void *serve(void *ctx)
{
    struct server *s = ctx;
    int fd = accept(s->listener, NULL, NULL);

    if (fd >= 0) {
        serve_one(s, fd);
    }
    return NULL;
}

static void server_start(struct server *s, const char *answer)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t n = sizeof a;

    memset(s, 0, sizeof *s);
    s->answer = answer;
    s->listener = socket(AF_INET, SOCK_STREAM, 0);
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(s->listener, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(s->listener, 4), 0);
    assert_int_equal(getsockname(s->listener, (struct sockaddr *)&a, &n), 0);
    (void)snprintf(s->url, sizeof s->url, "http://127.0.0.1:%d/x",
                   ntohs(a.sin_port));
}

static void server_run(struct server *s)
{
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void server_end(struct server *s)
{
    (void)pthread_join(s->thread, NULL);
    (void)close(s->listener);
}

/* --- Receivers
 * ---------------------------------------------------------------- */

struct seen {
    int starts;
    int status;
    uint64_t offset;
    uint64_t length;
    struct buffer data;
    int stop_at; /* 1: in on_start, 2: in on_data */
};

static int on_start(void *ctx, int status, uint64_t offset, uint64_t length)
{
    struct seen *s = ctx;

    s->starts++;
    s->status = status;
    s->offset = offset;
    s->length = length;
    return s->stop_at == 1 ? -1 : 0;
}

static int on_data(void *ctx, const void *data, size_t n)
{
    struct seen *s = ctx;

    assert_int_equal(s->starts, 1);
    return s->stop_at == 2 ? -1 : buffer_append(&s->data, data, n, NULL);
}

static struct http *client(const char *token_file)
{
    struct http_config config = {.token_file = token_file};
    struct error err;
    struct http *http = http_open(&config, &err);

    if (http == NULL) {
        fail_msg("%s", err.text);
    }
    return http;
}

/* One GET from `offset` answered with `answer`. */
static int fetch(const char *answer, uint64_t offset, struct seen *seen,
                 struct http_response *response, struct server *s,
                 struct error *err)
{
    struct http_request request = {.method = "GET", .offset = offset};
    struct http *http = client(NULL);
    struct buffer empty = BUFFER(1000);
    int stop_at = seen->stop_at;
    int result;

    memset(seen, 0, sizeof *seen);
    seen->stop_at = stop_at;
    seen->data = empty;
    memset(response, 0, sizeof *response);
    server_start(s, answer);
    server_run(s);
    request.url = s->url;
    request.if_range = offset > 0 ? "\"tag\"" : NULL;
    request.on_start = on_start;
    request.on_data = on_data;
    request.ctx = seen;
    result = http_do(http, &request, response, err);
    server_end(s);
    http_close(http);
    buffer_free(&response->body);
    return result;
}

/* --- Header fields
 * ------------------------------------------------------------- */

static void content_range_is_read_strictly(void **state)
{
    static const char *const bad[] = {"",
                                      "bytes",
                                      "bytes 5",
                                      "bytes 5-4/10",
                                      "bytes -5/10",
                                      "bytes 5-9/9",
                                      "bytes 5-9",
                                      "bytes 5-9/10 ",
                                      "items 5-9/10",
                                      "bytes */10",
                                      "bytes 18446744073709551616-9/10"};
    uint64_t first;
    uint64_t last;
    size_t i;

    (void)state;
    assert_true(http_content_range("bytes 5-9/10", &first, &last));
    assert_int_equal(first, 5);
    assert_int_equal(last, 9);
    assert_true(http_content_range("Bytes 0-0/*", &first, &last));
    for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (http_content_range(bad[i], &first, &last)) {
            fail_msg("%s", bad[i]);
        }
    }
}

static void retry_after_is_seconds_or_a_date(void **state)
{
    const time_t now = 784111777; /* Sun, 06 Nov 1994 08:49:37 GMT */

    (void)state;
    assert_int_equal(http_retry_after("120", now), 120);
    assert_int_equal(http_retry_after("99999999999999", now), UINT32_MAX);
    assert_int_equal(http_retry_after("Sun, 06 Nov 1994 08:50:37 GMT", now),
                     60);
    assert_int_equal(http_retry_after("Sun, 06 Nov 1994 08:48:37 GMT", now),
                     0);
    assert_int_equal(http_retry_after("soon", now), 0);
    assert_int_equal(http_retry_after("12x", now), 0);
}

/* --- Answers
 * -------------------------------------------------------------------- */

static void whole_answer_starts_at_0(void **state)
{
    struct http_response response;
    struct seen seen = {0};
    struct server s;
    struct error err;

    (void)state;
    assert_int_equal(fetch("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"
                           "Content-Type: text/plain\r\n\r\nhello",
                           3, &seen, &response, &s, &err),
                     0);
    assert_int_equal(response.status, 200);
    assert_string_equal(response.content_type, "text/plain");
    assert_int_equal(seen.offset, 0);
    assert_int_equal(seen.length, 5);
    assert_int_equal(seen.data.n, 5);
    assert_non_null(strstr(s.request, "\r\nRange: bytes=3-\r\n"));
    assert_non_null(strstr(s.request, "\r\nIf-Range: \"tag\"\r\n"));
    assert_null(strstr(s.request, "Authorization"));
    buffer_free(&seen.data);
}

static void part_starts_where_it_was_asked_to(void **state)
{
    struct http_response response;
    struct seen seen = {0};
    struct server s;
    struct error err;

    (void)state;
    assert_int_equal(fetch("HTTP/1.1 206 Partial\r\nContent-Length: 2\r\n"
                           "Content-Range: bytes 3-4/5\r\n\r\nlo",
                           3, &seen, &response, &s, &err),
                     0);
    assert_int_equal(response.status, 206);
    assert_int_equal(seen.offset, 3);
    assert_int_equal(seen.data.n, 2);
    buffer_free(&seen.data);
}

/* Bytes of another place must never reach the receiver. */
static void part_of_another_place_is_refused(void **state)
{
    static const char *const answer[] = {
        "HTTP/1.1 206 P\r\nContent-Length: 2\r\n"
        "Content-Range: bytes 2-3/5\r\n\r\nll",
        "HTTP/1.1 206 P\r\nContent-Length: 2\r\n\r\nlo",
        "HTTP/1.1 206 P\r\nContent-Length: 2\r\n"
        "Content-Range: bytes x\r\n\r\nlo"};
    struct http_response response;
    struct seen seen = {0};
    struct server s;
    struct error err;
    size_t i;

    (void)state;
    for (i = 0; i < 3; i++) {
        assert_int_equal(fetch(answer[i], 3, &seen, &response, &s, &err), -1);
        assert_non_null(strstr(err.text, "206"));
        assert_int_equal(seen.starts, 0);
        assert_int_equal(seen.data.n, 0);
        buffer_free(&seen.data);
    }
}

static void short_body_is_a_transport_error(void **state)
{
    struct http_response response;
    struct seen seen = {0};
    struct server s;
    struct error err;

    (void)state;
    assert_int_equal(fetch("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhel",
                           0, &seen, &response, &s, &err),
                     -1);
    assert_int_equal(err.status, BL_TRANSPORT);
    assert_int_equal(seen.data.n, 3);
    buffer_free(&seen.data);
}

static void busy_server_says_when_to_come_back(void **state)
{
    struct http_response response;
    struct seen seen = {0};
    struct server s;
    struct error err;

    (void)state;
    assert_int_equal(fetch("HTTP/1.1 503 Busy\r\nRetry-After: 17\r\n"
                           "Content-Length: 0\r\n\r\n",
                           0, &seen, &response, &s, &err),
                     0);
    assert_int_equal(response.status, 503);
    assert_int_equal(response.retry_after_s, 17);
    assert_int_equal(seen.starts, 1);
    buffer_free(&seen.data);
}

static void redirect_is_not_followed(void **state)
{
    struct http_response response;
    struct seen seen = {0};
    struct server s;
    struct error err;

    (void)state;
    assert_int_equal(fetch("HTTP/1.1 302 Found\r\nContent-Length: 0\r\n"
                           "Location: http://127.0.0.1:1/\r\n\r\n",
                           0, &seen, &response, &s, &err),
                     0);
    assert_int_equal(response.status, 302);
    buffer_free(&seen.data);
}

static void receiver_may_stop_at_either_place(void **state)
{
    struct http_response response;
    struct seen seen = {0};
    struct server s;
    struct error err;
    int at;

    (void)state;
    for (at = 1; at <= 2; at++) {
        seen.stop_at = at;
        assert_int_equal(
            fetch("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 0,
                  &seen, &response, &s, &err),
            -1);
        assert_non_null(strstr(err.text, "stopped by the receiver"));
        assert_int_equal(seen.starts, 1);
        buffer_free(&seen.data);
    }
}

static void answer_over_the_limit_is_refused(void **state)
{
    struct http_response response = {.body = BUFFER(4)};
    struct http_request request = {.method = "GET"};
    struct http *http = client(NULL);
    struct server s;
    struct error err;

    (void)state;
    server_start(&s, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    server_run(&s);
    request.url = s.url;
    assert_int_equal(http_do(http, &request, &response, &err), -1);
    assert_non_null(strstr(err.text, "too large"));
    server_end(&s);
    http_close(http);
    buffer_free(&response.body);
}

/* --- Requests
 * ------------------------------------------------------------------- */

/* A file of its own, in a folder of its own. */
static void make_file(char path[FILE_TEMP + 16], const char *content)
{
    char folder[FILE_TEMP];

    assert_int_equal(file_temp_folder("http", folder, NULL), 0);
    (void)snprintf(path, FILE_TEMP + 16, "%s/file", folder);
    assert_int_equal(
        file_create(path, bl_span_of(content, strlen(content)), 0600, NULL),
        0);
}

static void remove_file(char *path)
{
    (void)unlink(path);
    *strrchr(path, '/') = '\0';
    assert_int_equal(rmdir(path), 0);
}

static void post_carries_token_type_and_body(void **state)
{
    struct http_response response = {0};
    struct http_request request = {.method = "POST"};
    char path[FILE_TEMP + 16];
    struct http *http;
    struct server s;
    struct error err;

    (void)state;
    make_file(path, "s3cret\nsecond\n");
    http = client(path);
    server_start(&s, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    s.body = 3;
    server_run(&s);
    request.url = s.url;
    request.content_type = "application/cbor";
    request.body = bl_span_of("\xa1\x00\xf6", 3);
    if (http_do(http, &request, &response, &err) != 0) {
        fail_msg("%s", err.text);
    }
    server_end(&s);
    assert_memory_equal(s.request, "POST /x HTTP/1.1\r\n", 18);
    assert_non_null(strstr(s.request, "\r\nAuthorization: Bearer s3cret\r\n"));
    assert_non_null(
        strstr(s.request, "\r\nContent-Type: application/cbor\r\n"));
    assert_non_null(strstr(s.request, "\r\nContent-Length: 3\r\n"));
    assert_memory_equal(strstr(s.request, "\r\n\r\n") + 4, "\xa1\x00\xf6", 3);
    assert_string_equal((char *)response.body.p, "ok");
    buffer_free(&response.body);
    http_close(http);
    remove_file(path);
}

static void put_sends_a_file_of_known_size(void **state)
{
    struct http_response response = {0};
    struct http_request request = {.method = "PUT"};
    char path[FILE_TEMP + 16];
    struct http *http = client(NULL);
    struct server s;
    struct error err;

    (void)state;
    make_file(path, "firmware");
    server_start(&s, "HTTP/1.1 201 Made\r\nContent-Length: 0\r\n\r\n");
    s.body = 8;
    server_run(&s);
    request.url = s.url;
    request.body_file = path;
    if (http_do(http, &request, &response, &err) != 0) {
        fail_msg("%s", err.text);
    }
    server_end(&s);
    assert_int_equal(response.status, 201);
    assert_memory_equal(s.request, "PUT /x ", 7);
    assert_non_null(strstr(s.request, "\r\nContent-Length: 8\r\n"));
    assert_string_equal(strstr(s.request, "\r\n\r\n") + 4, "firmware");
    http_close(http);
    remove_file(path);
}

static void secrets_of_a_url_are_not_shown(void **state)
{
    struct http_response response = {0};
    struct http_request request = {
        .method = "GET", .url = "http://user:pw@127.0.0.1:1/p?signature=abc"};
    struct http *http = client(NULL);
    struct error err;

    (void)state;
    assert_int_equal(http_do(http, &request, &response, &err), -1);
    assert_non_null(strstr(err.text, "GET http://127.0.0.1:1/p"));
    assert_null(strstr(err.text, "pw"));
    assert_null(strstr(err.text, "abc"));
    http_close(http);
}

static void other_protocols_are_refused(void **state)
{
    struct http_response response = {0};
    struct http_request request = {.method = "GET",
                                   .url = "file:///etc/passwd"};
    struct http *http = client(NULL);
    struct error err;

    (void)state;
    assert_int_equal(http_do(http, &request, &response, &err), -1);
    assert_int_equal(response.body.n, 0);
    http_close(http);
}

static void line_break_in_a_header_is_refused(void **state)
{
    struct http_response response = {0};
    struct http_request request = {.method = "GET",
                                   .url = "http://127.0.0.1:1/",
                                   .accept = "a\r\nX-Evil: 1"};
    struct http *http = client(NULL);
    struct error err;

    (void)state;
    assert_int_equal(http_do(http, &request, &response, &err), -1);
    assert_non_null(strstr(err.text, "line break"));
    http_close(http);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(content_range_is_read_strictly),
        cmocka_unit_test(retry_after_is_seconds_or_a_date),
        cmocka_unit_test(whole_answer_starts_at_0),
        cmocka_unit_test(part_starts_where_it_was_asked_to),
        cmocka_unit_test(part_of_another_place_is_refused),
        cmocka_unit_test(short_body_is_a_transport_error),
        cmocka_unit_test(busy_server_says_when_to_come_back),
        cmocka_unit_test(redirect_is_not_followed),
        cmocka_unit_test(receiver_may_stop_at_either_place),
        cmocka_unit_test(answer_over_the_limit_is_refused),
        cmocka_unit_test(post_carries_token_type_and_body),
        cmocka_unit_test(put_sends_a_file_of_known_size),
        cmocka_unit_test(secrets_of_a_url_are_not_shown),
        cmocka_unit_test(other_protocols_are_refused),
        cmocka_unit_test(line_break_in_a_header_is_refused),
    };

    return cmocka_run_group_tests_name("host/http", tests, NULL, NULL);
}
