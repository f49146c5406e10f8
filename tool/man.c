/* SPDX-License-Identifier: Apache-2.0 */
/* Man pages in mdoc, from the table of verbs. The build writes them. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "tool.h"

/* Text of the table as mdoc reads it: '\' doubled, no line that begins with
 * a dot or quote, a new line behind each sentence, and paragraphs. */
static void text_out(FILE *f, const char *text)
{
    bool begin = true;

    for (; *text != '\0'; text++) {
        if (text[0] == '\n' && text[1] == '\n') {
            (void)fprintf(f, "\n.Pp\n");
            text++;
            begin = true;
        } else if (text[0] == '.' && text[1] == ' ') {
            (void)fprintf(f, ".\n");
            text++;
            begin = true;
        } else if (text[0] == '\\') {
            (void)fprintf(f, "\\e");
            begin = false;
        } else if (begin && (text[0] == '.' || text[0] == '\'')) {
            (void)fprintf(f, "\\&%c", text[0]);
            begin = false;
        } else {
            (void)fputc(text[0], f);
            begin = text[0] == '\n';
        }
    }
    if (!begin) {
        (void)fputc('\n', f);
    }
}

static void lines_out(FILE *f, const char *text)
{
    (void)fprintf(f, ".Bd -literal -offset indent\n");
    while (*text != '\0') {
        size_t n = strcspn(text, "\n");
        size_t i;

        (void)fprintf(f, "%s", text[0] == '.' || text[0] == '\'' ? "\\&" : "");
        for (i = 0; i < n; i++) {
            (void)fprintf(f, text[i] == '\\' ? "\\e" : "%c", text[i]);
        }
        (void)fputc('\n', f);
        text += n;
        text += *text == '\n';
    }
    (void)fprintf(f, ".Ed\n");
}

static void head(FILE *f, const char *name, const char *summary)
{
    const char *p;

    (void)fprintf(f, ".\\\" Made from the program's table of verbs.\n"
                     ".\\\" SPDX-License-Identifier: Apache-2.0\n"
                     ".Dd January 1, 2026\n.Dt ");
    for (p = name; *p != '\0'; p++) {
        (void)fputc(*p == ' ' ? '-' : toupper((unsigned char)*p), f);
    }
    (void)fprintf(f, " 1\n.Os Bowline\n.Sh NAME\n.Nm ");
    for (p = name; *p != '\0'; p++) {
        (void)fputc(*p == ' ' ? '-' : *p, f);
    }
    (void)fprintf(f, "\n.Nd %s\n.Sh SYNOPSIS\n", summary);
}

static bool option_out(const struct option *option, void *ctx)
{
    char phrase[512];
    FILE *f = ctx;
    size_t n;

    (void)fprintf(f, ".It ");
    if (option->letter != 0) {
        (void)fprintf(f, "Fl %c , ", option->letter);
    }
    (void)fprintf(f, "Fl \\-%s", option->name);
    if (option->value != NULL) {
        (void)fprintf(f, " Ar %s", option->value);
    }
    (void)fputc('\n', f);
    option_phrase(option, phrase, sizeof phrase - 1);
    phrase[0] = (char)toupper((unsigned char)phrase[0]);
    n = strlen(phrase);
    phrase[n] = '.'; /* room for it was left above */
    phrase[n + 1] = '\0';
    text_out(f, phrase);
    return false;
}

static void exits_out(FILE *f, unsigned exits)
{
    (void)fprintf(f, ".Sh EXIT STATUS\n.Bl -tag -width 4n\n");
#define LINE(name, number, meaning)                                           \
    if ((exits & (1U << (number))) != 0) {                                    \
        (void)fprintf(f, ".It %d\n%s\n", number, meaning);                    \
    }
    EXIT_LIST(LINE)
#undef LINE
    (void)fprintf(f, ".El\n");
}

static void page_of_verb(FILE *f, const struct verb *v)
{
    char name[64];

    (void)snprintf(name, sizeof name, "bowline %s", v->name);
    head(f, name, v->summary);
    (void)fprintf(f, ".Nm bowline\n.Cm %s\n", v->name);
    if (v->arguments[0] != '\0') {
        (void)fprintf(f, ".Ar %s\n", v->arguments);
    }
    (void)fprintf(f, ".Op Ar options\n.Sh DESCRIPTION\n");
    text_out(f, v->about);
    (void)fprintf(f, ".Pp\nThe options are as follows:\n"
                     ".Bl -tag -width indent\n");
    (void)verb_option(v, option_out, f);
    (void)fprintf(f, ".El\n");
    if (v->json != NULL) {
        (void)fprintf(f, ".Pp\nWith\n.Fl \\-json\n"
                         "the result is one object with these keys:\n");
        lines_out(f, v->json);
    }
    exits_out(f, v->exits);
    if (v->example != NULL) {
        (void)fprintf(f, ".Sh EXAMPLES\n");
        lines_out(f, v->example);
    }
    (void)fprintf(f, ".Sh SEE ALSO\n.Xr bowline 1\n");
}

static void verb_link(FILE *f, const struct verb *v)
{
    (void)fprintf(f, ".It Cm %s\n", v->name);
    text_out(f, v->summary);
}

static void page_of_program(FILE *f)
{
    size_t i;

    head(f, "bowline", "firmware updates over the air");
    (void)fprintf(
        f, ".Nm\n.Ar verb\n.Op Ar arguments\n.Op Ar options\n"
           ".Sh DESCRIPTION\nMakes keys, root documents and releases, and "
           "speaks to the update server.\nEach verb has a page of its own:\n"
           "bowline-verb(1), with a dash for each space.\n"
           ".Bl -tag -width \"rollout advance\"\n");
    for (i = 0; i < n_verbs; i++) {
        verb_link(f, &verbs[i]);
    }
    (void)fprintf(f, ".El\n.Sh ENVIRONMENT\n.Bl -tag -width indent\n"
                     ".It Ev BOWLINE_CONFIG\nThe project file.\n"
                     ".It Ev BOWLINE_SERVER\nAddress of the server.\n"
                     ".It Ev BOWLINE_CA_FILE\nWhat the server's certificate "
                     "is checked with.\n"
                     ".It Ev BOWLINE_TOKEN_FILE\nA file with the operator's "
                     "token.\n"
                     ".It Ev NO_COLOR\nWhen set, no colors.\n.El\n"
                     ".Sh FILES\n.Bl -tag -width indent\n"
                     ".It Pa bowline.conf\nThe project file, looked for in "
                     "the current folder and those above.\n.El\n");
    exits_out(f, ~0U);
    (void)fprintf(f, ".Sh SEE ALSO\n.Xr bowlined 8\n");
}

void man_page(const struct verb *verb, void *file)
{
    if (verb == NULL) {
        page_of_program(file);
    } else {
        page_of_verb(file, verb);
    }
}

static int write_page(struct call *c, const char *folder,
                      const struct verb *verb)
{
    char *name = keep(c, "bowline%s%s", verb == NULL ? "" : "-",
                      verb == NULL ? "" : verb->name);
    char *space = strchr(name, ' ');
    const char *path;
    FILE *file;

    if (space != NULL) {
        *space = '-';
    }
    path = keep(c, "%s/%s.1", folder, name);
    file = fopen(path, "w");
    if (file == NULL) {
        (void)error_errno(&c->err, "%s", path);
        return EXIT_LOCAL;
    }
    man_page(verb, file);
    if (fclose(file) != 0) {
        (void)error_errno(&c->err, "%s", path);
        return EXIT_LOCAL;
    }
    return 0;
}

int man_write_all(struct call *c, const char *folder)
{
    int code = file_make_dirs(folder, 0755, &c->err) == 0
                   ? write_page(c, folder, NULL)
                   : EXIT_LOCAL;
    size_t i;

    for (i = 0; code == 0 && i < n_verbs; i++) {
        code = write_page(c, folder, &verbs[i]);
    }
    return code;
}
