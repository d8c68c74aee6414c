# SPDX-License-Identifier: BSD-2-Clause
"""ssh cuts an answer at 1023 bytes: the token is sent in parts of 500 bytes, as ksa-askpass(1) does."""
import pathlib

import pexpect

token = pathlib.Path("token").read_text().strip()
parts = [token[start:start + 500] for start in range(0, len(token) + 1, 500)]
child = pexpect.spawn("ssh -o PreferredAuthentications=keyboard-interactive -o KbdInteractiveAuthentication=yes "
                      "-o NumberOfPasswordPrompts=1 deploy-bot@build-7 id -un", encoding="utf-8")
for part in parts:
    child.expect("as password.*: ")
    child.sendline(part)
child.expect(pexpect.EOF)
print(child.before)
child.close()
raise SystemExit(child.exitstatus)
