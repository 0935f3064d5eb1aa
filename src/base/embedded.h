/* SPDX-License-Identifier: ISC
 *
 * Files that were built into the program by tools/embed.py: a table that ends with a NULL name.
 */
#ifndef BASE_EMBEDDED_H
#define BASE_EMBEDDED_H

#include <stddef.h>

typedef struct EmbeddedFile {
	const char *name;	    /* base name of the file, "0001-products.sql" */
	const unsigned char *bytes; /* size_bytes bytes, followed by a NUL */
	size_t size_bytes;
} EmbeddedFile;

#endif
