/* SPDX-License-Identifier: ISC
 *
 * Runs every file of the folders (or the files) given as arguments through a fuzz target, in
 * ordinary builds and without libFuzzer: what was found once stays found.
 */
#include <glib.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size_bytes);

static guint replay_file(const char *path)
{
	g_autofree char *bytes = NULL;
	gsize size_bytes = 0;
	g_autoptr(GError) error = NULL;
	if (!g_file_get_contents(path, &bytes, &size_bytes, &error)) {
		fprintf(stderr, "replay: %s\n", error->message);
		exit(EXIT_FAILURE);
	}
	/* An exact copy, so that reading one byte too far is noticed under AddressSanitizer. */
	g_autofree uint8_t *exact = g_memdup2(bytes, size_bytes);
	LLVMFuzzerTestOneInput(exact, size_bytes);
	return 1;
}

static guint replay(const char *path)
{
	g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
	guint count = 0;
	if (folder == NULL)
		return replay_file(path);
	for (const char *name = g_dir_read_name(folder); name != NULL;
		name = g_dir_read_name(folder)) {
		g_autofree char *within = g_build_filename(path, name, NULL);
		count += replay(within);
	}
	return count;
}

int main(int argc, char **argv)
{
	guint count = 0;
	for (int i = 1; i < argc; i++)
		count += replay(argv[i]);
	printf("%u inputs replayed\n", count);
	/* A target without seeds tests nothing. */
	return count > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
