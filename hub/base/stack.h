/* stack - many threads hand things to one, without locks or memory of its own.
 *
 * Things are linked through a node inside them. Anybody pushes one thing, or a chain of them with
 * one atomic exchange; the one taker takes all at once and gets them oldest first.
 */
#ifndef HUB_BASE_STACK_H
#define HUB_BASE_STACK_H

#include <stdatomic.h>
#include <stddef.h>

struct stack_node {
    struct stack_node *next;
};

struct stack {
    _Atomic(struct stack_node *) top;
};

static inline void stack_init(struct stack *stack)
{
    atomic_init(&stack->top, NULL);
}

/* Push a chain from `newest` down to `oldest` (both the same for one thing). [any] */
static inline void stack_push(struct stack *stack, struct stack_node *newest,
                              struct stack_node *oldest)
{
    struct stack_node *top = atomic_load_explicit(&stack->top, memory_order_relaxed);

    do {
        oldest->next = top;
    } while (!atomic_compare_exchange_weak_explicit(&stack->top, &top, newest, memory_order_seq_cst,
                                                    memory_order_relaxed));
}

/* Is there anything? [any] */
static inline int stack_empty(const struct stack *stack)
{
    return atomic_load_explicit(&stack->top, memory_order_relaxed) == NULL;
}

/* Take everything, in no particular order. [taker] */
static inline struct stack_node *stack_take(struct stack *stack)
{
    if (stack_empty(stack))
        return NULL;
    return atomic_exchange_explicit(&stack->top, NULL, memory_order_acquire);
}

/* Take everything, oldest first. [taker] */
static inline struct stack_node *stack_take_in_order(struct stack *stack)
{
    struct stack_node *node = stack_take(stack);
    struct stack_node *oldest = NULL;

    while (node != NULL) {
        struct stack_node *next = node->next;

        node->next = oldest;
        oldest = node;
        node = next;
    }
    return oldest;
}

#endif
