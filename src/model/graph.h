/*
 * Directed graph over dense indices, both directions as compressed rows. No
 * recursion: chains of a million nodes are fine.
 */
#ifndef MODEL_GRAPH_H
#define MODEL_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

struct edge {
	uint32_t from, to; /* from needs to */
};

struct graph {
	uint32_t n;
	uint32_t *out_at, *out; /* out[out_at[i] .. out_at[i+1]) = what i needs */
	uint32_t *in_at, *in;   /* in[in_at[i] .. in_at[i+1]) = who needs i */
};

/* Duplicate edges are dropped; self edges are kept (a cycle of one). */
void graph_build(struct graph *g, struct arena *a, uint32_t n, const struct edge *e, size_t ne);
/* Order in which everything comes after what it needs; ties by index. False when there is a
 * cycle. order: n entries. */
bool graph_order(const struct graph *g, struct arena *a, uint32_t *order);
/* A shortest-ish cycle: nodes in order, first node not repeated; 0 when there is none. */
size_t graph_cycle(const struct graph *g, struct arena *a, uint32_t **path);
/* Longest path (in nodes) from i down to something nobody needs: the priority of i. out: n
 * entries. */
void graph_height(const struct graph *g, struct arena *a, uint32_t *height);

#endif
