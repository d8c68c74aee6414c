/* SPDX-License-Identifier: BSD-2-Clause */
/* JSON that leaves nothing behind, for a program that reads secrets in it. */
#ifndef KSA_JSON_WIPE_H
#define KSA_JSON_WIPE_H

/*
 * From now on jansson wipes what it frees, in the whole process: for the main() of a program of
 * ours, once, before anything uses jansson and before any thread. Never for the PAM module, whose
 * process is somebody else's.
 */
void ksa_json_wipes(void);

#endif
