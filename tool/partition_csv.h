/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A partition table as a project writes it (partitions.csv), made into the
 * rows that go into flash: esp/ judges those.
 */
#ifndef PARTITION_CSV_H
#define PARTITION_CSV_H

#include "bowline/esp_partition.h"
#include "tool.h"

/* `table_offset`: where the table lies; partitions without an offset follow
 * it. Fills `rows`, ended by erased bytes, without an MD5 row. EXIT_INPUT
 * with the line that is wrong. */
int partition_csv(struct call *c, const char *path, bl_span text,
                  uint32_t table_offset, uint8_t rows[BL_ESP_TABLE_SIZE]);

#endif
