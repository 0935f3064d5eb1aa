/* SPDX-License-Identifier: ISC
 *
 * One connection after the other, blocking, with OpenSSL.
 */
#include "tls_server.h"

#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct TlsServer {
	SSL_CTX *context;
	int listener, stop[2];
	guint16 port;
	char *text, *asked;
	GMutex lock;
	GThread *thread;
};

static void add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX context;
	X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	g_assert(extension != NULL && X509_add_ext(certificate, extension, -1) == 1);
	X509_EXTENSION_free(extension);
}

/* Signed by `issuer_key`; an authority when it is its own issuer. */
static X509 *certificate_new(
	const char *name, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key, int days)
{
	X509 *certificate = X509_new();
	X509_NAME *subject = X509_get_subject_name(certificate);
	X509_set_version(certificate, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), issuer == NULL ? 1 : 2);
	X509_gmtime_adj(X509_getm_notBefore(certificate), -100L * 86400);
	X509_gmtime_adj(X509_getm_notAfter(certificate), days * 86400L);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const guint8 *)name, -1, -1, 0);
	X509_set_issuer_name(certificate, issuer == NULL ? subject : X509_get_subject_name(issuer));
	X509_set_pubkey(certificate, key);
	if (issuer == NULL) {
		add_extension(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE");
	} else {
		g_autofree char *names = g_strdup_printf("DNS:%s,IP:127.0.0.1", name);
		add_extension(certificate, issuer, NID_subject_alt_name, names);
	}
	g_assert(X509_sign(certificate, issuer_key, EVP_sha256()) > 0);
	return certificate;
}

static SSL_CTX *context_new(
	const char *authority_path, const char *name, int days, int newest_version)
{
	EVP_PKEY *authority_key = EVP_EC_gen("P-256"), *key = EVP_EC_gen("P-256");
	X509 *authority = certificate_new("Test authority", authority_key, NULL, authority_key, 10);
	X509 *certificate = certificate_new(name, key, authority, authority_key, days);
	FILE *file = fopen(authority_path, "w");
	g_assert(file != NULL && PEM_write_X509(file, authority) == 1 && fclose(file) == 0);
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	g_assert(SSL_CTX_use_certificate(context, certificate) == 1 &&
		 SSL_CTX_use_PrivateKey(context, key) == 1);
	SSL_CTX_set_security_level(context, 0);
	SSL_CTX_set_min_proto_version(context, 0);
	SSL_CTX_set_max_proto_version(context, newest_version);
	X509_free(authority);
	X509_free(certificate);
	EVP_PKEY_free(authority_key);
	EVP_PKEY_free(key);
	return context;
}

static void serve(TlsServer *server, int fd)
{
	SSL *tls = SSL_new(server->context);
	char request[4096];
	SSL_set_fd(tls, fd);
	if (SSL_accept(tls) == 1) {
		const char *name = SSL_get_servername(tls, TLSEXT_NAMETYPE_host_name);
		g_mutex_lock(&server->lock);
		g_free(server->asked);
		server->asked = g_strdup(name == NULL ? "" : name);
		g_mutex_unlock(&server->lock);
		if (SSL_read(tls, request, sizeof request) > 0)
			SSL_write(tls, server->text, (int)strlen(server->text));
	}
	ERR_clear_error();
	SSL_free(tls);
}

static gpointer run(gpointer of)
{
	TlsServer *server = of;
	struct pollfd fds[] = {{server->listener, POLLIN, 0}, {server->stop[0], POLLIN, 0}};
	while (poll(fds, 2, -1) > 0 && fds[1].revents == 0) {
		int fd = accept(server->listener, NULL, NULL);
		/* A client that hangs must not hang the test. */
		struct timeval patience = {2, 0};
		if (fd < 0)
			continue;
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
		serve(server, fd);
		close(fd);
	}
	return NULL;
}

TlsServer *tls_server_new(const char *authority_path, const char *name, int days,
	int newest_version, const char *text)
{
	TlsServer *server = g_new0(TlsServer, 1);
	struct sockaddr_in place = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof place;
	signal(SIGPIPE, SIG_IGN);
	server->context = context_new(authority_path, name, days, newest_version);
	server->text = g_strdup(text);
	server->asked = g_strdup("");
	server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	g_assert(bind(server->listener, (struct sockaddr *)&place, size) == 0);
	g_assert(listen(server->listener, 16) == 0 && pipe(server->stop) == 0);
	g_assert(getsockname(server->listener, (struct sockaddr *)&place, &size) == 0);
	server->port = ntohs(place.sin_port);
	g_mutex_init(&server->lock);
	server->thread = g_thread_new("tls", run, server);
	return server;
}

void tls_server_free(TlsServer *server)
{
	g_assert(write(server->stop[1], "", 1) == 1);
	g_thread_join(server->thread);
	close(server->listener);
	close(server->stop[0]);
	close(server->stop[1]);
	SSL_CTX_free(server->context);
	g_mutex_clear(&server->lock);
	g_free(server->text);
	g_free(server->asked);
	g_free(server);
}

guint16 tls_server_port(const TlsServer *server)
{
	return server->port;
}

char *tls_server_asked_name(TlsServer *server)
{
	g_mutex_lock(&server->lock);
	char *name = g_strdup(server->asked);
	g_mutex_unlock(&server->lock);
	return name;
}
