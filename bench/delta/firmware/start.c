/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors and reset of the benchmark's firmware. */
#include <stdint.h>

extern uint32_t data_load[], data_start[], data_end[];
extern uint32_t bss_start[], bss_end[];
int main(void);
void reset(void);

void reset(void)
{
    uint32_t *from = data_load;

    for (uint32_t *to = data_start; to < data_end;) {
        *to++ = *from++;
    }
    for (uint32_t *to = bss_start; to < bss_end;) {
        *to++ = 0;
    }
    (void)main();
    for (;;) {
    }
}

static void fault(void)
{
    for (;;) {
    }
}

__attribute__((section(".vectors"),
               used)) static void (*const vectors[])(void) = {
    (void (*)(void))STACK,
    reset,
    fault,
    fault,
    fault,
    fault,
    fault,
    0,
    0,
    0,
    0,
    fault,
    fault,
    0,
    fault,
    fault,
};
