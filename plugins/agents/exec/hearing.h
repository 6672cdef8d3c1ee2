/* hearing - what follows from the lines that a worker writes. */
#ifndef EXEC_HEARING_H
#define EXEC_HEARING_H

#include "agent.h"

/* Perform what the whole lines say that have come. Stops early if the host is busy (the worker is
 * then stalled) or if too many lines in a row were garbage: then false. */
bool hearing_answers(struct agent *agent, struct worker *worker);

/* Relay stderr to the log. `all`: also a last line without a line feed. */
void hearing_errors(struct agent *agent, struct worker *worker, bool all);

#endif
