# SPDX-License-Identifier: BSD-2-Clause
set :ssh_options, password: File.read("token").strip, verify_host_key: :always, host_key_alias: "build-7"

task :who do
  on("deploy-bot@build-7") { puts capture(:id, "-un") }
end
