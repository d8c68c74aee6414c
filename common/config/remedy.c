/* SPDX-License-Identifier: BSD-2-Clause */
#include "config/remedy.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "config/value.h"

/* Longer values are not repeated in a remedy. */
enum { VALUE_MAX = 160 };

#define REMEDY(name)                                                                \
        void name(const struct ksa_remedy_context *context __attribute__((unused)), \
                  const char *value __attribute__((unused)), char out[KSA_REMEDY_MAX + 1])

static void say(char out[KSA_REMEDY_MAX + 1], const char *format, ...) KSA_PRINTF(2, 3);

static void say(char out[KSA_REMEDY_MAX + 1], const char *format, ...)
{
        va_list arguments;

        va_start(arguments, format);
        (void)vsnprintf(out, KSA_REMEDY_MAX + 1, format, arguments);
        va_end(arguments);
}

/* Copies TEXT in lower case. False if it is too long to be repeated. */
static bool copy_lower(const char *text, char out[VALUE_MAX + 1])
{
        size_t length = strlen(text);

        if (length > VALUE_MAX)
                return false;
        for (size_t i = 0; i <= length; i++)
                out[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] - 'A' + 'a' : text[i]);
        return true;
}

static bool begins(const char *text, const char *prefix)
{
        return strncasecmp(text, prefix, strlen(prefix)) == 0;
}

/* --- Accounts --------------------------------------------------------------- */

/* The parts of an account, as they should be typed. */
struct account {
        const char *cluster, *namespace, *name;
        bool is_starred; /* a part had "*" next to other characters */
};

static const char *only_cluster(const struct ksa_config *config)
{
        return config->counts[KSA_SECTION_CLUSTER] == 1 ? config->clusters[0].name : "CLUSTER";
}

/* PART as "*" if it has one next to other characters. */
static const char *whole(const char *part, struct account *account)
{
        if (strchr(part, '*') == NULL || strcmp(part, "*") == 0)
                return part;
        account->is_starred = true;
        return "*";
}

static bool is_part(const char *part, bool (*is_valid)(const char *text))
{
        return strcmp(part, "*") == 0 || strcmp(part, "NAMESPACE") == 0 || is_valid(part);
}

/* Takes TEXT apart, in lower case except for the cluster. False if that is not possible. */
static bool split_account(const struct ksa_config *config, const char *value, char *text,
                          struct account *ret_account)
{
        bool has_colon = strchr(text, ':') != NULL;
        char first[VALUE_MAX + 1], *parts[3], *state = NULL;
        size_t count = 0;

        for (char *part = strtok_r(text, ":/", &state); part != NULL;
             part = strtok_r(NULL, ":/", &state)) {
                if (count == KSA_COUNT(parts))
                        return false;
                parts[count++] = part;
        }
        if (count == 0)
                return false;
        *ret_account = (struct account){only_cluster(config), "NAMESPACE", parts[count - 1], false};
        (void)snprintf(first, sizeof(first), "%.*s", (int)strlen(parts[0]),
                       value + (parts[0] - text));
        if (count == 3 || (count == 2 && has_colon &&
                           ksa_config_find(config, KSA_SECTION_CLUSTER, first) != NULL)) {
                memcpy(parts[0], first, strlen(first)); /* the name of a cluster keeps its case */
                if (ksa_is_section_name(parts[0]))
                        ret_account->cluster = parts[0];
                if (count == 3)
                        ret_account->namespace = parts[1];
        } else if (count == 2) {
                ret_account->namespace = parts[0];
        }
        ret_account->namespace = whole(ret_account->namespace, ret_account);
        ret_account->name = whole(ret_account->name, ret_account);
        return is_part(ret_account->namespace, ksa_is_dns_label) &&
               is_part(ret_account->name, ksa_is_dns_subdomain);
}

REMEDY(ksa_remedy_account)
{
        static const char *const subjects[] = {"system:serviceaccount:", "system:serviceaccounts:"};
        char text[VALUE_MAX + 1];
        struct account account;
        bool is_group = begins(value, subjects[1]);

        for (size_t i = 0; i < KSA_COUNT(subjects); i++) {
                if (begins(value, subjects[i]))
                        value += strlen(subjects[i]);
        }
        if (is_group)
                say(out, "write %s:%.63s/*", only_cluster(context->config), value);
        else if (!copy_lower(value, text) || !split_account(context->config, value, text, &account))
                say(out, "write CLUSTER:NAMESPACE/NAME, with the names that kubectl get "
                         "serviceaccounts -A prints");
        else if (account.is_starred)
                say(out, "\"*\" stands for a whole name: write %s:%s/%s, or list the accounts",
                    account.cluster, account.namespace, account.name);
        else
                say(out, "write %s:%s/%s", account.cluster, account.namespace, account.name);
}

REMEDY(ksa_remedy_namespace)
{
        char text[VALUE_MAX + 1];

        if (strchr(value, '*') != NULL)
                say(out, "list the namespaces; \"*\" alone stands for all of them");
        else if (copy_lower(value, text) && ksa_is_dns_label(text))
                say(out, "write %s", text);
        else
                say(out, "write the names that kubectl get namespaces prints");
}

/* --- Words ------------------------------------------------------------------ */

/* What people write for yes and no. */
static const char *const yes_words[] = {"yes", "true", "1", "on", "y", "enable", "enabled"};
static const char *const no_words[] = {"no", "false",   "0",        "off",
                                       "n",  "disable", "disabled", "none"};

static bool is_one_of(const char *const *words, size_t count, const char *value)
{
        for (size_t i = 0; i < count; i++) {
                if (strcasecmp(words[i], value) == 0)
                        return true;
        }
        return false;
}

REMEDY(ksa_remedy_choice)
{
        struct ksa_near near = {.text = value};
        char words[VALUE_MAX + 1], *state = NULL;

        if (strcmp(context->syntax, "yes | no") == 0 &&
            is_one_of(yes_words, KSA_COUNT(yes_words), value)) {
                say(out, "write yes");
                return;
        }
        if (strcmp(context->syntax, "yes | no") == 0 &&
            is_one_of(no_words, KSA_COUNT(no_words), value)) {
                say(out, "write no");
                return;
        }
        (void)snprintf(words, sizeof(words), "%s", context->syntax);
        for (char *word = strtok_r(words, " |", &state); word != NULL;
             word = strtok_r(NULL, " |", &state))
                ksa_near_try(&near, word);
        if (near.name != NULL)
                say(out, "write %s", near.name);
        else
                say(out, "write one of: %s", context->syntax);
}

REMEDY(ksa_remedy_characters)
{
        say(out, "write only these characters: %s", context->allowed);
}

/* --- Users and services ----------------------------------------------------- */

REMEDY(ksa_remedy_user)
{
        if (strcmp(value, "*") == 0)
                say(out, "list the users; @own is the user that ksa creates for the account");
        else if ((value[0] == '@' || value[0] == '%' || value[0] == '+') && ksa_is_user(value + 1))
                say(out, "list the users of the group: ksa does not read groups");
        else
                say(out, "write a name of /etc/passwd or /etc/group");
}

REMEDY(ksa_remedy_service)
{
        const char *last = strrchr(value, '/');

        if (last != NULL && ksa_is_service(last + 1))
                say(out, "write %s", last + 1);
        else
                say(out, "list PAM services, such as sshd sudo: names of files in /etc/pam.d");
}

/* --- Host names and audiences ----------------------------------------------- */

REMEDY(ksa_remedy_host_name)
{
        const char *scheme = strstr(value, "://");
        char text[VALUE_MAX + 1];

        if (!copy_lower(scheme != NULL ? scheme + 3 : value, text))
                text[0] = '\0';
        text[strcspn(text, ":/")] = '\0';
        if (ksa_is_dns_subdomain(text))
                say(out, "write %s", text);
        else
                say(out, "write a name of lower-case letters, digits, hyphens and dots");
}

REMEDY(ksa_remedy_audience)
{
        if (strchr(value, '%') != NULL)
                say(out, "write ssh://%%H for the host name, or ssh://%%h for its first part");
        else
                say(out, "write an audience such as ssh://build-7");
}

/* --- Paths and URLs --------------------------------------------------------- */

REMEDY(ksa_remedy_path)
{
        const char *path = strchr(value, '/');

        if (begins(value, "file:") && path != NULL && strlen(path) <= VALUE_MAX) {
                path += strspn(path, "/") - 1;
                if (ksa_is_path(path)) {
                        say(out, "write %s", path);
                        return;
                }
        }
        say(out, value[0] == '/' ? "rename the file; a path takes only letters, digits, and "
                                   "/ _ . - + @ : = ~ %%"
                                 : "write the whole path, from / on");
}

/* VALUE without its scheme, if any. */
static const char *after_scheme(const char *value)
{
        const char *scheme = strstr(value, "://");

        return scheme != NULL ? scheme + 3 : value;
}

/* A password before the host is not repeated. */
static bool may_repeat(const char *value)
{
        return strchr(value, '@') == NULL && strlen(value) <= VALUE_MAX && *value != '\0' &&
               ksa_is_uri(value);
}

REMEDY(ksa_remedy_url)
{
        const char *rest = after_scheme(value);
        bool is_proxy = strstr(context->syntax, "http://") != NULL;
        bool has_scheme = rest != value;

        if (is_proxy && has_scheme && !begins(value, "http"))
                say(out, "name a proxy with http:// or https://; SOCKS is not supported");
        else if (may_repeat(rest))
                say(out, "write %s://%s", is_proxy && !begins(value, "https://") ? "http" : "https",
                    rest);
        else
                say(out, "write %s", context->syntax);
}

REMEDY(ksa_remedy_keys)
{
        bool takes_url = strstr(context->syntax, "https://") != NULL;
        const char *path = begins(value, "file:") ? value + 5 : value;
        struct ksa_near near = {.text = value};

        ksa_near_try(&near, "api");
        if (takes_url)
                ksa_near_try(&near, "discover");
        if (near.name != NULL)
                say(out, "write %s", near.name);
        else if (takes_url && begins(value, "http") && may_repeat(after_scheme(value)))
                say(out, "write https://%s", after_scheme(value));
        else if (ksa_is_path(path) && strlen(path) <= VALUE_MAX)
                say(out, "write file:%s", path);
        else if (path != value || strchr(value, '.') != NULL)
                say(out, "write file: and the whole path, from / on");
        else
                say(out, "write one of: %s", context->syntax);
}
