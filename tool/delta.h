/* SPDX-License-Identifier: Apache-2.0 */
/* What bowline diff, patch and inspect share about deltas. */
#ifndef DELTA_H
#define DELTA_H

#include "bowline/delta.h"
#include "diff/diff.h"
#include "host/progress.h"
#include "tool.h"

enum {
    DELTA_IMAGE = 1 << 30,             /* bytes of an image, at most */
    DELTA_PATCH = DELTA_IMAGE / 4 * 5, /* and of a patch */
    DELTA_PROFILE_LEAST = 6 * 1024     /* of the usual sizes of memory */
};

/* "thumb", ...; the words of --isa are those and "auto". */
#define DELTA_ISAS "plain thumb riscv xtensa aarch64 x86-64"
const char *delta_isa_name(uint8_t isa);
/* enum bl_delta_isa of a word; DIFF_DETECT for others. */
uint8_t delta_isa(const char *name);

/* An option's value (diff.c): "12K", "12288"; what is below 1024 and has no
 * unit, in KB, too. `*out` stays when it is not given. */
int delta_size(struct call *c, const char *name, uint32_t low, uint32_t high,
               uint32_t *out);

/* --- Files (delta_file.c) -------------------------------------------------
 * "-" is standard input or output.
 */

bool delta_is_stdio(const char *path);
/* Refuses when more than one of the arguments that are read is "-". */
int delta_one_stdin(struct call *c, const char *a, const char *b);
int delta_read(struct call *c, const char *path, size_t limit,
               struct buffer *out);
/* Before the work: is there something that must not be replaced, a folder, no
 * folder to write to, or one of the `inputs` itself? */
int delta_check_output(struct call *c, const char *path,
                       const char *const *inputs, size_t n);
/* The whole file or nothing of it. */
int delta_write(struct call *c, const char *path, bl_span content, int mode);

/* bowline patch --in-place (patch_in_place.c). */
int patch_in_place(struct call *c);

/* --- Progress (delta_stop.c) ----------------------------------------------
 */

struct delta_bar {
    struct progress bar;
    uint64_t size; /* of the image that is made */
};

void delta_bar_begin(struct call *c, struct delta_bar *bar, const char *name,
                     uint64_t size);
/* For diff_options.progress: draws, and stops when Ctrl-C has come. */
bool delta_bar_update(void *ctx, uint32_t permille);
void delta_bar_end(struct delta_bar *bar);

/* --- Ctrl-C (delta_stop.c) ------------------------------------------------
 * From delta_stop_begin on, SIGINT, SIGTERM and SIGHUP are only remembered,
 * so that nothing half done is left; a second one ends the program at once.
 */

void delta_stop_begin(void);
bool delta_stop_wanted(void);
/* While a file is written: signals wait. */
void delta_stop_hold(bool hold);
/* Ends the program as the signal would have, when one has come. */
void delta_stop_end(void);

/* --- Words (delta_words.c) ------------------------------------------------
 */

/* Bytes of memory that the patch needs on a device, all in. */
uint32_t delta_ram(const struct bl_delta_info *info);
/* Bytes beside the image that a patch for one slot needs, with flash that is
 * written by up to 16 bytes. */
uint32_t delta_work(const struct bl_delta_info *info);
/* Fields of the head: format, isa, in_place, deflate, old_size, new_size,
 * ram, old_check, new_check; for one slot: block, work. */
void delta_put_head(struct call *c, const struct bl_delta_info *info,
                    json_t *out);
/* What is wrong with a head that bl_delta_head refuses. Kept. */
const char *delta_head_problem(struct call *c, bl_status status);
/* NULL, or why `old` is not the image that the patch wants. Kept. */
const char *delta_base_problem(struct call *c,
                               const struct bl_delta_info *info, bl_span old);
/* `part` of `whole` in percent, to two places. */
double delta_percent(uint64_t part, uint64_t whole);
/* Bytes of memory that this program had at most. */
uint64_t delta_peak_memory(void);
double delta_seconds(void); /* of a clock that only goes on */

#endif
