/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The dashboard's files, put into the program by the build of web/: a table,
 * so that no path of a request ever reaches a file system.
 */
#ifndef SERVER_PAGE_H
#define SERVER_PAGE_H

#include "bowline/span.h"

struct page_file {
    const char *path; /* "/", "/assets/main-0123456789ab.js" */
    const char *type;
    const char *etag; /* W/"...": plain and gzip share it */
    bl_span plain;
    bl_span gzip;
};

extern const struct page_file page_files[];
extern const size_t page_files_count; /* 0: built without the dashboard */

/* Does this Accept-Encoding (NULL: none) take gzip? */
bool page_takes_gzip(const char *accept);
/* Does this If-None-Match (NULL: none) name the tag? */
bool page_same(const char *if_none_match, const char *etag);

#endif
