"""The tables of system calls are the kernel's own, and the filter made of them answers rightly on both machines."""

import errno
import re
import struct
from pathlib import Path

import pytest

from sandbox.worker import landlock, seccomp, syscalls

INCLUDE = Path("/usr/include")
GENERIC = INCLUDE / "asm-generic" / "unistd.h"  # what aarch64 uses, as every newer machine does
X86_64 = INCLUDE / "x86_64-linux-gnu" / "asm" / "unistd_64.h"
HEADERS = {"x86_64": X86_64, "aarch64": GENERIC}
PID, CONTROL = 4711, 3
MOST_STEPS = 4096  # BPF_MAXINSNS: the kernel takes no longer program
both = pytest.mark.parametrize("machine", ["x86_64", "aarch64"])

# Calls a machine may have, none of which a run may make.
DANGEROUS = """
    socket socketpair connect bind listen accept accept4 sendto sendmsg sendmmsg recvfrom recvmmsg shutdown getsockopt
    setsockopt getsockname getpeername fork vfork clone execve execveat wait4 waitid ptrace process_vm_readv
    process_vm_writev process_madvise pidfd_open pidfd_getfd pidfd_send_signal kcmp setpgid setsid getsid prctl
    arch_prctl personality setuid setgid setresuid setresgid setgroups capset capget unshare setns chroot pivot_root
    mount umount2 move_mount open_tree fsopen fsconfig fsmount fspick mount_setattr memfd_create memfd_secret bpf
    perf_event_open userfaultfd io_uring_setup io_uring_enter io_uring_register io_setup io_submit keyctl add_key
    request_key seccomp landlock_create_ruleset landlock_add_rule landlock_restrict_self chmod fchmod fchmodat chown
    fchown fchownat lchown utimensat utime utimes link linkat symlink symlinkat mknod mknodat truncate
    name_to_handle_at open_by_handle_at shmget shmat shmctl semget semop semctl msgget msgsnd msgrcv msgctl mq_open
    mq_unlink timer_create timerfd_create signalfd4 eventfd2 epoll_create1 inotify_init1 fanotify_init setpriority
    sched_setaffinity sched_setscheduler sched_setattr ioprio_set setrlimit get_robust_list rt_sigqueueinfo
    rt_tgsigqueueinfo mlock mlockall mbind set_mempolicy migrate_pages move_pages splice tee vmsplice sendfile
    copy_file_range init_module finit_module delete_module kexec_load kexec_file_load reboot swapon swapoff acct
    sethostname setdomainname settimeofday clock_settime adjtimex clock_adjtime syslog quotactl iopl ioperm
    modify_ldt lookup_dcookie vhangup sync syncfs pkey_alloc pkey_mprotect membarrier futex_waitv cachestat
""".split()  # noqa: SIM905 a list of names reads better without quotes

# What the C library of Debian 12 (glibc 2.36) calls on aarch64 for what Python does, where x86-64 has an older call:
# open, stat, lstat, access, readlink, rename, mkdir, rmdir and unlink, poll, select, pipe, dup2, getdents, getpgrp,
# alarm, pause and time are all missing there (sysdeps/unix/sysv/linux, and the generic table itself).
INSTEAD = {
    "open": "openat",
    "creat": "openat",
    "stat": "newfstatat",
    "lstat": "newfstatat",
    "access": "faccessat",
    "readlink": "readlinkat",
    "rename": "renameat",
    "mkdir": "mkdirat",
    "rmdir": "unlinkat",
    "unlink": "unlinkat",
    "poll": "ppoll",
    "select": "pselect6",
    "pipe": "pipe2",
    "dup2": "dup3",
    "getdents": "getdents64",
    "getpgrp": "getpgid",
    "alarm": "setitimer",
    "pause": "ppoll",
    "time": "clock_gettime",
}


def header(machine: str) -> dict[str, int]:
    """Return the kernel's own numbers; skip, with the reason, where its headers are not installed."""
    path = HEADERS[machine]
    if not path.exists():
        pytest.skip(f"needs the kernel's headers (Debian: linux-libc-dev): no {path}")
    text = path.read_text(encoding="utf-8")
    shared = dict(re.findall(r"#define (__NR3264_\w+)\s+(\d+)", text))
    found = re.findall(r"#define __NR_(\w+)\s+(\d+|__NR3264_\w+)", text)
    return {
        name: int(shared.get(number, number))
        for name, number in found
        if shared.get(number, number).isdigit()
    }


@both
def test_every_number_is_the_kernels_own(machine: str) -> None:
    numbers, ours = header(machine), syscalls.MACHINES[machine][1]
    assert {name: numbers[name] for name in ours} == ours


@both
def test_a_call_that_may_be_made_is_left_out_only_where_the_machine_does_not_have_it(machine: str) -> None:
    numbers, ours = header(machine), syscalls.MACHINES[machine][1]
    wanted = (*syscalls.FREE, *syscalls.CHECKED, *syscalls.UNSUPPORTED, *syscalls.MISSING)
    assert [name for name in wanted if name in numbers and name not in ours] == []
    assert set(ours) <= set(wanted)


def test_where_aarch64_lacks_an_old_call_the_one_the_c_library_makes_instead_may_be_made() -> None:
    numbers, ours = header("aarch64"), syscalls.MACHINES["aarch64"][1]
    allowed = {*syscalls.FREE, *syscalls.CHECKED}
    lacking = {name for name in allowed if name not in ours}
    assert lacking <= set(INSTEAD)
    for name in lacking:
        assert name not in numbers
        assert INSTEAD[name] in allowed
        assert INSTEAD[name] in ours


def test_the_architectures_and_the_calls_that_put_layers_on_are_the_kernels_own() -> None:
    for machine, word in (("x86_64", "EM_X86_64"), ("aarch64", "EM_AARCH64")):
        numbers = header(machine)
        text = (INCLUDE / "linux" / "elf-em.h").read_text(encoding="utf-8")
        found = re.search(rf"#define {word}\s+(\d+)", text)
        assert found is not None
        flags = 0xC0000000  # linux/audit.h: __AUDIT_ARCH_64BIT | __AUDIT_ARCH_LE
        assert syscalls.MACHINES[machine][0] == int(found.group(1)) | flags
        assert syscalls.SECCOMP[machine] == numbers["seccomp"]
        layers = (landlock._CREATE_RULESET, landlock._ADD_RULE, landlock._RESTRICT_SELF)
        names = ("landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self")
        assert layers == tuple(numbers[name] for name in names)


def answer(program: bytes, architecture: int, number: int, *arguments: int) -> int:
    """Run a classic BPF program over one system call as the kernel does, and return its verdict.

    Every step must be one seccomp takes, and every jump must end within the program.
    """
    steps = [struct.unpack_from("=HBBI", program, place) for place in range(0, len(program), 8)]
    words = [argument & (1 << 64) - 1 for argument in (*arguments, *([0] * (6 - len(arguments))))]
    data = struct.pack("=IIQ6Q", number & 0xFFFFFFFF, architecture, 0, *words)
    accumulator, place = 0, 0
    while True:
        code, if_true, if_false, value = steps[place]
        place += 1
        if code == 0x20:  # BPF_LD | BPF_W | BPF_ABS
            assert value % 4 == 0
            accumulator = struct.unpack_from("=I", data, value)[0]
        elif code == 0x06:  # BPF_RET | BPF_K
            return value
        else:
            holds = {0x15: accumulator == value, 0x35: accumulator >= value}[code]  # BPF_JMP with JEQ, JGE
            place += if_true if holds else if_false


@both
def test_the_program_is_one_the_kernel_takes(machine: str) -> None:
    program = seccomp.program(PID, machine, CONTROL)
    assert len(program) % 8 == 0
    assert len(program) // 8 <= MOST_STEPS
    for place in range(0, len(program), 8):
        code, if_true, if_false, _ = struct.unpack_from("=HBBI", program, place)
        assert code in (0x20, 0x06, 0x15, 0x35)
        assert place // 8 + 1 + max(if_true, if_false) < len(program) // 8 or code in (0x20, 0x06)
    assert struct.unpack_from("=HBBI", program, len(program) - 8)[0] == 0x06


@both
def test_it_lets_through_its_list_and_no_other_number(machine: str) -> None:
    architecture, numbers = syscalls.MACHINES[machine]
    program = seccomp.program(PID, machine, CONTROL)
    for name in syscalls.FREE:
        if name in numbers:
            assert answer(program, architecture, numbers[name]) == seccomp.ALLOW, name
    for number in {*range(1100), 0x3FFFFFFF} - set(numbers.values()):
        assert answer(program, architecture, number) == seccomp.REFUSE, number
    for name in syscalls.MISSING:
        assert answer(program, architecture, numbers[name]) & 0xFFFF == errno.ENOSYS, name
    for name in syscalls.UNSUPPORTED:
        assert answer(program, architecture, numbers[name]) & 0xFFFF == errno.ENOTSUP, name


@both
def test_it_refuses_every_call_that_reaches_out(machine: str) -> None:
    numbers, (architecture, ours) = header(machine), syscalls.MACHINES[machine]
    program = seccomp.program(PID, machine, CONTROL)
    assert not set(DANGEROUS) & {*syscalls.FREE, *syscalls.CHECKED}
    there = [name for name in DANGEROUS if name in numbers]
    assert len(there) > 130
    for name in there:
        assert answer(program, architecture, numbers[name], PID, 1, 1) == seccomp.REFUSE, name
        assert numbers[name] not in ours.values(), name


ALLOWED = {
    "kill": [(PID, 9), (0, 9)],
    "tgkill": [(PID, PID, 6)],
    "tkill": [(PID, 6)],
    "fcntl": [(5, 3), (5, 1030)],
    "ioctl": [(1, 0x5401)],
    "prlimit64": [(0, 9), (PID, 9)],
    "recvmsg": [(CONTROL,)],
    "getpgid": [(0,), (PID,)],
    "fallocate": [(5, 0, 0, 100)],
    "open": [(1, 0, 0o777), (1, 0, 0)],
    "openat": [(-100, 1, 0, 0o777), (-100, 1, 0, 0)],
    "creat": [(1, 0o666)],
}
REFUSED = {
    "kill": [(1, 9), (-1, 9), (-PID, 9), (PID + 1, 9)],
    "tgkill": [(1, 1, 9), (0, 0, 9), (-1, PID, 9)],
    "tkill": [(1, 9), (0, 9)],
    "fcntl": [
        (5, 8),
        (5, 10),
        (5, 1024),
        (5, 1026),
        (5, 1031),
        (5, 1033),
    ],  # owner, signal, lease, notify, size, seals
    "ioctl": [(1, 0x5412), (1, 0x541C), (1, 0x8901)],  # TIOCSTI, TIOCLINUX, FIOSETOWN
    "prlimit64": [(1, 9), (-1, 9)],
    "recvmsg": [(4,), (0,)],
    "getpgid": [(1,), (PID + 1,)],
    "fallocate": [(5, 1, 0, 100), (5, 3, 0, 100), (5, 0x20, 0, 100)],  # KEEP_SIZE, PUNCH_HOLE, INSERT_RANGE
    "open": [(1, 0, 0o4755), (1, 0, 0o2755), (1, 0, 0o1777)],
    "openat": [(-100, 1, 0, 0o4755), (-100, 1, 0, 0o6755)],
    "creat": [(1, 0o4755)],
}


@both
def test_it_looks_at_arguments_where_a_call_is_dangerous_with_some(machine: str) -> None:
    architecture, numbers = syscalls.MACHINES[machine]
    program = seccomp.program(PID, machine, CONTROL)
    assert set(ALLOWED) == set(REFUSED) == set(syscalls.CHECKED)
    for cases, verdict in ((ALLOWED, seccomp.ALLOW), (REFUSED, seccomp.REFUSE)):
        for name, calls in cases.items():
            for arguments in calls if name in numbers else ():
                assert answer(program, architecture, numbers[name], *arguments) == verdict, (name, arguments)


@both
def test_upper_halves_of_arguments_that_the_kernel_does_not_read_change_nothing(machine: str) -> None:
    architecture, numbers = syscalls.MACHINES[machine]
    program = seccomp.program(PID, machine, CONTROL)
    high = 1 << 32
    assert answer(program, architecture, numbers["kill"], 1 | high, 9) == seccomp.REFUSE
    assert (
        answer(program, architecture, numbers["kill"], PID | high, 9) == seccomp.ALLOW
    )  # the kernel reads an int
    assert answer(program, architecture, numbers["openat"], 1, 1, 0, 0o4755 | high) == seccomp.REFUSE


@both
def test_a_call_of_another_architecture_kills(machine: str) -> None:
    _, numbers = syscalls.MACHINES[machine]
    program = seccomp.program(PID, machine, CONTROL)
    # i386, arm and riscv64, and the other one of ours
    others = {0x40000003, 0x40000028, 0xC00000F3, *(known for known, _ in syscalls.MACHINES.values())}
    for other in others - {syscalls.MACHINES[machine][0]}:
        assert answer(program, other, numbers["read"]) == seccomp.KILL_PROCESS


def test_a_call_of_x32_kills_whatever_its_number() -> None:
    program = seccomp.program(PID, "x86_64", CONTROL)
    for number in range(600):
        assert answer(program, syscalls.AUDIT_X86_64, 0x40000000 + number) == seccomp.KILL_PROCESS
    assert answer(program, syscalls.AUDIT_X86_64, -1) == seccomp.KILL_PROCESS


def test_a_machine_without_a_table_is_no_machine_to_run_code_on() -> None:
    with pytest.raises(KeyError):
        seccomp.program(PID, "riscv64", CONTROL)
