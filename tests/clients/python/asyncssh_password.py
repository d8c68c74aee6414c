# SPDX-License-Identifier: BSD-2-Clause
"""Answers the prompt with the password, which is the token."""
import asyncio
import pathlib

import asyncssh


async def run():
    token = pathlib.Path("token").read_text().strip()
    async with asyncssh.connect("build-7", username="deploy-bot", password=token, client_keys=None) as connection:
        print((await connection.run("id -un")).stdout, end="")
asyncio.run(run())
