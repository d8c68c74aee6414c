# SPDX-License-Identifier: BSD-2-Clause
"""The real libpam, driven from a process of its own for each attempt: any service, user, answers."""
import ctypes
import json
import os
import re
import resource
import signal
import subprocess
import sys
import traceback
from pathlib import Path

libpam = ctypes.CDLL("libpam.so.0")
libc = ctypes.CDLL(None, use_errno=True)
libc.calloc.restype = libc.strdup.restype = ctypes.c_void_p
libpam.pam_getenvlist.restype = ctypes.POINTER(ctypes.c_char_p)

CODES = {0: "SUCCESS", 3: "SERVICE_ERR", 4: "SYSTEM_ERR", 5: "BUF_ERR", 6: "PERM_DENIED", 7: "AUTH_ERR",
         9: "AUTHINFO_UNAVAIL", 10: "USER_UNKNOWN", 19: "CONV_ERR", 25: "IGNORE", 28: "MODULE_UNKNOWN"}
ITEMS = {"service": 1, "tty": 3, "rhost": 4, "ruser": 8, "user": 2}
ERROR_MSG, PROMPT_ECHO_OFF, FAIL_DELAY = 3, 1, 10
CONFDIR = "/run/pam-test"
CONVERSATION_FAILS = "conversation fails"


class Message(ctypes.Structure):
    _fields_ = [("style", ctypes.c_int), ("text", ctypes.c_char_p)]


class Response(ctypes.Structure):
    _fields_ = [("answer", ctypes.c_void_p), ("code", ctypes.c_int)]


CONV = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.POINTER(ctypes.POINTER(Message)),
                        ctypes.POINTER(ctypes.c_void_p), ctypes.c_void_p)
DELAY = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_uint, ctypes.c_void_p)


class Conv(ctypes.Structure):
    _fields_ = [("function", CONV), ("data", ctypes.c_void_p)]


class Talk:
    def __init__(self, answers, while_asked):
        self.answers, self.while_asked = list(answers), while_asked
        self.prompts, self.messages = [], []

    def __call__(self, count, messages, responses, _data):
        size = ctypes.sizeof(Response)
        array = libc.calloc(count, size)
        for i in range(count):
            message = messages[i].contents
            if message.style != PROMPT_ECHO_OFF:
                self.messages.append([message.style, message.text.decode()])
                continue
            self.prompts.append(message.text.decode())
            set_items(self.handle, self.while_asked)
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            if answer == CONVERSATION_FAILS:
                return 19
            if answer is not None:
                Response.from_address(array + i * size).answer = libc.strdup(answer.encode("latin-1"))
        responses[0] = array
        return 0


def set_items(handle, items):
    for name, value in items.items():
        assert libpam.pam_set_item(handle, ITEMS[name], value.encode()) == 0


def state_of_process():
    """The state of the process that a module must leave as it found it."""
    return {"descriptors": sorted(os.listdir("/proc/self/fd")), "umask": os.umask(os.umask(0)),
            "environment": dict(os.environ), "cwd": os.getcwd(), "ids": [os.getresuid(), os.getresgid(), os.getgroups()],
            "dispositions": [line for line in open("/proc/self/status") if line.startswith("Sig") and "SigQ" not in line],
            "children": open("/proc/self/task/%d/children" % os.getpid()).read()}


def run(confdir, service, user, answers=("",), phases=("authenticate", "acct_mgmt"), real_uid=None, sigchld_ignored=False,
        no_file_may_grow=False, while_asked={}, before_account={}, **items):
    """WHILE_ASKED and BEFORE_ACCOUNT: items that the conversation sets at each prompt, and the host program after auth."""
    if sigchld_ignored:
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    if no_file_may_grow:  # a process that writes a byte dies by SIGXFSZ
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    if real_uid is not None:
        os.setresuid(real_uid, 0, 0)
    talk, delays = Talk(answers, while_asked), []
    talk_function = CONV(talk)
    conv = Conv(talk_function, None)
    delay_function = DELAY(lambda _code, microseconds, _data: delays.append(microseconds))
    handle = ctypes.c_void_p()
    code = libpam.pam_start_confdir(service.encode(), user.encode("latin-1"), ctypes.byref(conv), confdir.encode(),
                                    ctypes.byref(handle))
    assert code == 0, code
    talk.handle = handle
    set_items(handle, items)
    libpam.pam_set_item(handle, FAIL_DELAY, delay_function)
    before, codes = state_of_process(), {}
    for phase in phases:
        if phase == "acct_mgmt":
            set_items(handle, before_account)
        code = getattr(libpam, "pam_" + phase)(handle, 2 if phase == "setcred" else 0)
        codes[phase] = CODES.get(code, str(code))
    after = state_of_process()
    variables, listed = [], libpam.pam_getenvlist(handle)
    for i in range(100):
        if listed[i] is None:
            break
        variables.append(listed[i].decode())
    libpam.pam_end(handle, 0)
    return {"codes": codes, "prompts": talk.prompts, "messages": talk.messages, "delays": delays,
            "environment": variables, "changed": [name for name in before if before[name] != after[name]]}


def result_of(text, status):
    assert status == 0, "the process died with %d" % status
    result = json.loads(text)
    assert "broken" not in result, result["broken"]
    return result


def start_program(arguments):
    """A new program, because another thread may hold a lock of the sanitizer's allocator when this process forks."""
    program = subprocess.Popen([sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    program.stdin.write(json.dumps(arguments).encode())
    program.stdin.close()

    def wait():
        text = program.stdout.read()
        program.stdout.close()
        return result_of(text, program.wait())
    return wait


def start(confdir, service, user, **arguments):
    """In a child process. A function that waits for its end, and has what the attempt came to, as run() has it."""
    if "libasan" in os.environ.get("LD_PRELOAD", ""):
        return start_program({"confdir": str(confdir), "service": service, "user": user, **arguments})
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            text = json.dumps(run(confdir, service, user, **arguments))
        except BaseException:
            text = json.dumps({"broken": traceback.format_exc()})
        os.write(writer, text.encode())
        os._exit(0)
    os.close(writer)

    def wait():
        with open(reader) as pipe:
            text = pipe.read()
        return result_of(text, os.waitpid(child, 0)[1])
    return wait


def attempt(confdir, service, user, **arguments):
    return start(confdir, service, user, **arguments)()


class PamStack:
    """Services of HOST whose stack has only pam_ksa, and the log lines of each attempt."""

    def __init__(self, host):
        self.host = host
        os.makedirs(CONFDIR, exist_ok=True)

    def write(self, service, arguments=""):
        Path(CONFDIR, service).write_text("".join("%s required pam_ksa.so %s\n" % (group, arguments)
                                                  for group in ("auth", "account", "session")))

    def attempt(self, answers=("x",), service="sshd", user="deploy-bot", arguments="", **others):
        self.write(service, arguments)
        size = self.host.log_size()
        if service == "sshd":
            others.setdefault("rhost", "10.1.2.3")
        result = attempt(CONFDIR, service, user, answers=list(answers), **others)
        result["log"] = [line for line in self.host.log_since(size) if "pam_ksa(" in line]
        result["reasons"] = re.findall(r" reason=([a-z-]+) ", "\n".join(result["log"]))
        result["auth"] = result["codes"].get("authenticate")
        assert result["changed"] == [], result
        return result


def attempt_without_root(service="sshd", answers=("x",), confdir=CONFDIR):
    """As PostgreSQL calls PAM, in a child process that gives up root."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setresgid(1502, 1502, 1502)
        os.setresuid(1502, 1502, 1502)
        os.write(writer, json.dumps(attempt(confdir, service, "deploy-bot", answers=list(answers))).encode())
        os._exit(0)
    os.close(writer)
    with open(reader) as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    return json.loads(text)


if __name__ == "__main__":
    print(json.dumps(run(**json.load(sys.stdin))))
