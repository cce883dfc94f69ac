/* The `bootstrap` of a zip that brings its own C library: starts PROGRAM in the folder lib beside it, and is gone.
   PROGRAM names its loader relative to that folder's parent, so that this has to be the current one; and the libraries have
   to be the loader's, while Lambda's LD_LIBRARY_PATH leads to the system's. Built without a shared library. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#ifndef PROGRAM
#error "define PROGRAM, the file in lib/"
#endif

static int fail(const char *what) {
    fprintf(stderr, "bootstrap: %s: %s\n", what, strerror(errno));
    return 127;
}

int main(int count, char **arguments) {
    char folder[4096];
    (void)count;
    if (snprintf(folder, sizeof folder, "%s", (const char *)getauxval(AT_EXECFN)) >= (int)sizeof folder - 8) {
        errno = ENAMETOOLONG;
        return fail("own path");
    }
    char *slash = strrchr(folder, '/');
    if (slash) {
        slash[1] = 0;
        if (chdir(folder) != 0) return fail(folder);
    }
    if (!getcwd(folder, sizeof folder - 8)) return fail("current folder");
    strcat(folder, "/lib");
    if (setenv("LD_LIBRARY_PATH", folder, 1) != 0) return fail("LD_LIBRARY_PATH");
    execv("lib/" PROGRAM, arguments);
    return fail("lib/" PROGRAM);
}
