/* alarm - something that shall happen at a time, other than an action's deadline or back-off. */
#ifndef HUB_FLOW_ALARM_H
#define HUB_FLOW_ALARM_H

#include "base/wheel.h"

struct flow;

struct alarm {
    struct timer timer; /* first */
    void (*fn)(struct flow *flow, struct alarm *alarm);
};

#endif
