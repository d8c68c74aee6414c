// SPDX-License-Identifier: BSD-2-Clause

// Command login runs a command on a host, with a service account token:
//
//	login USER HOST TOKEN_FILE COMMAND
//
// Build it without libraries, in a directory of its own:
//
//	go mod init login && go mod tidy && CGO_ENABLED=0 go build
//
// It requires the host's ed25519 key in ~/.ssh/known_hosts.
package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

func run(user, host, tokenFile, command string) error {
	token, err := os.ReadFile(tokenFile)
	if err != nil {
		return err
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return err
	}
	checkHostKey, err := knownhosts.New(filepath.Join(home, ".ssh", "known_hosts"))
	if err != nil {
		return err
	}
	refused := ""
	answer := func(_, instruction string, prompts []string, _ []bool) ([]string, error) {
		if instruction != "" {
			refused = ": " + strings.TrimSpace(instruction)
		}
		answers := make([]string, len(prompts))
		for i, prompt := range prompts {
			if !strings.HasPrefix(prompt, "Service account token") {
				return nil, fmt.Errorf("unexpected prompt %q", prompt)
			}
			answers[i] = strings.TrimSpace(string(token))
		}
		return answers, nil
	}
	client, err := ssh.Dial("tcp", net.JoinHostPort(host, "22"), &ssh.ClientConfig{
		User:            user,
		Auth:            []ssh.AuthMethod{ssh.KeyboardInteractive(answer)},
		HostKeyCallback: checkHostKey,
		// By default Go asks for an ECDSA or RSA key first. If known_hosts has only the ed25519 key, as ssh
		// stores it, knownhosts reports a mismatch.
		HostKeyAlgorithms: []string{ssh.KeyAlgoED25519},
	})
	if err != nil {
		return fmt.Errorf("%w%s", err, refused)
	}
	defer client.Close()
	session, err := client.NewSession()
	if err != nil {
		return err
	}
	session.Stdout, session.Stderr = os.Stdout, os.Stderr
	return session.Run(command)
}

func main() {
	if len(os.Args) != 5 {
		fmt.Fprintln(os.Stderr, "usage: login USER HOST TOKEN_FILE COMMAND")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3], os.Args[4]); err != nil {
		fmt.Fprintln(os.Stderr, "login:", err)
		os.Exit(1)
	}
}
