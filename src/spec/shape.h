/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of config.json, one table an object. */
#ifndef SUBLET_SRC_SPEC_SHAPE_H
#define SUBLET_SRC_SPEC_SHAPE_H

#include "sublet/json.h"
#include "sublet/spec.h"

extern const struct json_shape spec_shape;
extern const struct json_shape spec_process_shape;
extern const struct json_shape spec_linux_shape;
extern const struct json_shape spec_resources_shape;
extern const struct json_shape spec_seccomp_shape;
extern const struct json_shape spec_id_mapping_shape;
extern const struct json_shape spec_mounts_shape; /* {"mounts": [...]} into struct spec_mounts */

#define MUST JSON_REQUIRED

/* Every table has its own AT(member), the offset, and HAS(row), the bit of an optional number. */

#endif
