/* SPDX-License-Identifier: Apache-2.0 */
#include "sublet/base/buf.h"
#include "sublet/cgroups/systemd.h"

#include "command.h"
#include "say.h"
#include "texts.h"

static int features_body(const struct call *call, struct sub_err *err)
{
    OWNED_BUF text = BUF(TEXTS_MAX_BYTES);

    (void) call;
    features_json(&text, cg_systemd_is_there());
    return say_result(&text, err);
}

const struct command command_features = {
    .name = "features",
    .summary = "print what this runtime can do, as the JSON document of the OCI specification",
    .usage = "",
    .rows = {&rows_help},
    .failure = 1,
    .body = features_body,
};
