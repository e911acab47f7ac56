/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "probe.h"

static bool first = true;

static void put_quoted(const char *text)
{
    (void) putchar('"');
    for (const unsigned char *at = (const unsigned char *) text; *at != '\0'; at++) {
        if (*at == '"' || *at == '\\')
            (void) printf("\\%c", *at);
        else if (*at < 0x20 || *at >= 0x7f)
            (void) printf("\\u%04x", (unsigned) *at);
        else
            (void) putchar(*at);
    }
    (void) putchar('"');
}

static void put_key(const char *key)
{
    if (!first)
        (void) putchar(',');
    first = false;
    if (key == NULL)
        return;
    put_quoted(key);
    (void) putchar(':');
}

void json_open(const char *key, char bracket)
{
    put_key(key);
    (void) putchar(bracket);
    first = true;
}

void json_close(char bracket)
{
    (void) putchar(bracket);
    first = false;
}

void json_text(const char *key, const char *value)
{
    put_key(key);
    if (value == NULL)
        (void) fputs("null", stdout);
    else
        put_quoted(value);
}

void json_number(const char *key, int64_t value)
{
    put_key(key);
    (void) printf("%lld", (long long) value);
}

void json_unsigned(const char *key, uint64_t value)
{
    put_key(key);
    (void) printf("%llu", (unsigned long long) value);
}

void json_bool(const char *key, bool value)
{
    put_key(key);
    (void) fputs(value ? "true" : "false", stdout);
}

void json_printf(const char *key, const char *format, ...)
{
    char text[4096];
    va_list list;

    va_start(list, format);
    (void) vsnprintf(text, sizeof text, format, list);
    va_end(list);
    json_text(key, text);
}

void json_errno(const char *key, int error)
{
    const char *name = error == 0 ? "ok" : strerrorname_np(error);

    if (name != NULL)
        json_text(key, name);
    else
        json_printf(key, "errno %d", error);
}

void json_words(const char *key, char *text, const char *separators)
{
    char *save = NULL;

    json_open(key, '[');
    for (char *word = strtok_r(text, separators, &save); word != NULL;
         word = strtok_r(NULL, separators, &save))
        json_text(NULL, word);
    json_close(']');
}

void json_finish(void)
{
    (void) putchar('\n');
    (void) fflush(stdout);
}
