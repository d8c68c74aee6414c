# SPDX-License-Identifier: BSD-2-Clause
# Without host_key_alias, known_hosts must have the address too. With non_interactive it would not show the reason of a refusal.
require "net/ssh"

token = File.read("token").strip
Net::SSH.start("build-7", "deploy-bot", password: token, verify_host_key: :always, host_key_alias: "build-7") do |ssh|
  print ssh.exec!("id -un")
end
