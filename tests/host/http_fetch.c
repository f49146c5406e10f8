/* SPDX-License-Identifier: Apache-2.0 */
/* http-fetch URL [CA [CERT KEY]]: prints status and body, for test_tls.py. */
#include "host/http.h"

#include <stdio.h>

int main(int argc, char **argv)
{
    struct http_config config = {0};
    struct http_request request = {.method = "GET"};
    struct http_response response = {0};
    struct http *http;
    struct error err;
    int result;

    if (argc < 2) {
        return 2;
    }
    request.url = argv[1];
    config.ca_file = argc > 2 ? argv[2] : NULL;
    config.cert_file = argc > 4 ? argv[3] : NULL;
    config.key_file = argc > 4 ? argv[4] : NULL;
    http = http_open(&config, &err);
    result = http == NULL ? -1 : http_do(http, &request, &response, &err);
    if (result == 0) {
        (void)printf("%d %s\n", response.status, (char *)response.body.p);
    } else {
        (void)fprintf(stderr, "%s\n", err.text);
    }
    buffer_free(&response.body);
    http_close(http);
    return result == 0 ? 0 : 1;
}
