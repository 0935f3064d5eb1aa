/* SPDX-License-Identifier: ISC
 *
 * The servers of the bench: one process that answers on all of 127.0.0.0/8, cheaply, and counts.
 * Prints its port first. At each SIGUSR1 it prints what came since the last one,
 *
 *     ACCEPTED MOST-IN-100-MS MOST-OPEN
 *
 * and counts anew. usage: responder [FAILING-PER-MILLE]: so many get no good answer, but by turns a
 * 500, a closed connection, a reset, or silence.
 */
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BUCKET_MS 10
#define BUCKETS	  10 /* a window */
#define EVENTS	  512

static const char good[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
static const char bad[] = "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

typedef struct Counts {
	unsigned long accepted;
	unsigned buckets[BUCKETS], window, most, open, most_open;
	int64_t bucket; /* the newest one's number */
} Counts;

static void count_arrival(Counts *counts)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	int64_t bucket = ((int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000) / BUCKET_MS;
	if (bucket - counts->bucket >= BUCKETS)
		counts->bucket = bucket - BUCKETS;
	while (counts->bucket < bucket) {
		unsigned *oldest = &counts->buckets[++counts->bucket % BUCKETS];
		counts->window -= *oldest;
		*oldest = 0;
	}
	counts->buckets[bucket % BUCKETS]++;
	if (++counts->window > counts->most)
		counts->most = counts->window;
	counts->accepted++;
	if (++counts->open > counts->most_open)
		counts->most_open = counts->open;
}

static void end(Counts *counts, int fd, bool reset)
{
	if (reset)
		setsockopt(
			fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
	close(fd);
	counts->open--;
}

/* FALSE when there is nothing to read yet, or never an answer. */
static bool answer(Counts *counts, int fd, unsigned failing)
{
	char bytes[2048];
	ssize_t got = recv(fd, bytes, sizeof bytes, 0);
	if (got < 0 && errno == EAGAIN)
		return false;
	unsigned chance = (unsigned)rand();
	if (got <= 0 || chance / 4 % 1000 >= failing) {
		if (got > 0)
			send(fd, good, sizeof good - 1, MSG_NOSIGNAL);
		end(counts, fd, got <= 0);
		return true;
	}
	if (chance % 4 == 3)
		return false;
	if (chance % 4 == 0)
		send(fd, bad, sizeof bad - 1, MSG_NOSIGNAL);
	end(counts, fd, chance % 4 == 1);
	return true;
}

static void take(Counts *counts, int epoll, int listener, unsigned failing)
{
	for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
		count_arrival(counts);
		if (answer(counts, fd, failing))
			continue;
		struct epoll_event event = {EPOLLIN | EPOLLRDHUP | EPOLLET, {.fd = fd}};
		epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
	}
}

static void print_counts(Counts *counts, int signals)
{
	struct signalfd_siginfo signal;
	if (read(signals, &signal, sizeof signal) != sizeof signal)
		return;
	printf("%lu %u %u\n", counts->accepted, counts->most, counts->most_open);
	fflush(stdout);
	counts->accepted = 0;
	counts->most = counts->window;
	counts->most_open = counts->open;
}

static int listen_everywhere(void)
{
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_in place = {.sin_family = AF_INET};
	socklen_t size = sizeof place;
	if (bind(listener, (struct sockaddr *)&place, size) != 0 || listen(listener, 65535) != 0 ||
		getsockname(listener, (struct sockaddr *)&place, &size) != 0) {
		perror("responder");
		exit(1);
	}
	printf("%u\n", ntohs(place.sin_port));
	fflush(stdout);
	return listener;
}

int main(int argc, char **argv)
{
	unsigned failing = argc > 1 ? (unsigned)atoi(argv[1]) : 0;
	Counts counts = {0};
	sigset_t wanted;
	sigemptyset(&wanted);
	sigaddset(&wanted, SIGUSR1);
	sigprocmask(SIG_BLOCK, &wanted, NULL);
	int signals = signalfd(-1, &wanted, SFD_CLOEXEC), epoll = epoll_create1(EPOLL_CLOEXEC);
	int listener = listen_everywhere();
	epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &(struct epoll_event){EPOLLIN, {.fd = listener}});
	epoll_ctl(epoll, EPOLL_CTL_ADD, signals, &(struct epoll_event){EPOLLIN, {.fd = signals}});
	for (;;) {
		struct epoll_event events[EVENTS];
		int count = epoll_wait(epoll, events, EVENTS, -1);
		for (int i = 0; i < count; i++) {
			if (events[i].data.fd == listener)
				take(&counts, epoll, listener, failing);
			else if (events[i].data.fd == signals)
				print_counts(&counts, signals);
			else if (!answer(&counts, events[i].data.fd, failing) &&
				 events[i].events & (EPOLLRDHUP | EPOLLHUP))
				end(&counts, events[i].data.fd, true);
		}
	}
}
