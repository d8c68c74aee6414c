// SPDX-License-Identifier: BSD-2-Clause
const { Client } = require("ssh2");
const { options, token } = require("./options.js");

const client = new Client();
client.on("keyboard-interactive", function (name, instructions, lang, prompts, answer) {
  answer(Array(prompts.length).fill(token));
});
client.on("error", (error) => {
  console.error(error.message);
  process.exit(1);
});
client.on("ready", () => client.exec("id -un", (error, stream) => {
  if (error) throw error;
  stream.on("close", () => client.end()).pipe(process.stdout);
}));
client.connect({ ...options, tryKeyboard: true });
