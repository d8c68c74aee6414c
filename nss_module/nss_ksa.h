/* SPDX-License-Identifier: BSD-2-Clause */
/* The entry points of the NSS module (glibc manual, "NSS Module Function Internals"). */
#ifndef KSA_NSS_KSA_H
#define KSA_NSS_KSA_H

#include <grp.h>
#include <nss.h>
#include <pwd.h>
#include <stddef.h>
#include <sys/types.h>

#define KSA_EXPORT __attribute__((visibility("default")))

enum nss_status _nss_ksa_getpwnam_r(const char *name, struct passwd *ret_user, char *buffer,
                                    size_t size, int *errnop);
enum nss_status _nss_ksa_getpwuid_r(uid_t uid, struct passwd *ret_user, char *buffer, size_t size,
                                    int *errnop);
enum nss_status _nss_ksa_setpwent(int stay_open);
enum nss_status _nss_ksa_getpwent_r(struct passwd *ret_user, char *buffer, size_t size,
                                    int *errnop);
enum nss_status _nss_ksa_endpwent(void);

enum nss_status _nss_ksa_getgrnam_r(const char *name, struct group *ret_group, char *buffer,
                                    size_t size, int *errnop);
enum nss_status _nss_ksa_getgrgid_r(gid_t gid, struct group *ret_group, char *buffer, size_t size,
                                    int *errnop);
enum nss_status _nss_ksa_setgrent(int stay_open);
enum nss_status _nss_ksa_getgrent_r(struct group *ret_group, char *buffer, size_t size,
                                    int *errnop);
enum nss_status _nss_ksa_endgrent(void);
enum nss_status _nss_ksa_initgroups_dyn(const char *name, gid_t primary, long *start, long *size,
                                        gid_t **groupsp, long limit, int *errnop);

#endif
