/* SPDX-License-Identifier: ISC
 *
 * For the eye: every page from the fixtures, and the static report below report/, as files in a
 * folder.
 *
 *     FIXTURES=tests/unit/page/fixtures build/tests/unit/page/page-render FOLDER
 */
#include "gallery.h"
#include "page/assets.h"

static void write_file(const char *folder, const char *name, const char *text)
{
	g_autofree char *file = g_build_filename(folder, name, NULL);
	g_autoptr(GError) error = NULL;
	if (!g_file_set_contents(file, text, -1, &error))
		g_error("%s", error->message);
}

static void visit(const char *name, const char *html, gpointer of)
{
	g_autoptr(GRegex) assets = g_regex_new("/assets/[0-9a-f]+/", 0, 0, NULL);
	g_autofree char *text = g_regex_replace_literal(assets, html, -1, 0, "", 0, NULL);
	g_autofree char *file = g_strdup_printf("%s.html", name);
	write_file(of, file, text);
}

int main(int count, char **arguments)
{
	g_assert(count == 2);
	static const char *const assets[] = {"drover.css", "drover.js", "icon.svg"};
	for (gsize index = 0; index < G_N_ELEMENTS(assets); index++)
		write_file(arguments[1], assets[index],
			(const char *)asset_find(assets[index])->bytes);
	gallery_render(NULL, visit, arguments[1]);
	g_autofree char *report = g_build_filename(arguments[1], "report", NULL);
	g_mkdir_with_parents(report, 0755);
	g_autoptr(json_t) files = gallery_report(NULL);
	const char *name;
	json_t *text;
	json_object_foreach (files, name, text)
		write_file(report, name, json_string_value(text));
	return 0;
}
