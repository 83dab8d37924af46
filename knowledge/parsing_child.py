"""The process that reads files nobody trusts: `python -I parsing_child.py ROOT MEMORY_MB`, started by parsing.py alone.

Reads requests on standard input and answers on standard output until the former ends: a line of JSON {"name", "size",
"seconds"} and `size` bytes; 8 bytes of length, big-endian, and as many of JSON {"blocks", "notices"} or {"code",
"detail"}. It may open no socket, start no process and write no file.
"""

import csv
import ctypes
import importlib
import json
import os
import platform
import resource
import signal
import struct
import sys
from typing import Any

IDLE_SECONDS = 120
_MEGABYTE = 2**20
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _SECCOMP_FILTER = 38, 22, 2
_X86_64 = 0xC000003E
_REFUSED = 0x00050000 | 1  # EPERM
_ALLOWED = 0x7FFF0000
# socket, connect, sendto, clone, fork, vfork, execve, kill, ptrace, process_vm_readv and _writev, execveat, clone3
_FORBIDDEN_CALLS = (41, 42, 44, 56, 57, 58, 59, 62, 101, 310, 311, 322, 435)
_FORBIDDEN_EVENTS = (
    "socket.",
    "subprocess.",
    "os.exec",
    "os.fork",
    "os.posix_spawn",
    "os.system",
    "shutil.",
    "os.kill",
)


def main(root: str, memory_mb: int) -> None:
    """Answer requests until there are none."""
    sys.path.insert(0, root)
    _limit(memory_mb)
    # What most files need is loaded once; the rest (OCR) when a file needs it.
    read = importlib.import_module("knowledge.readers").read
    blocks = importlib.import_module("knowledge.blocks")
    csv.field_size_limit(2**31 - 1)
    _lock()
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    while True:
        signal.alarm(IDLE_SECONDS)
        line = requests.readline()
        if not line:
            return
        request = json.loads(line)
        data = requests.read(request["size"])
        signal.alarm(request["seconds"] + 10)  # should the parent be gone
        used = resource.getrusage(resource.RUSAGE_SELF)
        most = int(used.ru_utime + used.ru_stime) + request["seconds"] + 1
        resource.setrlimit(resource.RLIMIT_CPU, (most, resource.RLIM_INFINITY))
        answer: dict[str, Any]
        try:
            found = read(request["name"], data)
            answer = {
                "blocks": [blocks.as_json(block) for block in found.blocks],
                "notices": [[notice.code, notice.detail] for notice in found.notices],
            }
            del found
        except blocks.Unreadable as error:
            answer = {"code": error.code, "detail": error.detail}
        except MemoryError:
            answer = {"code": "memory", "detail": str(memory_mb)}
        except RecursionError:
            answer = {"code": "too_deep", "detail": ""}
        except Exception as error:  # whatever a parser makes of a damaged file
            if "alloc" in str(error).lower():  # how C++ libraries say it
                answer = {"code": "memory", "detail": str(memory_mb)}
            else:
                answer = {"code": "damaged", "detail": type(error).__name__}
        told = json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
        answers.write(struct.pack(">Q", len(told)) + told)
        answers.flush()
        if answer.get("code") == "memory":
            return


def _limit(memory_mb: int) -> None:
    for limit, most in (
        (resource.RLIMIT_AS, memory_mb * _MEGABYTE),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):
        resource.setrlimit(limit, (most, most))


def _lock() -> None:
    """From here on: no socket, no process, no file written."""
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    sys.addaudithook(_refuse)
    if platform.machine() == "x86_64":  # elsewhere the audit hook alone holds, against Python code
        _forbid_calls()


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    if writes or event.startswith(_FORBIDDEN_EVENTS):
        raise PermissionError(f"a parser may not: {event}")


def _forbid_calls() -> None:
    """A kernel filter (seccomp): the forbidden calls fail with EPERM, from C code as well."""
    program = [(0x20, 0, 0, 4), (0x15, 1, 0, _X86_64), (0x06, 0, 0, _REFUSED), (0x20, 0, 0, 0)]
    count = len(_FORBIDDEN_CALLS)
    program += [(0x15, count - place, 0, number) for place, number in enumerate(_FORBIDDEN_CALLS)]
    program += [(0x06, 0, 0, _ALLOWED), (0x06, 0, 0, _REFUSED)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in program))
    head = ctypes.create_string_buffer(struct.pack("HL", len(program), ctypes.addressof(code)))
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    libc.prctl(_PR_SET_SECCOMP, _SECCOMP_FILTER, ctypes.c_void_p(ctypes.addressof(head)), 0, 0)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
