/* SPDX-License-Identifier: ISC
 *
 * What the files of drover release share.
 */
#ifndef DROVER_RELEASE_H
#define DROVER_RELEASE_H

#include "programs/drover/invocation.h"
#include "release/manifest.h"

#define RELEASE_REASON_FILE "reason" /* of a build folder: why this revision, for publishing */

/* GET …/releases/plan: what would be built now. `revision` and `version` may be NULL. New
 * reference. */
json_t *release_plan(Invocation *invocation, const char *product, const char *revision,
	const char *version, GError **error);
/* Fails when the plan refuses, or is not what may be deployed and there is no reason. `so` says
 * what comes of it: "nothing is built". */
gboolean release_check_plan(const json_t *plan, const char *reason, const char *so, GError **error);
/* Whether `version` may be published after `older`, which may be NULL, or of another scheme, from
 * before there were rules. Fails with DROVER_ERROR_INPUT or DROVER_ERROR_CONFLICT. */
gboolean release_check_order(
	const char *product, const char *version, const char *older, GError **error);
/* The git repository of a product: --repository, else the plan's. Checked (git_check()). Fails
 * with DROVER_ERROR_INPUT when there is none. Caller frees. */
char *release_repository(Invocation *invocation, const json_t *plan, GError **error);

extern const Option release_build_options[];
gboolean release_run_build(Invocation *invocation, GError **error);
extern const Option release_check_options[];
gboolean release_run_check(Invocation *invocation, GError **error);
extern const Option release_publish_options[];
gboolean release_run_publish(Invocation *invocation, GError **error);
extern const Option release_list_options[];
gboolean release_run_list(Invocation *invocation, GError **error);
gboolean release_run_diff(Invocation *invocation, GError **error);
gboolean release_run_show(Invocation *invocation, GError **error);
extern const Option release_verify_options[];
gboolean release_run_verify(Invocation *invocation, GError **error);
extern const Option release_gc_options[];
gboolean release_run_gc(Invocation *invocation, GError **error);
extern const Option release_sign_options[];
gboolean release_run_sign(Invocation *invocation, GError **error);
extern const Option release_delegate_options[];
gboolean release_run_delegate(Invocation *invocation, GError **error);

#endif
