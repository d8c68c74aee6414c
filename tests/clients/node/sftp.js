// SPDX-License-Identifier: BSD-2-Clause
const Client = require("ssh2-sftp-client");
const { options, token } = require("./options.js");

const sftp = new Client();
sftp.on("keyboard-interactive", function (name, instructions, lang, prompts, answer) {
  answer(Array(prompts.length).fill(token));
});
sftp.connect({ ...options, tryKeyboard: true })
  .then(() => sftp.get("id"))
  .then((data) => process.stdout.write(data))
  .finally(() => sftp.end());
