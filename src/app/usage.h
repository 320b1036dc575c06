/* usage: what a program says when it was called in a way that it does not understand: the words it was given, then how
 * it is called. Printed to stderr; the exit code is 2, as everywhere. */
#ifndef APP_USAGE_H
#define APP_USAGE_H

#include <stdio.h>

/* argv[0] is the name of the verb or noun. Returns the exit code. */
static inline int usage_refuse(const char *program, int argc, char **argv, const char *text)
{
    fprintf(stderr, "%s: cannot make sense of:", program);
    for (int i = 1; i < argc; i++)
        fprintf(stderr, " %s", argv[i]);
    fprintf(stderr, "%s\n\n%s", argc < 2 ? " no arguments at all" : "", text);
    return 2;
}

#endif
