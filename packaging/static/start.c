/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Linked into the static ksa-token alone, by packaging/build-static. glibc and OpenSSL can load shared
 * libraries into a static program: NSS modules that nsswitch.conf names, providers that openssl.cnf
 * names. Those of a container image are built for the libc of the image, and not for this one.
 */
#include <nss.h>
#include <openssl/crypto.h>

__attribute__((constructor)) static void load_no_library(void)
{
        /* glibc contains both (since 2.34). */
        (void)__nss_configure_lookup("hosts", "files dns");
        (void)OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
}
