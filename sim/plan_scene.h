/* plan_scene: what a planned attack on one vehicle looks like in its log: theft, diagnostics, its computers, its
 * updates, its position. Each look-alike differs in the one thing that the rule is about. Pure; texts go into the
 * scene. */
#ifndef SIM_PLAN_SCENE_H
#define SIM_PLAN_SCENE_H

#include "plan.h"

/* For the scenarios from PLAN_RELAY_THEFT on; others add nothing. */
void plan_scene_add(const struct plan_attack *a, int64_t at_us, struct scene *s);

#endif
