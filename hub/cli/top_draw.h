/* top_draw - a reading as lines: figures of the hub, then its agents. */
#ifndef HUB_CLI_TOP_DRAW_H
#define HUB_CLI_TOP_DRAW_H

#include "cli/canvas.h"
#include "cli/top_reading.h"

enum top_order { TOP_BY_NAME, TOP_BY_RATE, TOP_BY_QUEUE, TOP_BY_DEAD, TOP_BY_P99, TOP_ORDERS };

struct top_view {
    const char *url;
    enum top_order order;
    bool reversed;
    size_t rows;         /* of the screen; 0: all agents are shown, and no keys */
    const char *trouble; /* why the reading is an old one; NULL: it is not */
    int64_t age_s;       /* of the reading, if there is trouble */
};

/* The order that a key stands for, TOP_ORDERS if none does. */
enum top_order top_order_of(int key);

/* Sorts the reading's agents. */
void top_draw(struct canvas *canvas, struct top_reading *reading, const struct top_view *view);

#endif
