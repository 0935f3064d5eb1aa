/* SPDX-License-Identifier: ISC
 *
 * /etc/drover/node.conf: what this machine runs, from where, whom it believes. A section [node] and
 * one for each product, which is called as the product is; docs/node.md lists the keys. A key is
 * spelled as its field here, with dashes and without its unit: `hook-timeout`.
 */
#ifndef NODE_CONFIG_H
#define NODE_CONFIG_H

#include "base/error.h"
#include "release/trust.h"

#define NODE_DEFAULT_FILE	"/etc/drover/node.conf"
#define NODE_MAXIMUM_FILE_BYTES 1048576
#define NODE_MAXIMUM_PRODUCTS	50
#define NODE_MAXIMUM_SOURCES	10 /* of one product */
#define NODE_MAXIMUM_LISTENS	16 /* of one product */
#define NODE_MAXIMUM_KEEP	100
#define NODE_MAXIMUM_TIMEOUT_S	86400

typedef enum NodeReadiness {
	NODE_READINESS_NOTIFY,	/* the service says READY=1 */
	NODE_READINESS_VERIFY,	/* it does not: tried on a private socket first */
	NODE_READINESS_FORWARD, /* it cannot take a socket: behind the forwarder */
} NodeReadiness;

typedef struct NodeProduct {
	char *name;
	char *prefix;	/* absolute */
	char **sources; /* http(s) URLs and absolute folders, of repositories */
	char *ca_file;	/* for https sources; NULL: the system's */
	char *keys;	/* folder of root public keys, *.pub */
	gint64 keep;	/* releases besides what runs and what is named */
	/* /bin/sh commands; NULL: none. */
	char *before_switch, *after_switch;
	gint64 hook_timeout_s;
	/* How the service is made to run the new tree: one of these, or none at all. */
	char *unit;    /* systemctl restart UNIT */
	char *restart; /* a command */
	char *run;     /* a command under the holder, which lends it the sockets of `listen` */
	char **listen; /* ADDRESS:PORT, [IPv6]:PORT, or /path of a UNIX socket */
	NodeReadiness readiness;
	char *forward_to; /* ADDRESS:PORT at which a FORWARD service listens; $DROVER_PORT when 0 */
	char *user, *group; /* of `run`; NULL: as drover-node */
	gint64 ready_timeout_s, drain_timeout_s;
	char *health; /* a command, or an http:// URL that must answer 200; NULL: none */
	gint64 health_timeout_s;
	/* Maintenance: names of fields. */
	char *retry_header, *backoff_header, *maintenance_header;
	char *health_path; /* of the service; "/health" */
	char *page;	   /* HTML for browsers, a file; NULL: ours */
} NodeProduct;

typedef struct NodeConfig {
	char *path;
	char *name;   /* of this host; the system's when not said */
	char *server; /* droverd's admin address; NULL: follows nobody */
	char *ca_file, *token_file;
	char *state;	     /* folder: what is remembered besides the prefixes */
	GPtrArray *products; /* NodeProduct * */
} NodeConfig;

typedef enum NodeKeyType {
	NODE_KEY_TEXT,	    /* a command, a unit, a user: one text */
	NODE_KEY_PATH,	    /* absolute */
	NODE_KEY_SERVER,    /* https://HOST:PORT; http:// only to this machine */
	NODE_KEY_SOURCES,   /* http(s) URLs and absolute folders, blanks between */
	NODE_KEY_LISTENS,   /* addresses and paths, blanks between */
	NODE_KEY_ADDRESS,   /* ADDRESS:PORT */
	NODE_KEY_NUMBER,    /* from 0 to NODE_MAXIMUM_KEEP */
	NODE_KEY_DURATION,  /* from 1 second to NODE_MAXIMUM_TIMEOUT_S */
	NODE_KEY_READINESS, /* notify, verify or forward */
	NODE_KEY_HEALTH,    /* a command or an http:// URL */
	NODE_KEY_HEADER,    /* the name of a field of HTTP */
	NODE_KEY_URL_PATH,  /* /health */
} NodeKeyType;

/* What there is to say: feeds the parser and is compared with the manual. */
typedef struct NodeKey {
	gboolean is_of_product; /* or of [node] */
	const char *name;
	NodeKeyType type;
	gsize offset;	      /* of the field in NodeProduct or NodeConfig */
	const char *fallback; /* PRODUCT in it stands for the name; NULL: nothing */
} NodeKey;

/* Ends with a NULL name. */
const NodeKey *node_config_keys(void);

/* Fails with DROVER_ERROR_INPUT naming file, line, section and key; DROVER_ERROR_NOT_FOUND. */
NodeConfig *node_config_load(const char *path, GError **error);
NodeConfig *node_config_parse(const char *name, const char *text, gsize size_bytes, GError **error);
void node_config_free(NodeConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NodeConfig, node_config_free)
/* Fails with DROVER_ERROR_NOT_FOUND, naming those there are. */
const NodeProduct *node_config_product(const NodeConfig *config, const char *name, GError **error);

#endif
