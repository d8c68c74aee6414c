/* SPDX-License-Identifier: BSD-2-Clause */
#include "certificate.h"

/* The part of a certificate that may be shown: its subject and its period of validity. */
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/secret.h"
#include "base/text.h"

/* The limit that api.c has for trust anchors. */
#define CERTIFICATE_MAX ((size_t)512 * 1024)

static bool seconds_of(const ASN1_TIME *when, int64_t *ret_seconds)
{
        struct tm parts;

        if (ASN1_TIME_to_tm(when, &parts) != 1)
                return false;
        *ret_seconds = (int64_t)timegm(&parts);
        return true;
}

/* The subject is quoted, because the signer chose it. */
static bool subject_of(const X509 *certificate, char *out, size_t size)
{
        BIO *text = BIO_new(BIO_s_mem());
        char *bytes = NULL;
        bool printed = text != NULL &&
                       X509_NAME_print_ex(text, X509_get_subject_name(certificate), 0,
                                          XN_FLAG_RFC2253) >= 0 &&
                       BIO_write(text, "", 1) == 1 && BIO_get_mem_data(text, &bytes) > 0;

        if (printed)
                (void)ksa_text_quote(bytes, out, size);
        BIO_free(text);
        return printed;
}

bool read_certificate(const char *path, const struct ksa_env *env,
                      struct certificate *ret_certificate, struct ksa_error *err)
{
        static const char private_key[] = "PRIVATE KEY-----";
        char *bytes = NULL;
        size_t length;

        if (ksa_file_read(path, env->owner, CERTIFICATE_MAX, &bytes, &length, err) != KSA_OK)
                return false;
        BIO *in = BIO_new_mem_buf(bytes, (int)length);
        X509 *certificate = in == NULL ? NULL : PEM_read_bio_X509(in, NULL, NULL, NULL);
        bool read = certificate != NULL &&
                    subject_of(certificate, ret_certificate->subject,
                               sizeof(ret_certificate->subject)) &&
                    seconds_of(X509_get0_notBefore(certificate), &ret_certificate->from) &&
                    seconds_of(X509_get0_notAfter(certificate), &ret_certificate->until);
        ret_certificate->has_private_key =
                memmem(bytes, length, private_key, sizeof(private_key) - 1) != NULL;
        X509_free(certificate);
        BIO_free(in);
        ksa_secret_wipe(bytes, length);
        free(bytes);
        if (!read) {
                ksa_error_at(err, path, 0);
                (void)ksa_fail(err, KSA_FILE_UNREADABLE, "%s does not contain a certificate", path);
        }
        return read;
}
