/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A login with a review is compared with this: the smallest C program that sends the same request by libcurl.
 *
 *   curl_review URL CA-FILE BEARER-FILE [BODY-FILE]      exit status 0 for a status of 200 or 201
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 65536

static char *read_file(const char *path)
{
        char *text = calloc(1, TEXT_MAX);
        FILE *file = fopen(path, "r");

        if (text == NULL || file == NULL)
                exit(2);
        text[fread(text, 1, TEXT_MAX - 1, file)] = '\0';
        text[strcspn(text, "\n")] = '\0';
        (void)fclose(file);
        return text;
}

static size_t take(char *bytes, size_t size, size_t count, void *context)
{
        (void)bytes;
        (void)context;
        return size * count;
}

int main(int argc, char **argv)
{
        long status = 0;
        CURL *curl = argc < 4 ? NULL : curl_easy_init();

        if (curl == NULL)
                return 2;
        struct curl_slist *headers = curl_slist_append(
                NULL, argc > 4 ? "Accept: application/json" : "Accept: application/jwk-set+json");
        headers = curl_slist_append(headers, "Content-Type: application/json");
        curl_easy_setopt(curl, CURLOPT_URL, argv[1]);
        curl_easy_setopt(curl, CURLOPT_CAINFO, argv[2]);
        curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
        curl_easy_setopt(curl, CURLOPT_XOAUTH2_BEARER, read_file(argv[3]));
        curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
        if (argc > 4)
                curl_easy_setopt(curl, CURLOPT_POSTFIELDS, read_file(argv[4]));
        curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
        if (curl_easy_perform(curl) != CURLE_OK)
                return 1;
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
        return status == 200 || status == 201 ? 0 : 1;
}
