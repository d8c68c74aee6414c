/* SPDX-License-Identifier: BSD-2-Clause */
#include "progress.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "output.h"

/* Milliseconds until the line appears, and between two texts. */
#define FIRST 1000
#define NEXT  200

/* In a thread of its own, because the others wait for the network. */
static void *show(void *context)
{
        struct progress *progress = context;
        struct pollfd end = {.fd = progress->ends[0], .events = POLLIN};
        int wait = FIRST;

        while (poll(&end, 1, wait) == 0) {
                (void)pthread_mutex_lock(&progress->mutex);
                if (*progress->text != '\0') {
                        (void)fprintf(stderr, "\r%s\x1b[K", progress->text);
                        progress->shown = true;
                }
                (void)pthread_mutex_unlock(&progress->mutex);
                wait = NEXT;
        }
        return NULL;
}

void progress_begin(struct progress *progress)
{
        sigset_t all, before;

        *progress = (struct progress){.runs = false};
        if (!is_screen(STDERR_FILENO) || pthread_mutex_init(&progress->mutex, NULL) != 0)
                return;
        if (pipe2(progress->ends, O_CLOEXEC) != 0)
                return;
        /* Signals stay with the thread that may block them. */
        (void)sigfillset(&all);
        (void)pthread_sigmask(SIG_SETMASK, &all, &before);
        progress->runs = pthread_create(&progress->thread, NULL, show, progress) == 0;
        (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
        if (!progress->runs) {
                (void)close(progress->ends[0]);
                (void)close(progress->ends[1]);
        }
}

void progress_end(struct progress *progress)
{
        if (!progress->runs)
                return;
        progress_hide(progress);
        while (write(progress->ends[1], "", 1) < 0)
                continue;
        (void)pthread_join(progress->thread, NULL);
        (void)close(progress->ends[0]);
        (void)close(progress->ends[1]);
        progress->runs = false;
}

void progress_say(struct progress *progress, const char *format, ...)
{
        va_list values;

        if (!progress->runs)
                return;
        (void)pthread_mutex_lock(&progress->mutex);
        va_start(values, format);
        (void)vsnprintf(progress->text, sizeof(progress->text), format, values);
        va_end(values);
        (void)pthread_mutex_unlock(&progress->mutex);
}

void progress_hide(struct progress *progress)
{
        if (!progress->runs)
                return;
        (void)pthread_mutex_lock(&progress->mutex);
        if (progress->shown)
                (void)fputs("\r\x1b[K", stderr);
        progress->shown = false;
        progress->text[0] = '\0';
        (void)pthread_mutex_unlock(&progress->mutex);
}
