/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plugin for qemu-user: says how many instructions a program executed. The
 * few declarations of QEMU's plugin interface (version 1) that it needs stand
 * here, as Debian has no package with its header.
 */
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef uint64_t plugin_id;
struct plugin_tb;

int qemu_plugin_version = 1;

int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv);
void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id,
                                           void (*cb)(plugin_id id,
                                                      struct plugin_tb *tb));
void qemu_plugin_register_vcpu_tb_exec_inline(struct plugin_tb *tb,
                                              int operation, void *counter,
                                              uint64_t value);
size_t qemu_plugin_tb_n_insns(const struct plugin_tb *tb);
void qemu_plugin_register_atexit_cb(plugin_id id,
                                    void (*cb)(plugin_id id, void *p),
                                    void *p);

enum { ADD = 0 };

static uint64_t count;

static void translated(plugin_id id, struct plugin_tb *tb)
{
    (void)id;
    qemu_plugin_register_vcpu_tb_exec_inline(tb, ADD, &count,
                                             qemu_plugin_tb_n_insns(tb));
}

static void end(plugin_id id, void *p)
{
    (void)id;
    (void)p;
    fprintf(stderr, "instructions %" PRIu64 "\n", count);
}

int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
    (void)info;
    (void)argc;
    (void)argv;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_atexit_cb(id, end, NULL);
    return 0;
}
