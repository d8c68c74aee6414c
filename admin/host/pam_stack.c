/* SPDX-License-Identifier: BSD-2-Clause */
/* The reader; pam_dispatch.c has what libpam does with the list. */
#include "admin/host/pam_stack.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/text.h"

#define SPACE     " \t\n"
#define FILE_MAX  1048576L
#define ANY_PHASE KSA_PAM_PHASE_COUNT
#define UNSET     INT_MIN

static const char *const code_names[] = {
#define X(identifier, name) name,
        KSA_PAM_CODES(X)
#undef X
                "default",
};

/* By the negative of ksa_pam_action. */
static const char *const action_names[] = {"ignore", "ok", "done", "bad", "die", "reset"};

static const char *const phase_names[KSA_PAM_PHASE_COUNT] = {
        [KSA_PAM_AUTH] = "auth",
        [KSA_PAM_ACCOUNT] = "account",
        [KSA_PAM_PASSWORD] = "password",
        [KSA_PAM_SESSION] = "session",
};

static const struct {
        const char *name;
        int success, others; /* PAM_IGNORE is ignored */
} simple_controls[] = {
        {"required", KSA_PAM_DO_OK, KSA_PAM_DO_BAD},
        {"requisite", KSA_PAM_DO_OK, KSA_PAM_DO_DIE},
        {"optional", KSA_PAM_DO_OK, KSA_PAM_DO_IGNORE},
        {"sufficient", KSA_PAM_DO_DONE, KSA_PAM_DO_IGNORE},
};

/* A line of a file, with its continuations. */
struct line {
        const char *file;
        unsigned number;
        char *rest; /* the words that have not been taken */
};

/* What is read, of one service. */
struct reading {
        const char *root;
        struct ksa_pam_stack *stack;
        bool is_other, is_full, out_of_memory;
};

/* How far in. */
struct place {
        enum ksa_pam_phase wanted; /* ANY_PHASE, or the only phase that an include takes */
        unsigned includes, level;
};

static bool read_service(struct reading *reading, const char *name, struct place place);

/* --- Lists ---------------------------------------------------------------------- */

static char *own(struct reading *reading, char *text)
{
        char **next = text != NULL ? ksa_list_next(&reading->stack->texts, sizeof(char *)) : NULL;

        if (next == NULL) {
                free(text);
                reading->out_of_memory = true;
                return NULL;
        }
        *next = text;
        reading->stack->texts.count++;
        return text;
}

static void add_problem(struct reading *reading, const struct line *line, const char *format, ...)
        KSA_PRINTF(3, 4);
static void add_problem(struct reading *reading, const struct line *line, const char *format, ...)
{
        struct ksa_pam_problem *problem =
                ksa_list_next(&reading->stack->problems, sizeof(struct ksa_pam_problem));
        va_list arguments;

        if (problem == NULL) {
                reading->out_of_memory = true;
                return;
        }
        *problem = (struct ksa_pam_problem){line->file, line->number, ""};
        va_start(arguments, format);
        (void)vsnprintf(problem->text, sizeof(problem->text), format, arguments);
        va_end(arguments);
        reading->stack->problems.count++;
}

/* Adds ENTRY, and returns where it is until the next is added. */
static struct ksa_pam_entry *add_entry(struct reading *reading, const struct line *line,
                                       const struct ksa_pam_entry *entry)
{
        struct ksa_list *entries = &reading->stack->entries;
        struct ksa_pam_entry *next;

        if (entries->count >= KSA_PAM_ENTRIES_MAX) {
                if (!reading->is_full)
                        add_problem(reading, line, "more than %d modules", KSA_PAM_ENTRIES_MAX);
                reading->is_full = true;
                return NULL;
        }
        next = ksa_list_next(entries, sizeof(struct ksa_pam_entry));
        if (next == NULL) {
                reading->out_of_memory = true;
                return NULL;
        }
        *next = *entry;
        next->is_other = reading->is_other;
        next->file = line->file;
        next->line = line->number;
        entries->count++;
        return next;
}

/* --- Words ---------------------------------------------------------------------- */

/* [...] is one word, without its brackets; \] is a bracket in it. NULL at the end of the line. */
static char *next_word(char **rest)
{
        char *begin = *rest + strspn(*rest, SPACE), *end, *to;

        if (*begin == '\0')
                return NULL;
        if (*begin != '[') {
                end = to = begin + strcspn(begin, SPACE);
        } else {
                for (end = to = ++begin; *end != '\0' && *end != ']'; end++) {
                        if (end[0] == '\\' && end[1] == ']')
                                end++;
                        *to++ = *end;
                }
        }
        *rest = *end != '\0' ? end + 1 : end;
        *to = '\0';
        return begin;
}

/* The position of the name that TEXT begins with, which is then skipped; or COUNT. */
static size_t skip_name(const char *const *names, size_t count, const char **text)
{
        for (size_t i = 0; i < count; i++) {
                if (strncmp(names[i], *text, strlen(names[i])) == 0) {
                        *text += strlen(names[i]);
                        return i;
                }
        }
        return count;
}

static void skip_space(const char **text)
{
        while (isspace((unsigned char)**text))
                (*text)++;
}

static void fill(int actions[KSA_PAM_CODE_COUNT], int old, int new)
{
        for (size_t i = 0; i < KSA_PAM_CODE_COUNT; i++) {
                if (actions[i] == old)
                        actions[i] = new;
        }
}

static bool take_action(const char **text, int *ret_action)
{
        size_t name = skip_name(action_names, KSA_COUNT(action_names), text);
        long skipped = 0;

        if (name < KSA_COUNT(action_names)) {
                *ret_action = -(int)name;
                return true;
        }
        for (; **text >= '0' && **text <= '9' && skipped <= KSA_PAM_ENTRIES_MAX; (*text)++)
                skipped = skipped * 10 + (**text - '0');
        *ret_action = (int)skipped;
        return skipped > 0 && skipped <= KSA_PAM_ENTRIES_MAX;
}

/* code=action pairs, of which `default` means the codes that are not set before it. */
static bool parse_pairs(const char *text, int actions[KSA_PAM_CODE_COUNT])
{
        for (skip_space(&text); *text != '\0'; skip_space(&text)) {
                size_t code = skip_name(code_names, KSA_COUNT(code_names), &text);
                int action;

                skip_space(&text);
                if (code == KSA_COUNT(code_names) || *text != '=')
                        return false;
                text++;
                skip_space(&text);
                if (!take_action(&text, &action))
                        return false;
                if (code == KSA_PAM_CODE_COUNT)
                        fill(actions, UNSET, action);
                else
                        actions[code] = action;
        }
        return true;
}

/* False, and actions that let the stack fail, for a control that libpam refuses. */
static bool parse_control(const char *text, int actions[KSA_PAM_CODE_COUNT])
{
        bool is_valid = true;

        for (size_t i = 0; i < KSA_PAM_CODE_COUNT; i++)
                actions[i] = UNSET;
        for (size_t i = 0; i < KSA_COUNT(simple_controls); i++) {
                if (strcasecmp(text, simple_controls[i].name) != 0)
                        continue;
                fill(actions, UNSET, simple_controls[i].others);
                actions[KSA_PAM_SUCCESS] = simple_controls[i].success;
                actions[KSA_PAM_NEW_AUTHTOK_REQD] = simple_controls[i].success;
                actions[KSA_PAM_IGNORE] = KSA_PAM_DO_IGNORE;
                return true;
        }
        is_valid = parse_pairs(text, actions);
        for (size_t i = 0; i < KSA_PAM_CODE_COUNT; i++) {
                if (!is_valid || actions[i] == UNSET)
                        actions[i] = KSA_PAM_DO_BAD;
        }
        return is_valid;
}

/* --- A line ----------------------------------------------------------------------- */

/* For a line that libpam refuses: an entry that fails, in each phase that the line could be of. */
static void refuse(struct reading *reading, const struct line *line, const struct place *place,
                   enum ksa_pam_phase phase)
{
        struct ksa_pam_entry entry = {.level = place->level};

        (void)parse_control("required", entry.actions);
        for (int i = 0; i < KSA_PAM_PHASE_COUNT; i++) {
                entry.phase = (enum ksa_pam_phase)i;
                if (phase == entry.phase || phase == ANY_PHASE)
                        (void)add_entry(reading, line, &entry);
        }
}

static void include(struct reading *reading, const struct line *line, const struct place *place,
                    enum ksa_pam_phase phase, bool is_substack)
{
        char quoted[KSA_VERIFIED_SIZE], *rest = line->rest, *name = next_word(&rest);
        const struct ksa_pam_entry head = {
                .phase = phase, .level = place->level, .is_substack = true};
        const struct place inside = {phase, place->includes + 1, place->level + is_substack};

        if (is_substack)
                (void)add_entry(reading, line, &head);
        if (name != NULL && inside.includes < KSA_PAM_LEVELS_MAX && !reading->out_of_memory &&
            read_service(reading, name, inside))
                return;
        if (name == NULL)
                add_problem(reading, line, "the name of the file to include is missing");
        else if (inside.includes >= KSA_PAM_LEVELS_MAX)
                add_problem(reading, line, "more than %d includes within each other",
                            KSA_PAM_LEVELS_MAX);
        else
                add_problem(reading, line, "cannot include \"%s\"",
                            ksa_text_quote(name, quoted, sizeof(quoted)));
        refuse(reading, line, place, phase);
}

static void take_module(struct reading *reading, struct line *line, const struct place *place,
                        enum ksa_pam_phase phase, const char *control)
{
        struct ksa_pam_entry entry = {.phase = phase, .level = place->level}, *added;
        char quoted[KSA_VERIFIED_SIZE];

        if (!parse_control(control, entry.actions))
                add_problem(reading, line, "invalid control \"%s\"",
                            ksa_text_quote(control, quoted, sizeof(quoted)));
        entry.module = next_word(&line->rest);
        if (entry.module == NULL)
                add_problem(reading, line, "the module is missing");
        added = add_entry(reading, line, &entry);
        while (added != NULL) {
                char *word = next_word(&line->rest), **argument;

                if (word == NULL)
                        return;
                argument = ksa_list_next(&added->arguments, sizeof(char *));
                if (argument == NULL) {
                        reading->out_of_memory = true;
                        return;
                }
                *argument = word;
                added->arguments.count++;
        }
}

static enum ksa_pam_phase find_phase(const char *name)
{
        int i = 0;

        while (i < KSA_PAM_PHASE_COUNT && strcasecmp(phase_names[i], name) != 0)
                i++;
        return (enum ksa_pam_phase)i;
}

static void take_line(struct reading *reading, struct line *line, const struct place *place)
{
        enum ksa_pam_phase most_sensitive =
                place->wanted != ANY_PHASE ? place->wanted : KSA_PAM_AUTH;
        char quoted[KSA_VERIFIED_SIZE], *name = next_word(&line->rest), *control;
        enum ksa_pam_phase phase;

        if (name == NULL)
                return;
        if (strcasecmp(name, "@include") == 0) {
                include(reading, line, place, place->wanted, false);
                return;
        }
        phase = find_phase(name + (*name == '-'));
        if (phase == ANY_PHASE) {
                add_problem(reading, line, "unknown type \"%s\"",
                            ksa_text_quote(name, quoted, sizeof(quoted)));
                refuse(reading, line, place, most_sensitive);
                return;
        }
        if (place->wanted != ANY_PHASE && phase != place->wanted)
                return;
        control = next_word(&line->rest);
        if (control == NULL) {
                add_problem(reading, line, "the control is missing");
                refuse(reading, line, place, phase);
        } else if (strcasecmp(control, "include") == 0) {
                include(reading, line, place, phase, false);
        } else if (strcasecmp(control, "substack") == 0) {
                include(reading, line, place, phase, true);
        } else {
                take_module(reading, line, place, phase, control);
        }
}

/* --- A file ----------------------------------------------------------------------- */

/* Appends the text of a line to *ASSEMBLED. Returns whether the next line of the file continues it. */
static bool append(struct reading *reading, const struct line *line, char **assembled, char *text)
{
        char *begin = text + strspn(text, SPACE), *longer;
        size_t comment = strcspn(begin, "#"), length = comment;
        bool is_continued = false;

        if (begin[comment] == '\0') {
                while (length > 0 && strchr(SPACE, begin[length - 1]) != NULL)
                        length--;
                is_continued = length > 0 && begin[length - 1] == '\\';
                if (is_continued)
                        begin[length - 1] = ' ';
        }
        if (comment == 0) {
                /* It ends the line in libpam 1.7, not in 1.5. */
                if (*assembled != NULL)
                        add_problem(reading, line,
                                    "an empty line or a comment follows a backslash");
                return false;
        }
        if (asprintf(&longer, "%s%.*s", *assembled != NULL ? *assembled : "", (int)length, begin) <
            0) {
                reading->out_of_memory = true;
                return false;
        }
        free(*assembled);
        *assembled = longer;
        return is_continued;
}

static void read_lines(struct reading *reading, FILE *file, const char *path,
                       const struct place *place)
{
        struct line line = {.file = path};
        char *text = NULL, *assembled = NULL;
        size_t size = 0;
        unsigned number = 0;

        while (!reading->out_of_memory && !reading->is_full && getline(&text, &size, file) >= 0) {
                number++;
                if (assembled == NULL)
                        line.number = number;
                if (append(reading, &line, &assembled, text) || assembled == NULL)
                        continue;
                line.rest = own(reading, assembled);
                assembled = NULL;
                if (line.rest != NULL)
                        take_line(reading, &line, place);
        }
        if (assembled != NULL) {
                add_problem(reading, &line, "the file ends after a backslash");
                refuse(reading, &line, place, place->wanted);
        }
        free(text);
        free(assembled);
}

/* Opens the file that libpam reads for NAME. NULL and errno without one. */
static FILE *open_service(struct reading *reading, const char *name, const char **ret_path)
{
        static const char *const directories[] = {"/etc/pam.d/", "/usr/lib/pam.d/",
                                                  "/usr/etc/pam.d/"};
        size_t count = *name == '/' ? 1 : KSA_COUNT(directories);

        for (size_t i = 0; i < count; i++) {
                char *path = NULL;
                struct stat status;

                if (asprintf(&path, "%s%s%s", reading->root, *name == '/' ? "" : directories[i],
                             name) < 0)
                        path = NULL;
                *ret_path = own(reading, path);
                if (*ret_path == NULL)
                        return NULL;
                if (stat(*ret_path, &status) == 0) {
                        errno = EINVAL;
                        return S_ISREG(status.st_mode) && status.st_size <= FILE_MAX
                                       ? fopen(*ret_path, "re")
                                       : NULL;
                }
        }
        return NULL;
}

/* False if there is no such file, or it cannot be read. */
static bool read_service(struct reading *reading, const char *name, struct place place)
{
        const char *path;
        FILE *file = open_service(reading, name, &path);

        if (file == NULL)
                return false;
        if (reading->stack->file == NULL)
                reading->stack->file = path;
        read_lines(reading, file, path, &place);
        (void)fclose(file);
        return true;
}

enum ksa_reason ksa_pam_stack_read(const char *root, const char *service,
                                   struct ksa_pam_stack *ret_stack, struct ksa_error *err)
{
        struct ksa_pam_stack stack = {.entries = {0}};
        struct reading reading = {.root = root, .stack = &stack};
        const struct place top = {.wanted = ANY_PHASE};

        bool found = read_service(&reading, service, top);
        int error = errno;
        reading.is_other = true;
        if (found)
                (void)read_service(&reading, "other", top);
        if (found && !reading.out_of_memory) {
                *ret_stack = stack;
                return KSA_OK;
        }
        ksa_pam_stack_free(&stack);
        if (reading.out_of_memory)
                return ksa_fail(err, KSA_MEMORY, "out of memory");
        if (error == ENOENT || error == ENOTDIR)
                return ksa_fail(err, KSA_FILE_MISSING, "there is no %s/etc/pam.d/%s", root,
                                service);
        return ksa_fail(err, KSA_FILE_UNREADABLE, "cannot read %s/etc/pam.d/%s: %s", root, service,
                        strerror(error));
}

void ksa_pam_stack_free(struct ksa_pam_stack *stack)
{
        struct ksa_pam_entry *entries = stack->entries.items;

        for (size_t i = 0; i < stack->entries.count; i++)
                free(entries[i].arguments.items);
        for (size_t i = 0; i < stack->texts.count; i++)
                free(((char **)stack->texts.items)[i]);
        free(stack->entries.items);
        free(stack->problems.items);
        free(stack->texts.items);
        *stack = (struct ksa_pam_stack){.entries = {0}};
}

size_t ksa_pam_stack_phase(const struct ksa_pam_stack *stack, enum ksa_pam_phase phase,
                           const struct ksa_pam_entry *ret_chain[KSA_PAM_ENTRIES_MAX])
{
        const struct ksa_pam_entry *entries = stack->entries.items;
        size_t count = 0;

        /* Those of `other` come last. */
        for (size_t i = 0; i < stack->entries.count; i++) {
                if (entries[i].phase == phase &&
                    (!entries[i].is_other || count == 0 || ret_chain[0]->is_other))
                        ret_chain[count++] = &entries[i];
        }
        return count;
}

const char *ksa_pam_code_name(enum ksa_pam_code code)
{
        return code_names[code];
}

bool ksa_pam_entry_is(const struct ksa_pam_entry *entry, const char *name)
{
        const char *slash = entry->module != NULL ? strrchr(entry->module, '/') : NULL;

        return entry->module != NULL &&
               strcmp(slash != NULL ? slash + 1 : entry->module, name) == 0;
}
