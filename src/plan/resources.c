/* SPDX-License-Identifier: Apache-2.0 */
#include "planning.h"

void plan_decide_resources(struct planning *p)
{
    (void) p;
}
