/* summary - what a hub has done, on one screen. */
#ifndef HUB_CLI_SUMMARY_H
#define HUB_CLI_SUMMARY_H

#include <atamo/hub.h>

#include <stdio.h>

void summary_print(atamo_hub *hub, const atamo_stats *stats, FILE *stream);

#endif
