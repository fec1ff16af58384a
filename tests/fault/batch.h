/*
 * The two batches of the fault loops. The first changes everything that can be changed: every mutating action of the API
 * that the program uses for instances and jobs occurs in it (fault.c checks that it does), the costly ones more than once.
 * The second lives in the same account, with its own state, and buys instances equal to the first one's.
 */
#ifndef TESTS_FAULT_BATCH_H
#define TESTS_FAULT_BATCH_H

#include "lab.h"

extern const char batch_before[], batch_after[];
/* batch_after without the change to a subscription, which could not be destroyed. */
extern const char batch_destroyable[];
extern const char second_before[], second_after[];
extern const struct wanted want_before, want_after, want_second_before, want_second_after;

#endif
