/* SPDX-License-Identifier: Apache-2.0 */
/* Built without the dashboard: BOWLINE_WEB=OFF. */
#include "page.h"

const struct page_file page_files[1] = {{0}};
const size_t page_files_count = 0;
