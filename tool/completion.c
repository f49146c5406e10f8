/* SPDX-License-Identifier: Apache-2.0 */
/* Completion for bash and zsh, from the table of verbs. */
#include <stdio.h>
#include <string.h>

#include "tool.h"

static bool option_word(const struct option *option, void *ctx)
{
    (void)ctx;
    printf(" --%s", option->name);
    return false;
}

static void words_of_options(const struct verb *v)
{
    (void)verb_option(v, option_word, NULL);
}

/* The second words of a group, or nothing. */
static void second_words(const char *first, size_t n)
{
    size_t i;

    for (i = 0; i < n_verbs; i++) {
        const char *name = verbs[i].name;

        if (strncmp(name, first, n) == 0 && name[n] == ' ') {
            printf(" %s", name + n + 1);
        }
    }
}

static size_t first_length(const struct verb *v)
{
    return strcspn(v->name, " ");
}

/* Is it the first verb of the table with this first word? */
static bool is_first(size_t i)
{
    size_t n = first_length(&verbs[i]);

    return i == 0 || first_length(&verbs[i - 1]) != n ||
           strncmp(verbs[i - 1].name, verbs[i].name, n) != 0;
}

static void first_words(void)
{
    size_t i;

    for (i = 0; i < n_verbs; i++) {
        if (is_first(i)) {
            printf(" %.*s", (int)first_length(&verbs[i]), verbs[i].name);
        }
    }
}

static bool bash_value(const struct option *option, void *ctx)
{
    const struct verb *v = *(const struct verb **)ctx;

    if (option->value == NULL) {
        return false;
    }
    printf("    \"%s --%s\") ", v->name, option->name);
    if (option->complete == WORDS) {
        printf("words=\"%s\" ;;\n", option->words);
    } else {
        printf("kind=%s ;;\n", option->complete == A_FILE     ? "file"
                               : option->complete == A_FOLDER ? "folder"
                                                              : "none");
    }
    return false;
}

static void bash_verbs(void)
{
    size_t i;

    printf("    case \"$verb\" in\n");
    for (i = 0; i < n_verbs; i++) {
        const struct verb *v = &verbs[i];

        printf("    \"%s\") options=\"", v->name);
        words_of_options(v);
        printf("\" arguments=%s choices=\"%s\" ;;\n",
               v->complete == A_FILE     ? "file"
               : v->complete == A_FOLDER ? "folder"
                                         : "none",
               v->complete == WORDS ? v->words : "");
    }
    printf("    esac\n    case \"$verb $previous\" in\n");
    for (i = 0; i < n_verbs; i++) {
        const struct verb *v = &verbs[i];

        (void)verb_option(v, bash_value, &v);
    }
    printf("    esac\n");
}

static void bash_groups(void)
{
    size_t i;

    printf("    case \"$first\" in\n");
    for (i = 0; i < n_verbs; i++) {
        size_t n = first_length(&verbs[i]);

        if (is_first(i) && verbs[i].name[n] == ' ') {
            printf("    %.*s) seconds=\"", (int)n, verbs[i].name);
            second_words(verbs[i].name, n);
            printf("\" ;;\n");
        }
    }
    printf("    esac\n");
}

/* The first word; help is followed by the words of a verb. */
static void bash_first(void)
{
    printf("    local firsts=\"");
    first_words();
    printf("\"\n"
           "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
           "        case \"$current\" in\n"
           "        -*) _bowline_offer \"--help --version\" ;;\n"
           "        *) _bowline_offer \"$firsts\" ;;\n"
           "        esac\n"
           "        return\n    fi\n"
           "    if [ \"$first\" = help ] && [[ \"$current\" != -* ]]; then\n"
           "        if [ \"$COMP_CWORD\" -eq 2 ]; then\n"
           "            _bowline_offer \"$firsts\"\n"
           "            return\n        fi\n"
           "        first=\"${COMP_WORDS[2]}\" second=3\n    fi\n");
}

/* The second word of a group. */
static void bash_second(void)
{
    bash_groups();
    printf("    verb=\"$first\"\n"
           "    if [ -n \"$seconds\" ]; then\n"
           "        if [ \"$COMP_CWORD\" -eq \"$second\" ]; then\n"
           "            _bowline_offer \"$seconds\"\n"
           "            return\n"
           "        fi\n"
           "        verb=\"$first ${COMP_WORDS[second]}\"\n"
           "    fi\n"
           "    if [ \"$second\" -eq 3 ]; then\n"
           "        return\n    fi\n");
}

static void bash(void)
{
    printf("# bash completion of bowline, made by: bowline completion bash\n"
           "_bowline_offer()\n{\n"
           "    COMPREPLY=($(compgen -W \"$1\" -- \"$current\"))\n}\n"
           "_bowline()\n{\n"
           "    local current=\"${COMP_WORDS[COMP_CWORD]}\"\n"
           "    local previous=\"${COMP_WORDS[COMP_CWORD-1]}\"\n"
           "    local first=\"${COMP_WORDS[1]}\" second=2 verb seconds=\n"
           "    local options= kind= words= arguments= choices=\n"
           "    COMPREPLY=()\n");
    bash_first();
    bash_second();
    bash_verbs();
    printf("    if [ -z \"$kind$words\" ]; then\n"
           "        case \"$current\" in\n"
           "        -*) words=\"$options\" ;;\n"
           "        *) kind=\"$arguments\" words=\"$choices\" ;;\n"
           "        esac\n"
           "    fi\n"
           "    case \"$kind\" in\n"
           "    file) COMPREPLY=($(compgen -f -- \"$current\")) ;;\n"
           "    folder) COMPREPLY=($(compgen -d -- \"$current\")) ;;\n"
           "    *) _bowline_offer \"$words\" ;;\n"
           "    esac\n}\n"
           "complete -o filenames -F _bowline bowline\n");
}

/* Text inside single quotes of zsh, where ':' and '[' have a meaning. */
static void zsh_text(const char *text)
{
    for (; *text != '\0'; text++) {
        if (strchr(":[]", *text) != NULL) {
            (void)putchar('\\');
        }
        printf(*text == '\'' ? "'\\''" : "%c", *text);
    }
}

static bool zsh_option(const struct option *option, void *ctx)
{
    (void)ctx;
    printf(" \\\n            '%s--%s%s[", option->many ? "*" : "",
           option->name, option->value == NULL ? "" : "=");
    zsh_text(option->help);
    printf("]");
    if (option->value != NULL) {
        printf(":%s:", option->value);
        if (option->complete == WORDS) {
            printf("(%s)", option->words);
        } else {
            printf("%s", option->complete == A_FILE     ? "_files"
                         : option->complete == A_FOLDER ? "_files -/"
                                                        : "");
        }
    }
    printf("'");
    return false;
}

static void zsh(void)
{
    size_t i;

    printf("#compdef bowline\n"
           "# zsh completion of bowline, made by: bowline completion zsh\n"
           "_bowline()\n{\n    local verb=\"${words[2]}\" used=1\n"
           "    local -a seconds\n"
           "    if (( CURRENT == 2 )) && [[ $verb == -* ]]; then\n"
           "        compadd -- --help --version\n        return\n    fi\n"
           "    if (( CURRENT == 2 )) || [[ $verb == help && $CURRENT == 3 "
           "&&\n            ${words[3]} != -* ]]; then\n        compadd --");
    first_words();
    printf("\n        return\n    fi\n"
           "    if [[ $verb == help && $CURRENT == 4 ]]; then\n"
           "        shift words\n        (( CURRENT -= 1 ))\n"
           "        verb=\"${words[2]}\"\n    fi\n"
           "    case \"$verb\" in\n");
    for (i = 0; i < n_verbs; i++) {
        size_t n = first_length(&verbs[i]);

        if (is_first(i) && verbs[i].name[n] == ' ') {
            printf("    %.*s) seconds=(", (int)n, verbs[i].name);
            second_words(verbs[i].name, n);
            printf(" ) ;;\n");
        }
    }
    printf("    esac\n    if (( $#seconds )); then\n"
           "        if (( CURRENT == 3 )); then\n"
           "            compadd -- $seconds\n            return\n        fi\n"
           "        verb=\"$verb ${words[3]}\" used=2\n    fi\n"
           "    shift $used words\n    (( CURRENT -= used ))\n"
           "    case \"$verb\" in\n");
    for (i = 0; i < n_verbs; i++) {
        const struct verb *v = &verbs[i];

        printf("    \"%s\")\n        _arguments", v->name);
        (void)verb_option(v, zsh_option, NULL);
        if (v->complete == WORDS) {
            printf(" \\\n            '*:argument:(%s)'", v->words);
        } else {
            printf(" \\\n            '*:argument:%s'",
                   v->complete == A_FILE     ? "_files"
                   : v->complete == A_FOLDER ? "_files -/"
                                             : "");
        }
        printf(" ;;\n");
    }
    printf("    esac\n}\n_bowline \"$@\"\n");
}

int verb_completion(struct call *c)
{
    if (strcmp(c->argument[0], "bash") == 0) {
        bash();
    } else if (strcmp(c->argument[0], "zsh") == 0) {
        zsh();
    } else {
        return refuse(c, EXIT_USAGE, "%s: say bash or zsh", c->argument[0]);
    }
    return EXIT_YES;
}
