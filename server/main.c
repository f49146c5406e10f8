/* SPDX-License-Identifier: Apache-2.0 */
/* bowlined: options, signals, start and stop. */
#include "backup.h"
#include "delta_child.h"
#include "load.h"
#include "router.h"
#include "tls.h"

#include "host/file.h"
#include "host/log.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#ifndef BOWLINE_VERSION
#define BOWLINE_VERSION "0"
#endif

enum {
    DRAIN_S = 20,
    PEM_MAX = 1 << 20,
    CONNECTIONS = 20000, /* when the configuration leaves it open */
    CONNECTIONS_LEAST = 8,
    FILES_EACH = 2,
    FILES_OTHER = 256
};

static const char usage[] =
    "usage: bowlined [--config FILE] [--check] [--help] [--version]\n"
    "       bowlined backup|restore --help\n"
    "\n"
    "The update server. FILE is /etc/bowline/bowlined.conf when not given;\n"
    "each key can be set in the environment, too: BOWLINE_LISTEN for listen.\n"
    "  --check    reads configuration, certificates, keys; then ends\n"
    "SIGTERM and SIGINT end open requests, then stop. SIGHUP reads the\n"
    "operator tokens anew. See bowlined(8).\n";

static const char preset[] = "/etc/bowline/bowlined.conf";

struct options {
    const char *config;
    bool check;
};

/* 0 go on; else the exit status + 1. */
static int read_options(int argc, char **argv, struct options *o)
{
    static const struct option list[] = {{"config", 1, NULL, 'c'},
                                         {"check", 0, NULL, 'k'},
                                         {"help", 0, NULL, 'h'},
                                         {"version", 0, NULL, 'v'},
                                         {NULL, 0, NULL, 0}};
    int c;

    while ((c = getopt_long(argc, argv, "c:hv", list, NULL)) != -1) {
        switch (c) {
        case 'c':
            o->config = optarg;
            break;
        case 'k':
            o->check = true;
            break;
        case 'h':
            fputs(usage, stdout);
            return 1;
        case 'v':
            puts("bowlined " BOWLINE_VERSION);
            return 1;
        default:
            fputs(usage, stderr);
            return 3;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "bowlined: %s: what is that?\n%s", argv[optind],
                usage);
        return 3;
    }
    return 0;
}

struct pems {
    struct buffer certificate;
    struct buffer key;
    struct buffer client_ca;
};

static void free_pems(struct pems *p)
{
    buffer_free(&p->certificate);
    buffer_wipe(&p->key);
    buffer_free(&p->client_ca);
}

static int read_pems(const struct config *c, struct pems *p, struct error *err)
{
    if (c->plain_http) {
        return 0;
    }
    if (file_read(c->tls_certificate, &p->certificate, err) != 0) {
        return error_prefix(err, "tls_certificate");
    }
    if (file_check_private(c->tls_key, err) != 0 ||
        file_read(c->tls_key, &p->key, err) != 0) {
        return error_prefix(err, "tls_key");
    }
    if (c->client_ca[0] != '\0' &&
        file_read(c->client_ca, &p->client_ca, err) != 0) {
        return error_prefix(err, "client_ca");
    }
    if (tls_check((const char *)p->certificate.p, (const char *)p->key.p,
                  err) != 0) {
        error_prefix(err, "tls_certificate: %s", c->tls_certificate);
        return -1;
    }
    return 0;
}

/* A wrong date is said loudly, but devices must stay reachable: it serves. */
static int load_pems(const struct config *c, struct pems *p, bool check,
                     struct error *err)
{
    if (read_pems(c, p, err) == 0) {
        return 0;
    }
    if (err->code != 1 || check) {
        return -1;
    }
    log_error("certificate", LOG_TEXT("error", err->text));
    return 0;
}

/* A connection may have a file open, too; the rest is for the others. */
static rlim_t files_for(int connections)
{
    return (rlim_t)connections * FILES_EACH + FILES_OTHER;
}

/* Raised to `wanted`, or as near as it may. */
static rlim_t raise_files(rlim_t wanted)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return 0;
    }
    if (limit.rlim_cur < wanted) {
        limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
        getrlimit(RLIMIT_NOFILE, &limit);
    }
    return limit.rlim_cur;
}

static int connections_for(rlim_t files)
{
    rlim_t n = files < FILES_OTHER ? 0 : (files - FILES_OTHER) / FILES_EACH;

    return n < CONNECTIONS_LEAST ? CONNECTIONS_LEAST : (int)n;
}

/* Who asked for a number is warned when it cannot be had. */
static void limit_connections(struct config *c)
{
    bool asked = c->max_connections > 0;
    int most = asked ? c->max_connections : CONNECTIONS;
    rlim_t limit = raise_files(files_for(most));

    c->max_connections = most;
    if (limit >= files_for(most)) {
        return;
    }
    if (asked) {
        log_warning("files", LOG_INT("limit", limit),
                    LOG_INT("wanted", files_for(most)),
                    LOG_TEXT("advice", "raise LimitNOFILE, or lower "
                                       "max_connections"));
        return;
    }
    c->max_connections = connections_for(limit);
    log_info("files", LOG_INT("limit", limit),
             LOG_INT("max_connections", c->max_connections));
}

static void block_signals(sigset_t *set)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    sigaction(SIGPIPE, &ignore, NULL);
    /* A file-size limit is an error of write, not an end. */
    sigaction(SIGXFSZ, &ignore, NULL);
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, set, NULL);
}

static void read_tokens_again(struct server *s)
{
    struct error err;

    if (operators_load(&s->operators, s->config.operator_tokens, &err) != 0) {
        log_error("operator-tokens", LOG_TEXT("error", err.text),
                  LOG_TEXT("advice", "the tokens read before still hold"));
    } else {
        log_info("operator-tokens", LOG_INT("tokens", s->operators.n));
    }
}

static void serve_until_told(struct server *s, const sigset_t *set)
{
    const struct timespec second = {1, 0};

    for (;;) {
        int signal = sigtimedwait(set, NULL, &second);

        if (signal == SIGTERM || signal == SIGINT) {
            log_info("stopping", LOG_TEXT("signal", strsignal(signal)));
            return;
        }
        if (signal == SIGHUP) {
            read_tokens_again(s);
        }
        http_reap(s->http);
        stream_tick(s->stream, (uint64_t)time(NULL));
        server_upkeep(s);
    }
}

static int start_http(struct server *s, const struct pems *p,
                      struct error *err)
{
    const struct config *c = &s->config;
    struct http_config h = {
        .listen = c->listen,
        .tls = !c->plain_http,
        .tls12 = !c->plain_http && c->tls12_unmanaged != 0,
        .certificate = (const char *)p->certificate.p,
        .key = (const char *)p->key.p,
        .client_ca = (const char *)p->client_ca.p,
        .threads = (uint32_t)c->threads,
        .max_connections = (uint32_t)c->max_connections,
        .per_address = (uint32_t)c->connections_per_address,
        .timeout_s = (uint32_t)c->request_timeout_s,
        .metrics = &s->metrics,
        .app = router_app(s),
    };

    s->certificate_until = h.tls ? tls_expires(h.certificate) : 0;
    s->http = http_start(&h, err);
    return s->http == NULL ? -1 : 0;
}

static int start_workers(struct server *s, struct error *err)
{
    s->logins = worker_start(s, err);
    s->slow = s->logins == NULL ? NULL : worker_start(s, err);
    s->walks = s->slow == NULL ? NULL : worker_start(s, err);
    s->changes = s->walks == NULL ? NULL : worker_start(s, err);
    return s->changes == NULL ? -1 : 0;
}

/* After the last request, before the listener is gone. */
static void stop_workers(struct server *s)
{
    worker_stop(s->logins);
    worker_stop(s->slow);
    worker_stop(s->walks);
    worker_stop(s->changes);
    s->logins = NULL;
    s->slow = NULL;
    s->walks = NULL;
    s->changes = NULL;
}

static int serve(struct server *s, const struct pems *p, struct error *err)
{
    sigset_t set;

    block_signals(&set);
    limit_connections(&s->config);
    if (server_open(s, err) != 0) {
        return -1;
    }
    if (start_workers(s, err) != 0 || start_http(s, p, err) != 0) {
        stop_workers(s);
        server_close(s);
        return -1;
    }
    log_info("started", LOG_TEXT("listen", s->config.listen),
             LOG_INT("port", http_port(s->http)),
             LOG_TEXT("tls", s->config.plain_http        ? "no"
                             : s->config.tls12_unmanaged ? "1.3, 1.2"
                                                         : "1.3"),
             LOG_INT("threads", s->config.threads),
             LOG_INT("devices", devices_count(s->devices)),
             LOG_TEXT("version", BOWLINE_VERSION));
    serve_until_told(s, &set);
    http_drain(s->http, DRAIN_S);
    stop_workers(s);
    http_stop(s->http);
    server_close(s);
    log_info("stopped", LOG_TEXT("data", s->config.data));
    return 0;
}

static int check(const struct config *c, struct error *err)
{
    struct operators *o = calloc(1, sizeof *o);
    struct tickets t;
    int result = -1;

    if (o != NULL && operators_init(o) == 0 &&
        operators_load(o, c->operator_tokens, err) == 0 &&
        tickets_open(&t, c->ticket_key, 1, err) == 0) {
        tickets_close(&t);
        puts("bowlined: the configuration is good");
        result = 0;
    }
    free(o);
    return result;
}

static int run(const struct options *o, struct server *s, struct error *err)
{
    struct pems p = {BUFFER(PEM_MAX), BUFFER(PEM_MAX), BUFFER(PEM_MAX)};
    int result;

    if (config_load(&s->config, o->config, err) != 0) {
        return o->config != NULL
                   ? -1
                   : error_prefix(err,
                                  "%s does not exist, and no --config "
                                  "is given",
                                  preset);
    }
    log_configure(config_log_level(&s->config),
                  strcmp(s->config.log_format, "json") == 0, STDERR_FILENO);
    if (s->config.threads == 0) {
        long cpus = sysconf(_SC_NPROCESSORS_ONLN);

        s->config.threads = cpus < 2 ? 2 : cpus > 64 ? 64 : (int)cpus;
    }
    result = load_pems(&s->config, &p, o->check, err);
    if (result == 0) {
        result = o->check ? check(&s->config, err) : serve(s, &p, err);
    }
    free_pems(&p);
    return result;
}

int main(int argc, char **argv)
{
    struct options options = {NULL, false};
    struct error err = {BL_OK, 0, ""};
    struct server *server;
    int result;

    if (argc > 1 &&
        (strcmp(argv[1], "backup") == 0 || strcmp(argv[1], "restore") == 0)) {
        return backup_main(argc - 1, argv + 1, preset);
    }
    if (argc > 1 && strcmp(argv[1], "--make-delta") == 0) {
        return delta_make_main(argc - 2, argv + 2);
    }
    result = read_options(argc, argv, &options);
    if (result != 0) {
        return result - 1;
    }
    if (options.config == NULL && access(preset, F_OK) == 0) {
        options.config = preset;
    }
    server = calloc(1, sizeof *server);
    if (server == NULL) {
        return 1;
    }
    if (run(&options, server, &err) != 0) {
        fprintf(stderr, "bowlined: %s\n", err.text);
        free(server);
        return 1;
    }
    free(server);
    return 0;
}
