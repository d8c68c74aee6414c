// SPDX-License-Identifier: BSD-2-Clause
const { NodeSSH } = require("node-ssh");
const { options, token } = require("./options.js");

const ssh = new NodeSSH();
ssh.connect({ ...options, password: token, tryKeyboard: true })
  .then(() => ssh.execCommand("id -un"))
  .then((result) => console.log(result.stdout))
  .finally(() => ssh.dispose());
