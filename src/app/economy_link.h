/* economy_link: silences and alert budgets as the last part of the detect process's commits. */
#ifndef APP_ECONOMY_LINK_H
#define APP_ECONOMY_LINK_H

#include "app/pipeline_part.h"

extern const struct pipeline_part economy_link;

#endif
