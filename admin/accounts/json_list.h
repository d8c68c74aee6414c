/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A list of an API server's objects. A tenant that can write to one of them writes into the response about
 * all of them, and managedFields nest as deep as the tenant likes. They must not make the list unreadable.
 */
#ifndef KSA_JSON_LIST_H
#define KSA_JSON_LIST_H

#include <jansson.h>
#include <stddef.h>

#include "base/error.h"

/* As ksa_json_load_document(), but arrays that are called managedFields come out empty. */
enum ksa_reason ksa_json_load_list(const char *bytes, size_t length, json_t **ret_list,
                                   struct ksa_error *err) KSA_MUST_CHECK;

#endif
