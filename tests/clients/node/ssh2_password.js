// SPDX-License-Identifier: BSD-2-Clause
const { Client } = require("ssh2");
const { options, token } = require("./options.js");

const client = new Client();
client.on("error", (error) => {
  console.error(error.message);
  process.exit(1);
});
client.on("ready", () => client.end());
client.connect({ ...options, password: token });
