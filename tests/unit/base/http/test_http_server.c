/* The HTTP server over real sockets on the loopback, without TLS (TLS and client certificates:
 * tests/e2e/test_ingest.py). */
#include "check.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/http/http_server.h"

#define BODY_MAX   1000
#define ANSWER_MAX 65536

struct site {
    struct http_server *server;
    struct http_request *waiting; /* answered later by the test */
    atomic_int waiting_count;
    atomic_int feeds, ended;
    atomic_int news; /* lines that a stream may still send */
    char seen[512];
};

static ssize_t feed(uint8_t *buf, size_t size, void *ctx)
{
    struct site *s = ctx;

    atomic_fetch_add(&s->feeds, 1);
    if (atomic_load(&s->news) < 0)
        return -1;
    if (atomic_load(&s->news) == 0)
        return 0;
    atomic_fetch_sub(&s->news, 1);
    return snprintf((char *)buf, size, "data: x\n\n");
}

static void on_end(void *ctx)
{
    atomic_fetch_add(&((struct site *)ctx)->ended, 1);
}

static bool note_query(const char *name, const char *value, void *ctx)
{
    char *seen = ctx;

    snprintf(seen + strlen(seen), 512 - strlen(seen), "[%s=%s]", name, value);
    return true;
}

static void describe(struct http_request *rq, struct site *s)
{
    const char *header = http_header(rq, "x-color"), *cookie = http_cookie(rq, "session"), *q = http_query(rq, "q");

    snprintf(s->seen, sizeof s->seen, "%s %s header=%s cookie=%s q=%s from=%s peer=%s ", http_method(rq), http_path(rq),
             header != NULL ? header : "-", cookie != NULL ? cookie : "-", q != NULL ? q : "-", http_client_address(rq),
             http_peer(rq) != NULL ? "yes" : "no");
    http_query_each(rq, note_query, s->seen);
    http_add_header(rq, "X-Answer", "42");
    http_reply(rq, 201, "text/plain", slice_str(s->seen));
}

static void handle(struct http_request *rq, void *ctx)
{
    struct site *s = ctx;
    const char *path = http_path(rq);

    if (strcmp(path, "/echo") == 0) {
        http_reply(rq, 200, "application/octet-stream", http_body(rq));
    } else if (strcmp(path, "/static") == 0) {
        http_reply_static(rq, 200, "text/plain", slice_str("fixed"));
    } else if (strcmp(path, "/later") == 0) {
        http_later(rq);
        s->waiting = rq;
        atomic_fetch_add(&s->waiting_count, 1);
    } else if (strcmp(path, "/stream") == 0) {
        http_reply_stream(rq, "text/event-stream", feed, on_end, s);
    } else {
        describe(rq, s);
    }
}

static void begin(struct site *s)
{
    struct http_config cfg = {.address = "127.0.0.1",
                              .body_max = BODY_MAX,
                              .stream_poll_ms = 20,
                              .worker_threads = 2,
                              .handler = handle,
                              .ctx = s};
    struct http_error error = {""};

    memset(s, 0, sizeof *s);
    if (http_server_start(&cfg, &s->server, &error) != VS_OK)
        fail_msg("%s", error.text);
}

static int dial(const struct site *s)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons(http_server_port(s->server)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval limit = {10, 0};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    return fd;
}

static void send_text(int fd, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

        if (n <= 0)
            return;
        text += n;
        len -= (size_t)n;
    }
}

/* Sends a request that asks to close afterwards; the whole answer. */
static const char *ask(const struct site *s, const char *request)
{
    static char answer[ANSWER_MAX];
    size_t len = 0;
    ssize_t n;
    int fd = dial(s);

    send_text(fd, request, strlen(request));
    while (len < sizeof answer - 1 && (n = recv(fd, answer + len, sizeof answer - 1 - len, 0)) > 0)
        len += (size_t)n;
    answer[len] = '\0';
    close(fd);
    return answer;
}

static void check_has(const char *answer, const char *what)
{
    if (strstr(answer, what) == NULL)
        fail_msg("\"%s\" is not in: %s", what, answer);
}

static void wait_for(atomic_int *value, int at_least)
{
    for (int i = 0; i < 1000 && atomic_load(value) < at_least; i++)
        poll(NULL, 0, 10);
    assert_true(atomic_load(value) >= at_least);
}

static void test_request_and_reply(void **state)
{
    struct site s;

    (void)state;
    begin(&s);
    const char *a = ask(&s, "GET /a%20b?q=1%26&r=&q=2 HTTP/1.1\r\nHost: x\r\nX-Color: red\r\nCookie: a=b; "
                            "session=abc\r\nConnection: close\r\n\r\n");
    check_has(a, "HTTP/1.1 201 ");
    check_has(a, "X-Answer: 42\r\n");
    check_has(a, "Content-Type: text/plain\r\n");
    check_has(a, "GET /a b header=red cookie=abc q=1& from=127.0.0.1 peer=no [q=1&][r=][q=2]");
    check_has(ask(&s, "GET /static HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), "\r\n\r\nfixed");
    check_has(ask(&s, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"),
              "\r\n\r\nhello");
    check_has(ask(&s, "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: "
                      "close\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"),
              "\r\n\r\nhello");
    http_server_stop(s.server, 1000);
}

static void test_bodies_have_a_limit(void **state)
{
    struct site s;
    struct http_stats stats;
    char request[BODY_MAX + 400];

    (void)state;
    begin(&s);
    int n = snprintf(request, sizeof request,
                     "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\nConnection: close\r\n\r\n", BODY_MAX);
    memset(request + n, 'b', BODY_MAX);
    request[n + BODY_MAX] = '\0';
    check_has(ask(&s, request), "HTTP/1.1 200 ");
    n = snprintf(request, sizeof request,
                 "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\nConnection: close\r\n\r\n", BODY_MAX + 1);
    memset(request + n, 'b', BODY_MAX + 1);
    request[n + BODY_MAX + 1] = '\0';
    const char *a = ask(&s, request);
    check_has(a, "HTTP/1.1 413 ");
    check_has(a, "{\"error\":\"limit\"");
    n = snprintf(request, sizeof request,
                 "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n%x\r\n",
                 BODY_MAX + 1);
    memset(request + n, 'b', BODY_MAX + 1);
    memcpy(request + n + BODY_MAX + 1, "\r\n0\r\n\r\n", sizeof "\r\n0\r\n\r\n");
    check_has(ask(&s, request), "HTTP/1.1 413 ");
    check_has(ask(&s, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n"), "HTTP/1.1 413 ");
    http_server_stats(s.server, &stats);
    assert_int_equal(stats.refused_too_large, 3);
    assert_int_equal(stats.requests, 1);
    http_server_stop(s.server, 1000);
}

static void *answer_waiting(void *arg)
{
    struct site *s = arg;

    wait_for(&s->waiting_count, 1);
    http_reply(s->waiting, 202, "text/plain", slice_str("late"));
    return NULL;
}

static void test_an_answer_may_come_later(void **state)
{
    struct site s;
    pthread_t t;

    (void)state;
    begin(&s);
    for (int i = 0; i < 20; i++) {
        atomic_store(&s.waiting_count, 0);
        pthread_create(&t, NULL, answer_waiting, &s);
        check_has(ask(&s, "POST /later HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\nab"),
                  "\r\n\r\nlate");
        pthread_join(t, NULL);
    }
    http_server_stop(s.server, 1000);
}

static void test_stop_cuts_what_is_never_answered(void **state)
{
    struct site s;
    char buf[10];

    (void)state;
    begin(&s);
    int fd = dial(&s);
    const char request[] = "POST /later HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab";
    send_text(fd, request, sizeof request - 1);
    wait_for(&s.waiting_count, 1);
    http_server_stop(s.server, 50);
    assert_true(recv(fd, buf, sizeof buf, 0) <= 0);
    http_reply(s.waiting, 200, "text/plain", slice_str("too late")); /* is ignored, and frees the request */
    close(fd);
}

static void test_streams_bring_news_and_end(void **state)
{
    struct site s;
    struct http_stats stats;

    (void)state;
    begin(&s);
    atomic_store(&s.news, 3);
    int fd = dial(&s);
    const char request[] = "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n";
    char got[4096] = "";
    size_t len = 0;
    send_text(fd, request, sizeof request - 1);
    wait_for(&s.feeds, 5); /* three lines, and then asked again with nothing new */
    atomic_store(&s.news, 1);
    http_server_wake(s.server);
    wait_for(&s.feeds, 7);
    http_server_stats(s.server, &stats);
    assert_int_equal(stats.streams, 1);
    atomic_store(&s.news, -1);
    wait_for(&s.ended, 1);
    shutdown(fd, SHUT_WR);
    for (ssize_t n; len < sizeof got - 1 && (n = recv(fd, got + len, sizeof got - 1 - len, 0)) > 0;)
        len += (size_t)n;
    got[len] = '\0';
    check_has(got, "Content-Type: text/event-stream");
    unsigned lines = 0;
    for (const char *p = got; (p = strstr(p, "data: x")) != NULL; p++)
        lines++;
    assert_int_equal(lines, 4);
    close(fd);
    http_server_stop(s.server, 1000);
}

static void test_a_client_that_left_is_noticed(void **state)
{
    struct site s;
    int fd[100];
    const char request[] = "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n";

    (void)state;
    begin(&s);
    for (int i = 0; i < 100; i++) {
        fd[i] = dial(&s);
        send_text(fd[i], request, sizeof request - 1);
    }
    wait_for(&s.feeds, 100);
    for (int i = 0; i < 60; i++)
        close(fd[i]);
    wait_for(&s.ended, 60);
    assert_int_equal(atomic_load(&s.ended), 60);
    http_server_stop(s.server, 2000); /* ends the other forty */
    assert_int_equal(atomic_load(&s.ended), 100);
    for (int i = 60; i < 100; i++)
        close(fd[i]);
}

static void test_start_says_why_not(void **state)
{
    struct http_config cfg = {.address = "nowhere", .handler = handle};
    struct http_error error = {""};
    struct http_server *server;
    struct site s;

    (void)state;
    assert_int_equal(http_server_start(&cfg, &server, &error), VS_ERR_CONFIG);
    check_has(error.text, "nowhere");
    cfg.address = "127.0.0.1";
    cfg.tls_cert_pem = "no certificate";
    cfg.tls_key_pem = "no key";
    assert_int_equal(http_server_start(&cfg, &server, &error), VS_ERR_CONFIG);
    assert_true(strlen(error.text) > 5);
    cfg.tls_cert_pem = cfg.tls_key_pem = NULL;
    cfg.client_cert = HTTP_CLIENT_REQUIRED;
    assert_int_equal(http_server_start(&cfg, &server, &error), VS_ERR_CONFIG);
    begin(&s);
    cfg = (struct http_config){.address = "127.0.0.1", .port = http_server_port(s.server), .handler = handle};
    assert_int_equal(http_server_start(&cfg, &server, &error), VS_ERR_NET);
    http_server_stop(s.server, 100);
    http_server_stop(NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request_and_reply),          cmocka_unit_test(test_bodies_have_a_limit),
        cmocka_unit_test(test_an_answer_may_come_later),   cmocka_unit_test(test_stop_cuts_what_is_never_answered),
        cmocka_unit_test(test_streams_bring_news_and_end), cmocka_unit_test(test_a_client_that_left_is_noticed),
        cmocka_unit_test(test_start_says_why_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
