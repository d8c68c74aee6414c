/* SPDX-License-Identifier: BSD-2-Clause */
#include "admin/base/json_wipe.h"

#include <jansson.h>
#include <malloc.h>
#include <stdlib.h>

#include "base/secret.h"

static void wipe_and_free(void *bytes)
{
        ksa_secret_wipe(bytes, malloc_usable_size(bytes));
        free(bytes);
}

void ksa_json_wipes(void)
{
        json_set_alloc_funcs(malloc, wipe_and_free);
}
