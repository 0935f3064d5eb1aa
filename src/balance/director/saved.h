/* SPDX-License-Identifier: ISC
 *
 * What a service keeps on disk, in two files of the state folder: its last good list with the
 * addresses that the names had (list-NAME.json), and who wants to work on its servers
 * (drains-NAME.json). So a restart without list server and DNS goes on where it was, and a drained
 * server stays drained. Rule: docs/balance.md, "What is kept on disk".
 */
#ifndef BALANCE_DIRECTOR_SAVED_H
#define BALANCE_DIRECTOR_SAVED_H

#include "balance/address.h"
#include "balance/director/source.h"

#define SAVED_MAXIMUM_BYTES	 (64 * 1024 * 1024) /* of one file */
#define SAVED_MAXIMUM_NAME_BYTES 100 /* of a service's name in a file's name, the rest hashed */
#define SAVED_MAXIMUM_WHO_BYTES	 255 /* of who asked for a drain */

typedef struct SavedServer {
	char *host;
	PoolEntry entry; /* its name is `host` */
	Address address; /* family 0: none known */
} SavedServer;

/* What has become of droverd's order. */
typedef enum OrderAnswer { ORDER_OBEYED, ORDER_REFUSED, ORDER_REVOKED } OrderAnswer;

typedef struct SavedDrain {
	char *host;
	PoolDrain drain;
	gboolean forced;
	char *who;	   /* NULL: nobody, `drain` is none */
	SourceOrder order; /* droverd's last one, its id 0: none */
	OrderAnswer answer;
	char *why; /* it was refused or revoked */
} SavedDrain;

typedef struct Saved {
	GArray *servers; /* SavedServer */
	GArray *drains;	 /* SavedDrain */
	char *url;	 /* of the list; NULL: not known */
	gint64 epoch;	 /* the highest seen there */
} Saved;

Saved *saved_new(void);
void saved_free(Saved *saved);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Saved, saved_free)
void saved_add_server(
	Saved *saved, const char *host, gboolean enabled, guint weight, const Address *address);
/* Copies. */
void saved_add_drain(Saved *saved, const SavedDrain *drain);

/* Path of "list" or "drains" of a service: whatever its name is, a file in `folder` and nobody
 * else's. Caller frees. */
char *saved_path(const char *folder, const char *what, const char *service);

/* Each fails like file_write(); what was there stays. */
gboolean saved_write_list(
	const Saved *saved, const char *folder, const char *service, GError **error);
gboolean saved_write_drains(
	const Saved *saved, const char *folder, const char *service, GError **error);
/* Adds what is there to `saved`. No file is success: `*found` is FALSE. A file that is damaged
 * adds nothing and fails with DROVER_ERROR_INPUT or DROVER_ERROR_TOO_LARGE. */
gboolean saved_read_list(
	Saved *saved, const char *folder, const char *service, gboolean *found, GError **error);
gboolean saved_read_drains(Saved *saved, const char *folder, const char *service, GError **error);
/* From text, `name` in errors: for the two above, and for tests. */
gboolean saved_parse_list(
	Saved *saved, const char *name, const char *text, gsize size_bytes, GError **error);
gboolean saved_parse_drains(
	Saved *saved, const char *name, const char *text, gsize size_bytes, GError **error);
/* The service is gone. */
void saved_remove(const char *folder, const char *service);

/* "none", "reserved", "draining"; NULL: none of them, FALSE. */
const char *saved_drain_name(PoolDrain drain);

#endif
