// SPDX-License-Identifier: BSD-2-Clause

// Command password sends the token in the file "token" by the method password alone.
package main

import (
	"log"
	"os"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

func main() {
	token, err := os.ReadFile("token")
	if err != nil {
		log.Fatal(err)
	}
	checkHostKey, err := knownhosts.New(".ssh/known_hosts")
	if err != nil {
		log.Fatal(err)
	}
	_, err = ssh.Dial("tcp", "build-7:22", &ssh.ClientConfig{
		User:            "deploy-bot",
		Auth:            []ssh.AuthMethod{ssh.Password(strings.TrimSpace(string(token)))},
		HostKeyCallback: checkHostKey,
	})
	log.Fatal(err)
}
