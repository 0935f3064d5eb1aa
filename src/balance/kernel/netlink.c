/* SPDX-License-Identifier: ISC
 *
 * One socket, numbered requests, and the reading of answers.
 *
 * Why batches are small: the kernel puts each answer into our queue before it reads the next
 * request, and drops what finds no room (ENOBUFS). An answer takes less than 1 KiB of the queue, so
 * NETLINK_MAXIMUM_BATCH of them fit even the smallest that a system can be set to.
 */
#include "balance/kernel/netlink.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/error.h"

struct Netlink {
	struct mnl_socket *socket;
	guint32 sequence; /* of the next request */
	guint8 *requests; /* those not sent yet */
	gsize used;
	guint count;
	struct nlmsghdr *last; /* of them: its length is known when the next one begins */
	guint8 *datagram;
};

void netlink_close(Netlink *netlink)
{
	if (netlink == NULL)
		return;
	if (netlink->socket != NULL)
		mnl_socket_close(netlink->socket);
	g_free(netlink->requests);
	g_free(netlink->datagram);
	g_free(netlink);
}

static void prepare(int fd)
{
	const int yes = 1, queue = NETLINK_QUEUE_BYTES;
	const struct timeval patience = {.tv_sec = NETLINK_TIMEOUT_MS / 1000};
	/* Without any of these it works, too: with a smaller queue, without words. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &queue, sizeof queue) != 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &queue, sizeof queue);
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &yes, sizeof yes);
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &yes, sizeof yes);
	setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &yes, sizeof yes);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

Netlink *netlink_open(int bus, GError **error)
{
	g_autoptr(Netlink) netlink = g_new0(Netlink, 1);
	netlink->socket = mnl_socket_open2(bus, SOCK_CLOEXEC);
	if (netlink->socket == NULL || mnl_socket_bind(netlink->socket, 0, MNL_SOCKET_AUTOPID)) {
		drover_error_set(error, DROVER_ERROR_UNAVAILABLE,
			"cannot open a netlink socket: %s", g_strerror(errno));
		return NULL;
	}
	prepare(mnl_socket_get_fd(netlink->socket));
	netlink->sequence = 1;
	netlink->requests = g_malloc(NETLINK_MAXIMUM_BATCH * NETLINK_MAXIMUM_REQUEST);
	netlink->datagram = g_malloc(NETLINK_MAXIMUM_DATAGRAM);
	return g_steal_pointer(&netlink);
}

/* The last request is complete: the next one begins behind it. */
static void finish_last(Netlink *netlink)
{
	if (netlink->last == NULL)
		return;
	g_assert(netlink->last->nlmsg_len <= NETLINK_MAXIMUM_REQUEST);
	netlink->used += (netlink->last->nlmsg_len + 3u) & ~3u;
	netlink->last = NULL;
}

struct nlmsghdr *netlink_request(Netlink *netlink, guint16 type, guint16 flags)
{
	g_assert(netlink->count < NETLINK_MAXIMUM_BATCH);
	finish_last(netlink);
	netlink->last = mnl_nlmsg_put_header(netlink->requests + netlink->used);
	netlink->last->nlmsg_type = type;
	netlink->last->nlmsg_flags = (guint16)(NLM_F_REQUEST | flags);
	netlink->last->nlmsg_seq = netlink->sequence++;
	netlink->count++;
	return netlink->last;
}

/* -- reading, pure -- */

static gboolean broken(GError **error, const char *what)
{
	drover_error_set(error, DROVER_ERROR_UNAVAILABLE, "netlink: %s", what);
	return FALSE;
}

static int find_words(const struct nlattr *attribute, void *data)
{
	const struct nlattr **found = data;
	if (mnl_attr_get_type(attribute) == NLMSGERR_ATTR_MSG)
		*found = attribute;
	return MNL_CB_OK;
}

static void keep_words(NetlinkExchange *exchange, const struct nlmsghdr *message)
{
	const gsize size = mnl_nlmsg_get_payload_len(message);
	/* With NETLINK_CAP_ACK the request itself is not sent back. */
	const guint16 flags = NLM_F_ACK_TLVS | NLM_F_CAPPED;
	const struct nlattr *found = NULL;
	if (exchange->words != NULL || (message->nlmsg_flags & flags) != flags ||
		size < sizeof(struct nlmsgerr) ||
		mnl_attr_parse_payload(
			(const guint8 *)mnl_nlmsg_get_payload(message) + sizeof(struct nlmsgerr),
			size - sizeof(struct nlmsgerr), find_words, &found) != MNL_CB_OK ||
		found == NULL)
		return;
	g_autofree char *text = g_strndup(mnl_attr_get_payload(found),
		MIN(mnl_attr_get_payload_len(found), NETLINK_MAXIMUM_WORD_BYTES));
	exchange->words = g_utf8_make_valid(text, -1);
}

static gboolean read_end(
	NetlinkExchange *exchange, const struct nlmsghdr *message, guint index, GError **error)
{
	int code = 0;
	if (mnl_nlmsg_get_payload_len(message) >= sizeof code)
		memcpy(&code, mnl_nlmsg_get_payload(message), sizeof code);
	else if (message->nlmsg_type == NLMSG_ERROR)
		return broken(error, "an answer without its error number");
	/* Errors are negative; whatever else would be is a fault we cannot name. */
	if (code > 0 || code <= -4096)
		code = -EPROTO;
	if (code == -EINTR) {
		exchange->disturbed = TRUE;
		code = 0;
	}
	if (exchange->errors[index] == NETLINK_OPEN)
		exchange->answered++;
	exchange->errors[index] = -code;
	if (code != 0)
		keep_words(exchange, message);
	return TRUE;
}

static gboolean read_message(
	NetlinkExchange *exchange, const struct nlmsghdr *message, GError **error)
{
	const guint32 index = message->nlmsg_seq - exchange->first;
	if (index >= exchange->count)
		return TRUE;
	if (message->nlmsg_flags & NLM_F_DUMP_INTR)
		exchange->disturbed = TRUE;
	switch (message->nlmsg_type) {
	case NLMSG_NOOP:
		return TRUE;
	case NLMSG_ERROR:
	case NLMSG_DONE:
		return read_end(exchange, message, index, error);
	case NLMSG_OVERRUN:
		return broken(error, "the kernel lost a part");
	default:
		if (exchange->row != NULL)
			exchange->row(message, exchange->of);
		return TRUE;
	}
}

gboolean netlink_read(NetlinkExchange *exchange, const void *bytes, gsize size, GError **error)
{
	g_assert(size <= NETLINK_MAXIMUM_DATAGRAM);
	gsize at = 0;
	/* Not by mnl_nlmsg_ok(), to which a length of 2 GiB and more is a negative one. */
	while (size - at >= sizeof(struct nlmsghdr)) {
		const struct nlmsghdr *message =
			(const struct nlmsghdr *)(gconstpointer)((const guint8 *)bytes + at);
		const gsize length = message->nlmsg_len;
		if (length < sizeof *message || length > size - at)
			return broken(error, "a message that is longer than its parcel");
		if (!read_message(exchange, message, error))
			return FALSE;
		at = MIN(at + ((length + 3) & ~(gsize)3), size);
	}
	return at == size || broken(error, "a parcel that ends within a message");
}

/* -- exchanging -- */

static gboolean transmit(Netlink *netlink, GError **error)
{
	finish_last(netlink);
	ssize_t sent;
	do
		sent = mnl_socket_sendto(netlink->socket, netlink->requests, netlink->used);
	while (sent < 0 && errno == EINTR);
	if (sent == (ssize_t)netlink->used)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_UNAVAILABLE, "cannot ask the kernel by netlink: %s",
		sent < 0 ? g_strerror(errno) : "sent in part");
	return FALSE;
}

/* The next datagram of the kernel: its size, -1 with `error`, -2 when answers were lost. */
static gssize receive(Netlink *netlink, GError **error)
{
	const int fd = mnl_socket_get_fd(netlink->socket);
	for (;;) {
		struct sockaddr_nl from = {0};
		struct iovec part = {netlink->datagram, NETLINK_MAXIMUM_DATAGRAM};
		struct msghdr message = {.msg_name = &from,
			.msg_namelen = sizeof from,
			.msg_iov = &part,
			.msg_iovlen = 1};
		const ssize_t size = recvmsg(fd, &message, 0);
		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0 && errno == ENOBUFS)
			return -2;
		if (size < 0 || message.msg_flags & MSG_TRUNC) {
			drover_error_set(error, DROVER_ERROR_UNAVAILABLE, "netlink: %s",
				size >= 0	  ? "an answer that is too long"
				: errno == EAGAIN ? "no answer from the kernel"
						  : g_strerror(errno));
			return -1;
		}
		if (from.nl_pid == 0 && from.nl_family == AF_NETLINK)
			return size;
	}
}

/* Until all is answered. */
static gboolean collect(Netlink *netlink, NetlinkExchange *exchange, GError **error)
{
	while (exchange->answered < exchange->count) {
		const gssize size = receive(netlink, error);
		if (size == -1)
			return FALSE;
		if (size == -2) {
			exchange->disturbed = TRUE;
			return TRUE;
		}
		if (!netlink_read(exchange, netlink->datagram, (gsize)size, error))
			return FALSE;
	}
	return TRUE;
}

static NetlinkExchange begin(const Netlink *netlink, int *errors)
{
	for (guint i = 0; i < netlink->count; i++)
		errors[i] = NETLINK_OPEN;
	return (NetlinkExchange){.first = netlink->sequence - netlink->count,
		.count = netlink->count,
		.errors = errors};
}

static void forget_requests(Netlink *netlink)
{
	netlink->used = 0;
	netlink->count = 0;
	netlink->last = NULL;
}

gboolean netlink_send(Netlink *netlink, int *errors, char **words, GError **error)
{
	NetlinkExchange exchange = begin(netlink, errors);
	gboolean good = transmit(netlink, error) && collect(netlink, &exchange, error);
	if (good && exchange.answered < exchange.count) {
		drover_error_set(error, DROVER_ERROR_UNAVAILABLE,
			"netlink: answers of the kernel were lost");
		good = FALSE;
	}
	forget_requests(netlink);
	if (words != NULL)
		*words = g_steal_pointer(&exchange.words);
	g_free(exchange.words);
	return good;
}

gboolean netlink_ask(Netlink *netlink, NetlinkRow row, gpointer of, int *refused, GError **error)
{
	g_assert(netlink->count == 1);
	struct nlmsghdr *request = netlink->last;
	gboolean good = FALSE, disturbed = TRUE;
	for (guint try = 0; try < NETLINK_MAXIMUM_TRIES && disturbed; try++) {
		if (try > 0) /* a number of its own, so that rows of the last try do not count */
			request->nlmsg_seq = netlink->sequence++;
		NetlinkExchange exchange = begin(netlink, refused);
		exchange.row = row;
		exchange.of = of;
		row(NULL, of);
		good = transmit(netlink, error) && collect(netlink, &exchange, error);
		disturbed = good && exchange.disturbed;
		g_free(exchange.words);
	}
	forget_requests(netlink);
	if (good && disturbed) {
		drover_error_set(error, DROVER_ERROR_UNAVAILABLE,
			"netlink: the kernel's answer was disturbed %d times",
			NETLINK_MAXIMUM_TRIES);
		return FALSE;
	}
	return good;
}
