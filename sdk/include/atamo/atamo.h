/* atamo/atamo.h - every public header. */
#ifndef ATAMO_ATAMO_H
#define ATAMO_ATAMO_H

#include "atamo/access.h"
#include "atamo/action.h"
#include "atamo/agent.h"
#include "atamo/auditor.h"
#include "atamo/control.h"
#include "atamo/event.h"
#include "atamo/event_provider.h"
#include "atamo/hub.h"
#include "atamo/json.h"
#include "atamo/kv.h"
#include "atamo/loop.h"
#include "atamo/machine.h"
#include "atamo/plugin.h"
#include "atamo/rule_provider.h"
#include "atamo/status.h"
#include "atamo/store.h"
#include "atamo/telemetry.h"

#endif
