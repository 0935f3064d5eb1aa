/* SPDX-License-Identifier: ISC
 *
 * Any bytes as the head of a request to the face, and as a request to the control socket: never a
 * fault, and each answer is one that a client can read.
 */
#include <stdint.h>
#include <string.h>

#include "balance/director/control.h"
#include "balance/director/face.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static json_t *small_status(void)
{
	json_t *server =
		json_pack("{s:s,s:b,s:b,s:i}", "host", "a", "enabled", 1, "up", 1, "weight", 10);
	return json_pack(
		"{s:[{s:s,s:[o]}],s:[]}", "services", "name", "web", "servers", server, "alerts");
}

static void ask_face(const char *text, size_t size)
{
	g_auto(FaceRequest) request = {0};
	g_auto(FaceAnswer) answer = {0};
	guint refused = face_request_parse(text, size, &request);
	json_auto_t *status = small_status();
	if (refused != 0)
		face_refuse(refused, &answer);
	else
		face_answer(status, &request, &answer);
	g_autoptr(GBytes) said = face_answer_bytes(&answer);
	g_assert(g_bytes_get_size(said) > 0 && g_utf8_validate(answer.body, -1, NULL));
	g_assert(memmem(g_bytes_get_data(said, NULL), g_bytes_get_size(said), "\r\n\r\n", 4) !=
		 NULL);
}

static void ask_control(const char *text, size_t size)
{
	g_auto(ControlRequest) request = {0};
	g_autoptr(GError) error = NULL;
	gboolean read = control_request_parse(text, size, &request, &error);
	g_assert(read == (error == NULL));
	g_assert(error == NULL || g_utf8_validate(error->message, -1, NULL));
	g_assert(!read || request.command != CONTROL_DRAIN || request.server != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	ask_face((const char *)bytes, size);
	ask_control((const char *)bytes, size);
	return 0;
}
