/* kv - the extension "atamo.kv/1": key-value state of agents. */
#ifndef HUB_FLOW_KV_H
#define HUB_FLOW_KV_H

#include <atamo/kv.h>

const atamo_kv *kv_extension(void);

#endif
