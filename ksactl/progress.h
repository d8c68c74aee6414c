/* SPDX-License-Identifier: BSD-2-Clause */
/* A line on the terminal about work that takes longer than a second. */
#ifndef KSACTL_PROGRESS_H
#define KSACTL_PROGRESS_H

#include <pthread.h>
#include <stdbool.h>

#include "base/macros.h"

#define PROGRESS_SIZE 79 /* of the text, which must fit into one line */

struct progress {
        bool runs; /* false: nothing is shown */
        pthread_t thread;
        pthread_mutex_t mutex;
        int ends[2];              /* of a pipe that ends the thread */
        bool shown;               /* the line is on the terminal */
        char text[PROGRESS_SIZE]; /* "" for nothing */
};

/* Starts to show it if standard error is a terminal that can erase a line. Always progress_end() it. */
void progress_begin(struct progress *progress);
void progress_end(struct progress *progress);

/* The text from now on. */
void progress_say(struct progress *progress, const char *format, ...) KSA_PRINTF(2, 3);

/* Erases the line, so that others can be printed, until the next text. */
void progress_hide(struct progress *progress);

#endif
