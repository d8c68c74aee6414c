// SPDX-License-Identifier: BSD-2-Clause
// What each client here connects with. Without a hostVerifier, ssh2 accepts any host key.
const fs = require("fs");

const keys = fs.readFileSync(".ssh/known_hosts", "utf8").split("\n")
  .filter((line) => line.split(" ")[0].split(",").includes("build-7"))
  .map((line) => line.split(" ")[2]);

exports.token = fs.readFileSync("token", "utf8").trim();
exports.options = {
  host: "build-7",
  username: "deploy-bot",
  hostVerifier: (key) => keys.includes(key.toString("base64")),
};
