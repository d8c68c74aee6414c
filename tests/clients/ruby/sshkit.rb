# SPDX-License-Identifier: BSD-2-Clause
require "sshkit"
require "sshkit/dsl"
include SSHKit::DSL

host = SSHKit::Host.new("deploy-bot@build-7")
host.ssh_options = { password: File.read("token").strip, verify_host_key: :always, host_key_alias: "build-7" }
on(host) { puts capture(:id, "-un") }
