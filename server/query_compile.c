/* SPDX-License-Identifier: Apache-2.0 */
/* From text to steps: a reader of words, and a descent over the grammar. */
#include "query_private.h"

#include <stdlib.h>
#include <string.h>

enum token { END, WORD, QUOTED, OPERATOR, OPEN, CLOSE, COMMA };

struct compiler {
    struct query *q;
    struct error *err;
    const char *text;
    const char *at;    /* behind the token */
    const char *begin; /* of the token */
    size_t n;          /* its bytes, quotes left out */
    enum token token;
    uint32_t terms;
    uint32_t depth;
};

/* --- Words --------------------------------------------------------------- */

/* Counted as a person does: from 1, UTF-8 characters. */
static unsigned place(const struct compiler *c, const char *where)
{
    unsigned n = 1;

    for (const char *p = c->text; p < where; p++) {
        n += ((uint8_t)*p & 0xC0) != 0x80;
    }
    return n;
}

static int wrong(const struct compiler *c, const char *where, const char *what)
{
    return error_set(c->err, "character %u: %s", place(c, where), what);
}

static bool in_word(char ch)
{
    return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') ||
           (ch >= '0' && ch <= '9') ||
           (ch != '\0' && strchr("_.:+-", ch) != NULL);
}

static bool in_operator(char ch)
{
    return ch != '\0' && strchr("=!<>~", ch) != NULL;
}

static int read_quoted(struct compiler *c)
{
    const char *p = c->at + 1;

    while (*p != '"') {
        if (*p == '\0') {
            return wrong(c, c->at, "this quotation mark has no end");
        }
        if ((uint8_t)*p < 0x20 || *p == 0x7F) {
            return wrong(c, p, "a control character");
        }
        p++;
    }
    c->begin = c->at + 1;
    c->n = (size_t)(p - c->begin);
    c->at = p + 1;
    c->token = QUOTED;
    return 0;
}

static int take(struct compiler *c, enum token token, bool (*in)(char))
{
    c->begin = c->at;
    do {
        c->at++;
    } while (in != NULL && in(*c->at));
    c->n = (size_t)(c->at - c->begin);
    c->token = token;
    return 0;
}

static int read_token(struct compiler *c)
{
    while (*c->at == ' ' || *c->at == '\t' || *c->at == '\n' ||
           *c->at == '\r') {
        c->at++;
    }
    if (in_word(*c->at)) {
        return take(c, WORD, in_word);
    }
    if (in_operator(*c->at)) {
        return take(c, OPERATOR, in_operator);
    }
    switch (*c->at) {
    case '\0':
        c->begin = c->at;
        c->n = 0;
        c->token = END;
        return 0;
    case '(':
        return take(c, OPEN, NULL);
    case ')':
        return take(c, CLOSE, NULL);
    case ',':
        return take(c, COMMA, NULL);
    case '"':
        return read_quoted(c);
    case '\'':
        return wrong(c, c->at, "quote with \" and not with '");
    case '&':
    case '|':
        return wrong(c, c->at, "say and, or; not && and ||");
    default:
        return wrong(c, c->at,
                     "not expected here; put text with such characters in "
                     "quotation marks");
    }
}

static bool is_word(const struct compiler *c, const char *word)
{
    return c->token == WORD && c->n == strlen(word) &&
           memcmp(c->begin, word, c->n) == 0;
}

static bool is_keyword(const struct compiler *c)
{
    return is_word(c, "and") || is_word(c, "or") || is_word(c, "not") ||
           is_word(c, "in");
}

/* --- Steps --------------------------------------------------------------- */

static struct query_step *add_step(struct compiler *c, enum query_op op)
{
    struct query_step *step;

    if (c->q->n == QUERY_STEPS) {
        (void)wrong(c, c->begin, "the query is too long from here on");
        return NULL;
    }
    step = &c->q->step[c->q->n++];
    memset(step, 0, sizeof *step);
    step->op = (uint8_t)op;
    return step;
}

/* The token's text, into the pool. */
static int add_text(struct compiler *c)
{
    struct query *q = c->q;

    if (c->n + 1 > sizeof q->pool - q->pool_n) {
        return wrong(c, c->begin, "the query is too long from here on");
    }
    memcpy(q->pool + q->pool_n, c->begin, c->n);
    q->pool[q->pool_n + c->n] = '\0';
    q->pool_n += (uint32_t)c->n + 1;
    return 0;
}

/* --- Grammar ------------------------------------------------------------- */

static int read_value(struct compiler *c, struct query_step *step)
{
    if (c->token != WORD && c->token != QUOTED) {
        return wrong(c, c->begin, "expected a value");
    }
    step->n_values++;
    return add_text(c) != 0 ? -1 : read_token(c);
}

static int read_list(struct compiler *c, struct query_step *step)
{
    if (c->token != OPEN) {
        return wrong(c, c->begin, "expected ( behind in");
    }
    do {
        if (read_token(c) != 0 || read_value(c, step) != 0) {
            return -1;
        }
    } while (c->token == COMMA);
    if (c->token != CLOSE) {
        return wrong(c, c->begin, "expected , or ) in the list");
    }
    return read_token(c);
}

static int read_operator(struct compiler *c, struct query_step *step)
{
    static const struct {
        const char *text;
        enum query_op op;
    } known[] = {{"=", QUERY_EQUAL},      {"!=", QUERY_UNEQUAL},
                 {"<", QUERY_LESS},       {">", QUERY_MORE},
                 {"~", QUERY_GLOB},       {"<=", QUERY_LESS_EQUAL},
                 {">=", QUERY_MORE_EQUAL}};

    if (c->token == OPERATOR) {
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
            if (strlen(known[i].text) == c->n &&
                memcmp(known[i].text, c->begin, c->n) == 0) {
                step->op = (uint8_t)known[i].op;
                return 0;
            }
        }
        return wrong(c, c->begin,
                     "no such operator; there are = != < <= > >= ~ and in");
    }
    if (is_word(c, "in")) {
        step->op = QUERY_IN;
        return 0;
    }
    return wrong(c, c->begin, "expected an operator: = != < <= > >= ~ or in");
}

/* "4g" is a name, "1.4" is not: that one has lost its way. */
static bool is_name(const struct compiler *c)
{
    bool letter = false;

    for (size_t i = 0; i < c->n; i++) {
        char lower = (char)(c->begin[i] | 0x20);

        letter = letter || (lower >= 'a' && lower <= 'z');
    }
    return c->token == WORD && letter && !is_keyword(c);
}

static int read_comparison(struct compiler *c)
{
    struct query_step *step;

    if (!is_name(c)) {
        return wrong(c, c->begin,
                     "expected the name of an attribute, as version or tag");
    }
    if (++c->terms > QUERY_TERMS) {
        return wrong(c, c->begin, "a query has at most 64 comparisons");
    }
    step = add_step(c, QUERY_EQUAL);
    if (step == NULL) {
        return -1;
    }
    step->name = (uint16_t)c->q->pool_n;
    if (add_text(c) != 0 || read_token(c) != 0 ||
        read_operator(c, step) != 0 || read_token(c) != 0) {
        return -1;
    }
    step->values = (uint16_t)c->q->pool_n;
    return step->op == QUERY_IN ? read_list(c, step) : read_value(c, step);
}

static int read_any(struct compiler *c);

static int read_group(struct compiler *c)
{
    const char *opened = c->begin;

    if (++c->depth > QUERY_DEPTH) {
        return wrong(c, opened, "at most 16 parentheses inside each other");
    }
    if (read_token(c) != 0 || read_any(c) != 0) {
        return -1;
    }
    if (c->token == END) {
        return wrong(c, opened, "this ( is never closed");
    }
    if (c->token != CLOSE) {
        return wrong(c, c->begin, "expected and, or, or )");
    }
    c->depth--;
    return read_token(c);
}

static int read_term(struct compiler *c)
{
    bool inverted = is_word(c, "not");
    int result;

    if (inverted && read_token(c) != 0) {
        return -1;
    }
    result = c->token == OPEN ? read_group(c) : read_comparison(c);
    if (result == 0 && inverted && add_step(c, QUERY_NOT) == NULL) {
        result = -1;
    }
    return result;
}

/* `a and b and c`: each jump goes to the end, where the value stands. */
static int read_chain(struct compiler *c, const char *word, enum query_op jump,
                      int (*one)(struct compiler *))
{
    struct query *q = c->q;
    uint32_t first = q->n;

    if (one(c) != 0) {
        return -1;
    }
    while (is_word(c, word)) {
        struct query_step *step = add_step(c, jump);

        if (step == NULL) {
            return -1;
        }
        step->n_values = 1; /* not placed yet */
        if (read_token(c) != 0 || one(c) != 0) {
            return -1;
        }
    }
    for (uint32_t i = first; i < q->n; i++) {
        struct query_step *step = &q->step[i];

        if (step->op == (uint8_t)jump && step->n_values == 1) {
            step->to = (uint16_t)q->n;
            step->n_values = 0;
        }
    }
    return 0;
}

static int read_all(struct compiler *c)
{
    return read_chain(c, "and", QUERY_IF_FALSE, read_term);
}

static int read_any(struct compiler *c)
{
    return read_chain(c, "or", QUERY_IF_TRUE, read_all);
}

static int compile(struct compiler *c)
{
    if (read_any(c) != 0) {
        return -1;
    }
    return c->token == END
               ? 0
               : wrong(c, c->begin,
                       c->token == CLOSE ? "this ) was never opened"
                                         : "expected and, or, or the end");
}

struct query *query_compile(const char *text, struct error *err)
{
    struct compiler c = {.err = err, .text = text, .at = text};

    if (strnlen(text, QUERY_TEXT + 1) > QUERY_TEXT) {
        (void)wrong(&c, text + QUERY_TEXT, "a query has at most 1024 bytes");
        return NULL;
    }
    if (read_token(&c) != 0) {
        return NULL;
    }
    if (c.token == END) {
        if (err != NULL) {
            err->text[0] = '\0';
        }
        return NULL;
    }
    c.q = calloc(1, sizeof *c.q);
    if (c.q == NULL) {
        (void)error_set(err, "no memory");
        return NULL;
    }
    if (compile(&c) != 0) {
        query_free(c.q);
        return NULL;
    }
    return c.q;
}

void query_free(struct query *q)
{
    free(q);
}
