// Takes whatever SendMessageBatch it is sent and says that all ten entries arrived, so that a client measures itself alone.
//
// Build: cc -O2 -o sqs_sink sqs_sink.c      Run: sqs_sink      prints its URL, and ends with its standard input
//
// One thread, HTTP/1.1 with Content-Length, connections kept. A request without a signature is answered 403.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { ROOM = 64 << 10, ENTRIES = 10 };

struct connection {
    int socket;
    size_t filled;
    char bytes[ROOM];
};

static char success[4096], refusal[256];

// Heads are as SQS sends them. The digest is that of the benchmark's message, 256 times the letter x.
static void write_answers(void) {
    char body[2048];
    size_t length = sprintf(body, "{\"Successful\":[");
    for (int entry = 0; entry < ENTRIES; entry++)
        length += sprintf(
            body + length,
            "%s{\"Id\":\"%d\",\"MessageId\":\"5fea7756-0ea4-451a-a703-a558b933e27%d\","
            "\"MD5OfMessageBody\":\"c7a139a2b8e92164276f778917ba10b9\"}",
            entry ? "," : "", entry, entry);
    length += sprintf(body + length, "]}");
    sprintf(
        success,
        "HTTP/1.1 200 OK\r\nx-amzn-RequestId: 774442a5-b97a-5fd9-a70d-1fcbd2b52ea4\r\nDate: Tue, 03 Nov 2026 10:00:00 GMT\r\n"
        "Content-Type: application/x-amz-json-1.0\r\nContent-Length: %zu\r\nConnection: keep-alive\r\n\r\n%s",
        length, body);
    const char *reason = "{\"__type\":\"com.amazonaws.sqs#MissingAuthenticationToken\"}";
    sprintf(
        refusal, "HTTP/1.1 403 Forbidden\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: %zu\r\n\r\n%s",
        strlen(reason), reason);
}

// How many bytes the first request takes; 0 if it is not whole yet, -1 if it never will be.
static ssize_t request_length(struct connection *client, const char **answer) {
    char *end = memmem(client->bytes, client->filled, "\r\n\r\n", 4);
    if (!end) return client->filled == ROOM ? -1 : 0;
    *end = 0;
    char *length = strcasestr(client->bytes, "\r\ncontent-length:");
    *answer = strcasestr(client->bytes, "\r\nauthorization: AWS4-HMAC-SHA256 ") ? success : refusal;
    *end = '\r';
    size_t whole = end + 4 - client->bytes + (length ? strtoul(length + 17, NULL, 10) : 0);
    if (whole > ROOM) return -1;
    return whole <= client->filled ? (ssize_t)whole : 0;
}

// Answers all requests that are whole; false if the connection is of no more use.
static int serve(struct connection *client) {
    ssize_t got = recv(client->socket, client->bytes + client->filled, ROOM - client->filled, 0);
    if (got <= 0) return got < 0 && errno == EAGAIN;
    client->filled += got;
    const char *answer;
    ssize_t taken;
    while ((taken = request_length(client, &answer)) > 0) {
        // Whoever waits for its answers always leaves room for one.
        size_t length = strlen(answer);
        if (send(client->socket, answer, length, MSG_NOSIGNAL) != (ssize_t)length) return 0;
        client->filled -= taken;
        memmove(client->bytes, client->bytes + taken, client->filled);
    }
    return taken == 0;
}

static void take_all(int listener, int poll) {
    int socket, yes = 1;
    while ((socket = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        struct connection *client = malloc(sizeof *client);
        client->socket = socket;
        client->filled = 0;
        epoll_ctl(poll, EPOLL_CTL_ADD, socket, &(struct epoll_event){.events = EPOLLIN, .data.ptr = client});
    }
}

int main(void) {
    write_answers();
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 256)) return perror("sqs_sink"), 1;
    getsockname(listener, (struct sockaddr *)&address, &size);
    printf("http://127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);

    static char listening, input;
    int poll = epoll_create1(0);
    epoll_ctl(poll, EPOLL_CTL_ADD, listener, &(struct epoll_event){.events = EPOLLIN, .data.ptr = &listening});
    epoll_ctl(poll, EPOLL_CTL_ADD, 0, &(struct epoll_event){.events = EPOLLIN, .data.ptr = &input});
    for (;;) {
        struct epoll_event events[64];
        int count = epoll_wait(poll, events, 64, -1);
        for (int place = 0; place < count; place++) {
            struct connection *client = events[place].data.ptr;
            if ((void *)client == &listening) {
                take_all(listener, poll);
            } else if ((void *)client == &input) {
                char ignored[64];
                if (read(0, ignored, sizeof ignored) <= 0) return 0;
            } else if (!serve(client)) {
                close(client->socket);
                free(client);
            }
        }
    }
}
