/* SPDX-License-Identifier: BSD-2-Clause */
/* jansson without secrets in freed memory. */
#ifndef KSA_JSON_WIPE_H
#define KSA_JSON_WIPE_H

/*
 * From now on jansson wipes memory before it frees it, in the whole process. Call it once, in main(), before
 * anything uses jansson and before any thread. Not for the PAM module: the process belongs to the host
 * program.
 */
void ksa_json_wipes(void);

#endif
