# SPDX-License-Identifier: BSD-2-Clause
"""The stacks that distributions ship, and the two lines of docs/source-build.md in them. The controls are theirs; a module
that Debian lacks is replaced: pam_sss by pam_unix, one that decides nothing by pam_warn, which ignores every phase."""
import re

from host import SOURCE

TOKEN_FILE = " token_file=/home/%u/.ksa/token"

RHEL_AUTH = """\
auth required pam_env.so
auth required pam_faildelay.so delay=2000000
auth required pam_faillock.so preauth silent
auth [default=1 ignore=ignore success=ok] pam_usertype.so isregular
auth [default=1 ignore=ignore success=ok] pam_localuser.so
auth sufficient pam_unix.so nullok
auth [default=1 ignore=ignore success=ok] pam_usertype.so isregular
auth sufficient pam_unix.so use_first_pass
auth required pam_faillock.so authfail
auth required pam_deny.so
account required pam_faillock.so
account required pam_unix.so
account sufficient pam_localuser.so
account sufficient pam_usertype.so issystem
account [default=bad success=ok user_unknown=ignore] pam_unix.so
account required pam_permit.so
session optional pam_keyinit.so revoke
session required pam_limits.so
-session optional pam_systemd.so
session [success=1 default=ignore] pam_succeed_if.so service in crond quiet use_uid
session required pam_unix.so
session optional pam_warn.so
"""
RHEL = {
    "password-auth": RHEL_AUTH,
    "system-auth": RHEL_AUTH,
    "postlogin": """\
session optional pam_umask.so silent
session [success=1 default=ignore] pam_succeed_if.so service !~ gdm* service !~ su* quiet
session [default=1] pam_warn.so
session optional pam_warn.so
""",
    "sshd": """\
auth substack password-auth
auth include postlogin
account required pam_sepermit.so
account required pam_nologin.so
account include password-auth
session required pam_selinux.so close
session required pam_loginuid.so
session required pam_selinux.so open env_params
session required pam_namespace.so
session optional pam_keyinit.so force revoke
session optional pam_motd.so
session include password-auth
session include postlogin
""",
    "sudo": "".join("%s include system-auth\n" % group for group in ("auth", "account", "session")),
}
SUSE = {
    "common-auth": "auth required pam_env.so\nauth optional pam_warn.so\nauth required pam_unix.so try_first_pass\n",
    "common-account": "account required pam_unix.so try_first_pass\n",
    "common-session": """\
session required pam_limits.so
session required pam_unix.so try_first_pass
session optional pam_umask.so
session optional pam_systemd.so
session optional pam_env.so
""",
    "sshd": """\
auth requisite pam_nologin.so
auth include common-auth
account requisite pam_nologin.so
account include common-account
session required pam_loginuid.so
session include common-session
session optional pam_warn.so
session optional pam_keyinit.so force revoke
""",
    "sudo": """\
auth include common-auth
account include common-account
session optional pam_keyinit.so revoke
session include common-session
""",
}
ARCH = {
    "system-auth": """\
auth required pam_faillock.so preauth
-auth [success=2 default=ignore] pam_systemd_home.so
auth [success=1 default=bad] pam_unix.so try_first_pass nullok
auth [default=die] pam_faillock.so authfail
auth optional pam_permit.so
auth required pam_env.so
auth required pam_faillock.so authsucc
-account [success=1 default=ignore] pam_systemd_home.so
account required pam_unix.so
account optional pam_permit.so
account required pam_time.so
-session optional pam_systemd_home.so
session required pam_limits.so
session required pam_unix.so
session optional pam_permit.so
""",
    "system-login": """\
auth required pam_shells.so
auth requisite pam_nologin.so
auth include system-auth
account required pam_access.so
account required pam_nologin.so
account include system-auth
session optional pam_loginuid.so
session optional pam_keyinit.so force revoke
session include system-auth
session optional pam_motd.so
session optional pam_mail.so dir=/var/spool/mail standard quiet
session optional pam_umask.so
-session optional pam_systemd.so
session required pam_env.so
""",
    "system-remote-login": "".join("%s include system-login\n" % group for group in ("auth", "account", "session")),
    "sshd": "".join("%s include system-remote-login\n" % group for group in ("auth", "account", "session")),
    "sudo": "".join("%s include system-auth\n" % group for group in ("auth", "account", "session")),
}
DEBIAN = {
    "sshd": """\
@include common-auth
account required pam_nologin.so
@include common-account
session [success=ok ignore=ignore module_unknown=ignore default=bad] pam_selinux.so close
session required pam_loginuid.so
session optional pam_keyinit.so force revoke
@include common-session
session required pam_limits.so
session required pam_env.so
session [success=ok ignore=ignore module_unknown=ignore default=bad] pam_selinux.so open
""",
    "sudo": """\
session required pam_limits.so
@include common-auth
@include common-account
@include common-session-noninteractive
""",
}
PLAIN_AUTH = "auth required pam_env.so\nauth required pam_unix.so\n"
PLAIN = {
    "sshd": PLAIN_AUTH + "account required pam_nologin.so\naccount required pam_unix.so\nsession required pam_unix.so\n",
    "sudo": PLAIN_AUTH + "account required pam_unix.so\nsession required pam_unix.so\n",
}
SHAPES = {"rhel": RHEL, "suse": SUSE, "arch": ARCH, "debian": DEBIAN, "plain": PLAIN}


def lines_of(text):
    return re.findall(r"^(?:auth|account) .* pam_ksa\.so.*$", text, re.M)


def page_lines():
    auth, account = lines_of((SOURCE / "docs/source-build.md").read_text())
    return auth, account


def with_lines(service, text):
    """The file as docs/source-build.md has it changed: one line above the first of auth, one above the first of account."""
    auth, account = page_lines()
    text = re.sub(r"^(auth |@include common-auth)", lambda found: "%s%s\n%s" % (
        auth, TOKEN_FILE if service == "sudo" else "", found.group()), text, count=1, flags=re.M)
    return re.sub(r"^(account |@include common-account)",
                  lambda found: "%s\n%s" % (account, found.group()), text, count=1, flags=re.M)
